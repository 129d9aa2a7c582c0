/**
 * The files of a module directory (`/lib/modules/6.1.0-56-amd64`) that list its modules: depmod's indexes and text files, and those
 * of the kernel's build. Reads only; indexes/ and match/ interpret them.
 *
 *     modules.dep.bin  modules.alias.bin  modules.symbols.bin  modules.builtin.bin  modules.builtin.alias.bin
 *     modules.dep      modules.alias      modules.symbols      modules.builtin      modules.builtin.modinfo
 *
 * Files are opened on demand, each read once and whole. depmod renames new ones into place, so an open file never changes.
 */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { statInRoot } from '../../base/root.ts';
import { readRegularFile } from '../regular-file.ts';

/** An index's name, without `.bin`. */
export type IndexName =
  | 'modules.dep'
  | 'modules.alias'
  | 'modules.symbols'
  | 'modules.builtin'
  | 'modules.builtin.alias';

/** The text file that holds the same facts as an index. */
export const TEXT_OF: Readonly<Record<IndexName, TextName>> = {
  'modules.dep': 'modules.dep',
  'modules.alias': 'modules.alias',
  'modules.symbols': 'modules.symbols',
  'modules.builtin': 'modules.builtin',
  'modules.builtin.alias': 'modules.builtin.modinfo',
};

/** A text file of the directory. */
export type TextName =
  | 'modules.dep'
  | 'modules.alias'
  | 'modules.symbols'
  | 'modules.builtin'
  | 'modules.builtin.modinfo'
  | 'modules.order'
  | 'modules.devname'
  | 'modules.softdep'
  | 'modules.weakdep';

/** Every file that influences answers. */
const WATCHED: readonly string[] = [
  ...(Object.keys(TEXT_OF) as IndexName[]).map((name) => `${name}.bin`),
  ...new Set(Object.values(TEXT_OF)),
];

/** The files of one module directory. */
export interface ModuleTreeFiles {
  /** `/lib/modules/6.1.0-56-amd64` */
  readonly dir: string;
  /** The bytes of `NAME.bin`; undefined when there is no such file. Errors: `unreadable`. */
  readIndex(name: IndexName): Buffer | undefined;
  /** A text file, latin1; undefined when there is no such file. Errors: `unreadable`. */
  readText(name: TextName): string | undefined;
  /**
   * A text that differs as soon as a file is replaced, changed, removed or added: one `name inode size mtime` per line (mtime in
   * ns). Equal texts mean that answers from this directory are still right.
   */
  generation(): string;
}

/** The files of the host's module directory; undefined when it is missing or not a directory. */
export function readModuleTree({
  root,
  moduleDir: dir,
}: Pick<Host, 'root' | 'moduleDir'>): ModuleTreeFiles | undefined {
  if (!(statInRoot(root, dir)?.isDirectory() ?? false)) return undefined;
  return {
    dir,
    readIndex: (name) => readIfThere(root, `${dir}/${name}.bin`),
    readText: (name) => readIfThere(root, `${dir}/${name}`)?.toString('latin1'),
    generation: () => WATCHED.map((name) => `${name} ${stamp(root, `${dir}/${name}`)}`).join('\n'),
  };
}

function stamp(root: string, file: string): string {
  const stat = statInRoot(root, file);
  return stat === undefined ? '-' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function readIfThere(root: string, file: string): Buffer | undefined {
  const read = readRegularFile(root, file);
  if (read.kind === 'bytes') return read.bytes;
  if (read.kind === 'absent') return undefined;
  throw new PlugdError('unreadable', read.why, { file });
}
