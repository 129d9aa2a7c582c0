/** `plugd verify`: verifies the signatures of modules. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { fromMachineText } from '../../base/machine-text.ts';
import { moduleNameFromPath } from '../../base/names.ts';
import type { SignatureRow } from '../../explain/signatures/signature-row.ts';
import type { KnownCertificate } from '../../trust/known-certificates.ts';
import { EXIT, hostOf, OPTION, parse, type Command, type Option } from '../command.ts';
import { print, printJson, telling, terminalAt } from '../output.ts';

const ALL: Option = { long: 'all', short: 'a', help: 'verify all modules of the tree' };
const KERNEL: Option = { ...OPTION.kernel, short: 'k' };
const CERTIFICATE: Option = {
  long: 'cert',
  value: 'FILE',
  multiple: true,
  help: 'verify with this certificate (DER or PEM) and no other',
};
/** Files that are decompressed at a time. */
const AT_A_TIME = 4;

/** `plugd verify`. */
export const command: Command = {
  name: 'verify',
  usage: '[OPTION…] MODULE… | --all',
  options: [
    ALL,
    CERTIFICATE,
    OPTION.root,
    KERNEL,
    OPTION.sysfs,
    OPTION.proc,
    OPTION.json,
    OPTION.verbose,
    OPTION.quiet,
  ],
  notes: `
A MODULE is a file, or the name of a module of the tree. Certificates come from
the firmware's variables, shim's list of keys, DKMS's files and the image of
the kernel, unless --cert names others.
Exit status: 0 all signatures are valid and their keys are trusted (with --cert:
all are valid); 1 some are not.`,
  async run(args) {
    const parsed = parse(command, args);
    const all = parsed.has(ALL);
    if (all === parsed.words.length > 0)
      throw new PlugdError('usage', all ? 'either --all or modules, not both' : 'no module given', {
        remedy: 'see plugd verify --help',
      });
    const host = hostOf(parsed, true);
    const named = parsed.values(CERTIFICATE).map(await certificateReader());
    const paths = all || parsed.words.some((word) => !isPath(word)) ? await treePaths(host) : [];
    const files = all ? paths : parsed.words.map((word) => (isPath(word) ? word : ofTree(host, paths, word)));
    const rows = await verifyAll(host, files, named, all);
    const { isGood, signerRows } = await import('../../explain/signatures/signature-row.ts');
    if (parsed.has(OPTION.json)) {
      const root = host.root === '' ? '/' : host.root;
      printJson({ kernel: host.kernel, root, signers: signerRows(rows), modules: rows }, 1);
    } else if (!parsed.has(OPTION.quiet)) {
      const { signatureText, verificationText } = await import('../../report/trust/verification-text.ts');
      const terminal = terminalAt(1);
      print(
        all
          ? verificationText(rows, terminal, parsed.has(OPTION.verbose))
          : rows.map((row) => signatureText(row, terminal)).join(''),
      );
    }
    return rows.every((row) => isGood(row, named.length > 0)) ? EXIT.done : EXIT.negative;
  },
};

/** Errors of the reader: `unreadable` for a file that holds none. */
async function certificateReader(): Promise<(path: string) => KnownCertificate> {
  const { readCertificate } = await import('../../trust/signing-key.ts');
  return (path) => {
    const read = readCertificate('', path);
    if (read.kind === 'no-key') throw new PlugdError('unreadable', read.why);
    return { source: 'file', place: path, certificate: read };
  };
}

async function verifyAll(
  host: Host,
  files: readonly string[],
  named: readonly KnownCertificate[],
  inTree: boolean,
): Promise<readonly SignatureRow[]> {
  const { Verification } = await import('../../trust/verification.ts');
  const { readTrustFacts } = await import('../../explain/signatures/trust-facts.ts');
  const { signatureRow } = await import('../../explain/signatures/signature-row.ts');
  const verification = new Verification(host, readTrustFacts(host), named);
  const rows: SignatureRow[] = [];
  const prefix = `${host.moduleDir}/`;
  let next = 0;
  const tell = telling();
  const work = async () => {
    for (let at = next++; at < files.length; at = next++) {
      const path = files[at] ?? '';
      tell('modules', at, files.length);
      const row = signatureRow(await verification.verify(path));
      rows[at] = inTree && path.startsWith(prefix) ? { ...row, path: path.slice(prefix.length) } : row;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return rows;
}

/** The files of the tree that depmod would list, sorted; ordinary paths. Errors: `no-modules-directory`. */
async function treePaths(host: Host): Promise<readonly string[]> {
  const { findModules } = await import('../../depmod/module-search.ts');
  const found = findModules(host, () => undefined).map(({ path }) => fromMachineText(path));
  if (found.length === 0)
    throw new PlugdError('no-modules-directory', `no modules in ${host.moduleDir}`, {
      remedy: 'name a kernel with -k',
    });
  return found.toSorted();
}

function isPath(word: string): boolean {
  return word.includes('/') || /\.ko(\.\w+)?$/.test(word);
}

function ofTree(host: Host, paths: readonly string[], name: string): string {
  const wanted = name.replaceAll('-', '_');
  const found = paths.find((path) => moduleNameFromPath(path) === wanted);
  if (found !== undefined) return found;
  throw new PlugdError('not-found', `no module ${name} in ${host.moduleDir}`);
}
