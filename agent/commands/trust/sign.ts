/** `plugd sign`: signs module files as the kernel's sign-file does. */
import { PlugdError, reason } from '../../base/error.ts';
import { replaceFile } from '../../base/new-file.ts';
import { counted } from '../../base/words.ts';
import { readRegularFile } from '../../facts/regular-file.ts';
import {
  appendSignature,
  detachedSignature,
  SIGNATURE_HASHES,
  signatureHash,
  stripSignature,
  type Signing,
} from '../../trust/module-signature.ts';
import { readSigningKey } from '../../trust/signing-key.ts';
import { rewriteModule, type ImageChange } from '../../trust/rewritten-module.ts';
import { EXIT, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
import { print, say } from '../output.ts';

const HASH: Option = {
  long: 'hash',
  value: 'HASH',
  help: 'hash to sign: sha256 (the default), sha384, sha512, sha1 …',
};
const KEY_ID: Option = {
  long: 'key-id',
  short: 'k',
  help: "name the key by its identifier, not by the certificate's issuer and serial number",
};
const KEEP: Option = { long: 'keep', short: 'p', help: 'also write each signature to MODULE.p7s' };
const DETACHED: Option = { long: 'detached', short: 'd', help: 'write only MODULE.p7s; the module stays as it is' };
const READY: Option = {
  long: 'signature',
  short: 's',
  value: 'FILE',
  help: 'append this finished signature (DER); no KEY and CERT then',
};
const OUTPUT: Option = {
  long: 'output',
  short: 'o',
  value: 'FILE',
  help: 'write the signed module to FILE (one MODULE only)',
};

/** `plugd sign`. */
export const command: Command = {
  name: 'sign',
  usage: '[OPTION…] KEY CERT MODULE…',
  options: [HASH, KEY_ID, KEEP, DETACHED, READY, OUTPUT, OPTION.quiet],
  notes: `
KEY is a private key in PEM, RSA or EC; the environment variable KBUILD_SIGN_PIN
holds its passphrase. CERT is its certificate in DER or PEM. Both may be in one
file. A MODULE may be compressed, and stays so. Signatures that a module has are
replaced. Each file is replaced at once, or not changed. On a kernel that asks
for signatures, the last lines say whether it trusts the key, and what to do if
it does not.
Exit status: 0 all are signed; 1 some are not.`,
  async run(args) {
    const parsed = parse(command, args);
    const ready = parsed.value(READY);
    const [key, certificate, ...rest] = parsed.words;
    const modules = ready === undefined ? rest : parsed.words;
    const target = parsed.value(OUTPUT);
    if (modules.length === 0)
      throw usage(`no module given: plugd sign ${ready === undefined ? 'KEY CERT' : '-s FILE'} MODULE…`);
    if (modules.length > 1 && (target !== undefined || ready !== undefined))
      throw usage(`--${target === undefined ? READY.long : OUTPUT.long} is for one module, not for ${modules.length}`);
    const finished = ready === undefined ? undefined : finishedSignature(ready);
    const make = finished === undefined ? signer(parsed, key ?? '', certificate ?? '') : () => finished;
    let failures = 0;
    for (const module of modules) {
      const failure = signOne(module, target ?? module, make, parsed);
      if (failure === undefined) continue;
      failures++;
      say(`plugd: ${failure}\n`);
    }
    const signed = modules.length - failures;
    if (!parsed.has(OPTION.quiet) && signed > 0) {
      print(`signed ${counted(signed, 'module')}\n`);
      if (ready === undefined) await tellKeyState(key ?? '', certificate ?? '');
    }
    return failures === 0 ? EXIT.done : EXIT.negative;
  },
};

/** Whether this kernel takes what was signed; nothing where it takes everything. */
async function tellKeyState(key: string, certificate: string): Promise<void> {
  const { readKeyState } = await import('./key-state.ts');
  const state = readKeyState({ key, certificate });
  if (state !== undefined) print(state.text);
}

/** What makes the signature of an image. */
type Maker = (image: Buffer) => Buffer;

/** Errors: `usage` for the hash; `unreadable` for the key and the certificate. */
function signer(parsed: Arguments, key: string, certificate: string): Maker {
  const name = parsed.value(HASH) ?? 'sha256';
  const hash = signatureHash(name);
  if (hash === undefined) throw usage(`--hash ${name}: not one of ${SIGNATURE_HASHES.join(', ')}`);
  const read = readSigningKey({ key, certificate, passphrase: process.env['KBUILD_SIGN_PIN'] });
  if (read.kind === 'no-key') throw new PlugdError('unreadable', read.why, { remedy: read.remedy });
  const signing: Signing = { key: read.key, certificate: read.certificate.der, hash, keyId: parsed.has(KEY_ID) };
  return (image) => detachedSignature(image, signing);
}

function finishedSignature(path: string): Buffer {
  const read = readRegularFile('', path, 1 << 20);
  if (read.kind === 'bytes') return read.bytes;
  throw new PlugdError('unreadable', read.kind === 'absent' ? 'no such file' : read.why, { file: path });
}

/** Undefined when it is signed, else why not. */
function signOne(module: string, target: string, make: Maker, parsed: Arguments): string | undefined {
  let signature: Buffer | undefined;
  const change: ImageChange = (image) => {
    const { image: bare, damaged } = stripSignature(image);
    if (damaged !== undefined) return { why: `its signature is damaged: ${damaged}` };
    signature = make(bare);
    return parsed.has(DETACHED) ? undefined : appendSignature(bare, signature);
  };
  const done = rewriteModule(module, change, target);
  if (done.kind === 'failed') return done.why;
  if (signature === undefined || !(parsed.has(DETACHED) || parsed.has(KEEP))) return undefined;
  try {
    replaceFile(`${target}.p7s`, signature);
    return undefined;
  } catch (error) {
    return `${target}.p7s: ${reason(error)}`;
  }
}

function usage(text: string): PlugdError {
  return new PlugdError('usage', text, { remedy: 'see plugd sign --help' });
}
