/** The files that make up one dkms.conf: the package's own, and the administrator's overrides. Reads only. */
import { ERRNO } from '../../base/errno.ts';
import { lookInRoot } from '../../base/root.ts';
import { readRegularFile } from '../../facts/regular-file.ts';
import type { ConfError } from '../../records/dkms/conf-message.ts';
import type { ConfRequest } from './conf-request.ts';

/** A file of configuration and its text, latin1. */
export interface ConfFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The files in the order in which they count, and the overrides that were left out because they cannot be read; `bad` when a file that
 * must be read cannot be.
 */
export type ConfFiles =
  | {
      readonly kind: 'files';
      readonly files: readonly [ConfFile, ...ConfFile[]];
      readonly unread: readonly ConfError[];
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'bad'; readonly error: ConfError };

/** The largest of Debian's packages has 6 KB. */
const MOST_BYTES = 1 << 20;

/**
 * Reads them all: each is a regular file of at most 1 MiB, so that no pipe and no disk image is handed to the shell. What is built must
 * be what the administrator wants, so a strict reading needs each override; to show a state, those that the user may read will do.
 */
export function readConfFiles(request: ConfRequest): ConfFiles {
  const own = readConfFile(request.file);
  if (own.kind !== 'file') return own;
  const files: [ConfFile, ...ConfFile[]] = [own.file];
  const unread: ConfError[] = [];
  for (const path of overridePaths(request).filter(mayBeThere)) {
    const found = readConfFile(path);
    if (found.kind === 'bad' && request.strict) return found;
    if (found.kind === 'bad') unread.push(found.error);
    if (found.kind === 'file') files.push(found.file);
  }
  return { kind: 'files', files, unread };
}

/** Most overrides do not exist, and to open a file in vain costs more than to look. */
function mayBeThere(path: string): boolean {
  return lookInRoot('', path) !== -ERRNO.ENOENT;
}

/** One file; `missing` when it is not there. */
export function readConfFile(
  path: string,
): { readonly kind: 'file'; readonly file: ConfFile } | Exclude<ConfFiles, { readonly kind: 'files' }> {
  const read = readRegularFile('', path, MOST_BYTES);
  if (read.kind === 'absent') return { kind: 'missing' };
  if (read.kind === 'fault') return { kind: 'bad', error: { kind: 'unreadable', file: path, why: read.why } };
  return { kind: 'file', file: { path, text: read.bytes.toString('latin1') } };
}

/**
 * Where overrides may be, the last one winning: `/etc/dkms/NAME.conf`, `NAME-VERSION.conf`, with `-KERNEL`, with `-KERNEL-ARCH`, and
 * `NAME--KERNEL.conf`, `NAME--KERNEL-ARCH.conf`. None while the name is not known, and none for a name that is a path.
 */
export function overridePaths({ etc, kernel, module, version }: ConfRequest): readonly string[] {
  const words = [module, version, kernel.release, kernel.arch];
  if (module === '' || words.some((word) => /[/\n\0]/.test(word))) return [];
  const { arch, release } = kernel;
  return [
    module,
    `${module}-${version}`,
    `${module}-${version}-${release}`,
    `${module}-${version}-${release}-${arch}`,
    `${module}--${release}`,
    `${module}--${release}-${arch}`,
  ].map((name) => `${etc}/${name}.conf`);
}
