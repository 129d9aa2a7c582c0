/**
 * Runs inside a root (dkms-root.ts): dpkg installs Debian's packages of out-of-tree modules one after the other, installs each a second time
 * as an upgrade does, and purges it; after each step it looks at what there is.
 *
 *     node package-run.js KERNEL FOLDER-OF-DEBS RESULT PACKAGE…
 *
 * The program that answers as dkms is installed already.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What there is after a step. */
export interface State {
  /** dpkg's exit status, and its word for the package: `0 install ok installed`. */
  readonly dpkg: string;
  /** Lines of `dkms status`. */
  readonly status: readonly string[];
  /** Each module below the kernel's updates/: path, and the SHA-256 of its bytes without the signature. */
  readonly modules: Readonly<Record<string, string>>;
  /** The lines of modules.dep about them. */
  readonly depends: readonly string[];
  /** Below the DKMS tree and /usr/src: `NAME/VERSION/source -> /usr/src/NAME-VERSION`. Nothing of logs. */
  readonly tree: readonly string[];
  /** What dpkg and the scripts printed. */
  readonly output: string;
}

/** One package's way. */
export interface PackageRecord {
  readonly name: string;
  readonly installed: State;
  readonly upgraded: State;
  readonly purged: State;
}

const MAGIC = '~Module signature appended~\n';

/** A module's bytes without what sign-file appended. */
export function unsigned(bytes: Buffer): Buffer {
  const end = bytes.length - MAGIC.length;
  if (end < 12 || bytes.toString('latin1', end) !== MAGIC) return bytes;
  return bytes.subarray(0, end - 12 - bytes.readUInt32BE(end - 4));
}

function below(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
}

function observe(name: string, kernel: string, dpkg: readonly string[]): State {
  const ended = spawnSync('dpkg', dpkg, { encoding: 'latin1' });
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'latin1' }).stdout;
  const modules = `/lib/modules/${kernel}`;
  const found = below(join(modules, 'updates')).filter((path) => path.includes('.ko'));
  const index = readFileSync(join(modules, 'modules.dep'), 'latin1').split('\n');
  const tree = '/var/lib/dkms';
  return {
    dpkg: `${ended.status} ${query}`,
    status: execFileSync('dkms', ['status'], { encoding: 'latin1' })
      .split('\n')
      .filter((line) => line !== ''),
    modules: Object.fromEntries(
      found.map((path) => {
        const bytes = unsigned(readFileSync(join(modules, 'updates', path)));
        return [path, createHash('sha256').update(bytes).digest('hex')];
      }),
    ),
    depends: index.filter((line) => line.startsWith('updates/')).toSorted(),
    tree: [
      ...below(tree)
        .filter((path) => !/\/log(\/|$)|\.plugd|^mok\.|^\.|\/build(\/|$)/.test(path))
        .map((path) => {
          const link = lstatSync(join(tree, path)).isSymbolicLink();
          return link ? `${path} -> ${readlinkSync(join(tree, path))}` : path;
        }),
      ...readdirSync('/usr/src')
        .filter((entry) => !entry.startsWith('linux-'))
        .map((entry) => `/usr/src/${entry}`),
    ].toSorted(),
    output: `${ended.stdout}${ended.stderr}`,
  };
}

if (process.argv[1] === import.meta.filename) {
  const [kernel = '', folder = '', result = '', ...packages] = process.argv.slice(2);
  const records: PackageRecord[] = packages.map((name) => {
    const deb = readdirSync(folder).find((file) => file.startsWith(`${name}_`)) ?? '';
    const step = (...words: string[]) => observe(name, kernel, words);
    // What else a package asks for (a daemon, iptables) is nothing to dkms.
    const install = ['--force-depends', '--install', join(folder, deb)];
    return {
      name,
      installed: step(...install),
      upgraded: step(...install),
      purged: step('--force-depends', '--purge', name),
    };
  });
  writeFileSync(result, JSON.stringify(records));
}
