/** Signs module files: by plugd itself, or by a program that the administrator named or that the key needs. */
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { reason } from '../../base/error.ts';
import { signatureHash, signModule } from '../../trust/module-signature.ts';
import { readSigningKey } from '../../trust/signing-key.ts';
import type { Signer, SignResult } from './build-request.ts';
import { runProgram } from './process/program.ts';

/** What to sign with. */
export interface SignerParts {
  /** `sha256`, as CONFIG_MODULE_SIG_HASH has it. */
  readonly hash: string;
  /** A file, or `pkcs11:…`. */
  readonly key: string;
  readonly certificate: string;
  /** A program to call as `PROGRAM HASH KEY CERTIFICATE FILE`; undefined: plugd signs. */
  readonly program: string | undefined;
  /** The passphrase of the key. */
  readonly passphrase: string | undefined;
}

/** A signer with these parts. Keys are read when the first module is signed, and each fault is that module's. */
export function makeSigner(parts: SignerParts): Signer {
  const { key, certificate, program } = parts;
  return {
    places: { key, certificate },
    sign: program === undefined ? ownSigner(parts) : programSigner(program, parts),
  };
}

function programSigner(program: string, { hash, key, certificate }: SignerParts): Signer['sign'] {
  return async (file) => {
    const { status, output, complaint } = await runProgram([program, hash, key, certificate, file]);
    return status === 0 ? { kind: 'signed' } : { kind: 'failed', output: output + complaint };
  };
}

function ownSigner(parts: SignerParts): Signer['sign'] {
  return async (file): Promise<SignResult> => {
    const hash = signatureHash(parts.hash);
    if (hash === undefined) return { kind: 'failed', output: `plugd cannot sign with the hash ${parts.hash}\n` };
    const signing = readSigningKey(parts);
    if (signing.kind === 'no-key') return { kind: 'failed', output: `${signing.why}\n` };
    const half = `${file}.~signed~`;
    try {
      const image = signModule(readFileSync(file), { key: signing.key, certificate: signing.certificate.der, hash });
      writeFileSync(half, image, { flag: 'wx' });
      chmodSync(half, statSync(file).mode & 0o7777);
      renameSync(half, file);
      return { kind: 'signed' };
    } catch (error) {
      rmSync(half, { force: true });
      return { kind: 'failed', output: `${reason(error)}\n` };
    }
  };
}
