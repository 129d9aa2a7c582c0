/** The module files of a kernel's tree by name, and how they are compressed. One walk answers for all modules of a run. Reads only. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { fromMachineText, toMachineText } from '../../base/machine-text.ts';
import { COMPRESSION_SUFFIXES, FILE_SUFFIXES, type ModuleSuffix } from '../../facts/modfiles/compression.ts';
import { walkModules } from '../../facts/trees/tree-walk.ts';

/** dkms looks for compressed modules in the order of these names, and the last that it finds decides. */
const SUFFIXES = COMPRESSION_SUFFIXES.toSorted();

/** The modules of a tree. */
export interface ModuleCopies {
  /** The suffix that new modules get: that of the tree's own. */
  readonly suffix: ModuleSuffix;
  /** The files of a module, `v4l2loopback`, compressed or not, in ascending order of their paths; empty when there is none. */
  named(name: string): readonly string[];
}

/** Reads the names of a tree, `/lib/modules/6.1.0-56-amd64`; a tree that is missing has no modules. */
export function readModuleCopies(tree: string): ModuleCopies {
  const files = new Map<string, string[]>();
  const suffixes = new Set<string>();
  walkModules(toMachineText(tree), {
    root: '',
    file: (path, name) => {
      const at = name.lastIndexOf('.ko');
      const module = fromMachineText(name.slice(0, at));
      suffixes.add(name.slice(at + '.ko'.length));
      const known = files.get(module);
      if (known === undefined) files.set(module, [fromMachineText(path)]);
      else known.push(fromMachineText(path));
      return false;
    },
    fault: () => undefined,
  });
  return {
    suffix: SUFFIXES.findLast((suffix) => suffixes.has(suffix)) ?? '',
    named: (name) => files.get(name) ?? [],
  };
}

/** The file of a built or installed module in a folder, compressed or not; undefined when none is there. */
export function moduleFileIn(folder: string, name: string): string | undefined {
  return FILE_SUFFIXES.map((suffix) => `${folder}/${name}.ko${suffix}`).find((path) => existsSync(path));
}

/** Read at a time: some packages have modules of 50 MB. */
const MOST_PIECE = 1 << 16;

/** Whether two files have the same contents; false when one of them cannot be read. */
export function haveSameBytes(one: string, other: string): boolean {
  try {
    return withFile(one, (a) => withFile(other, (b) => isSame(a, b)));
  } catch {
    return false;
  }
}

function isSame(one: number, other: number): boolean {
  const { size } = fstatSync(one);
  if (fstatSync(other).size !== size) return false;
  const pieces = [0, 1].map(() => Buffer.allocUnsafe(Math.min(size + 1, MOST_PIECE))) as [Buffer, Buffer];
  for (;;) {
    const [ours, theirs] = [filled(one, pieces[0]), filled(other, pieces[1])];
    if (!ours.equals(theirs)) return false;
    if (ours.length < pieces[0].length) return true;
  }
}

/** What there is to read, up to a whole buffer: less only at the end of the file. */
function filled(fd: number, buffer: Buffer): Buffer {
  let end = 0;
  for (let got = -1; got !== 0 && end < buffer.length; end += got)
    got = readSync(fd, buffer, end, buffer.length - end, null);
  return buffer.subarray(0, end);
}

function withFile<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
