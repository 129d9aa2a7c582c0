/** The files of a closure with their contents: what an archive or a folder gets. Writes only below the folder that is named. */
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { PlugdError, reason } from '../base/error.ts';
import type { Host } from '../base/host.ts';
import { toMachineText } from '../base/machine-text.ts';
import { moduleNameFromPath } from '../base/names.ts';
import { resolveInRoot } from '../base/root.ts';
import { holdDirectory } from '../depmod/held-directory.ts';
import { indexFiles, readTree } from '../depmod/index-build.ts';
import type { TreeModule } from '../depmod/tree-module.ts';
import { readRegularFile } from '../facts/regular-file.ts';
import type { Closure } from '../records/closure.ts';
import type { ArchiveEntry } from './cpio-archive.ts';

/** Texts of the kernel's build that modprobe and depmod read. */
const BUILD_TEXTS = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];

/**
 * Every file of a closure, and the module tree's indexes, made for just these modules. Errors: `unreadable` for a file that has gone
 * meanwhile, or modules that need each other in a cycle.
 */
export async function closureEntries(host: Host, closure: Closure): Promise<readonly ArchiveEntry[]> {
  const entries = closure.files.map(({ path, target }): ArchiveEntry => {
    if (target !== undefined) return { path, content: { kind: 'link', target } };
    return { path, content: { kind: 'bytes', read: () => bytesOf(host, `${host.root}${path}`) } };
  });
  const folder = resolveInRoot(host.root, host.moduleDir);
  const tree = typeof folder === 'string' ? folder : host.moduleDir;
  const inside = tree.slice(host.root.length);
  const texts = BUILD_TEXTS.flatMap((name): readonly ArchiveEntry[] => {
    const read = readRegularFile(host.root, `${tree}/${name}`);
    return read.kind === 'bytes'
      ? [{ path: `${inside}/${name}`, content: { kind: 'bytes', read: () => read.bytes } }]
      : [];
  });
  const indexes = [...(await indexesOf(host, tree, closure))].map(([name, bytes]): ArchiveEntry => ({
    path: `${inside}/${name}`,
    content: { kind: 'bytes', read: () => bytes },
  }));
  return [...entries, ...texts, ...indexes];
}

function bytesOf(host: Host, path: string): Buffer {
  const read = readRegularFile(host.root, path);
  if (read.kind === 'bytes') return read.bytes;
  throw new PlugdError('unreadable', read.kind === 'absent' ? 'it has gone' : read.why, { file: path });
}

/** What depmod would say of a tree it says when it is made. */
const say = () => undefined;

async function indexesOf(host: Host, tree: string, { files }: Closure): Promise<ReadonlyMap<string, Buffer>> {
  const moduleDir = toMachineText(tree);
  const modules = files
    .filter(({ kind }) => kind === 'module')
    .map(({ path }): TreeModule => {
      const full = toMachineText(`${host.root}${path}`);
      const listed = full.startsWith(`${moduleDir}/`) ? full.slice(moduleDir.length + 1) : toMachineText(path);
      return { name: moduleNameFromPath(full), path: full, listed };
    });
  const place = { root: host.root, moduleDir };
  const reading = await readTree({ ...place, kernel: host.kernel, modules, say });
  if (reading.kind === 'read') return indexFiles(place, reading.tree, { layout: 'children-first', say });
  const why =
    reading.kind === 'failed'
      ? reading.why
      : `modules need each other: ${reading.cycles.map((cycle) => cycle.join(' → ')).join('; ')}`;
  throw new PlugdError('unreadable', why, { file: host.moduleDir });
}

/**
 * Writes the entries below a folder, which it makes if needed; files of the same names are replaced. No link in the folder leads it out.
 * Errors: `system`, naming the file.
 */
export function copyEntries(folder: string, entries: readonly ArchiveEntry[]): void {
  const top = toMachineText(folder);
  const made = holdDirectory('', top, { create: true });
  if (made.kind !== 'held') throw new PlugdError('system', made.why);
  made.close();
  for (const { path, content } of entries) {
    const slash = path.lastIndexOf('/');
    const held = holdDirectory(top, top + toMachineText(path.slice(0, slash)), { create: true });
    if (held.kind !== 'held') throw new PlugdError('system', held.why);
    try {
      const file = held.at(toMachineText(path.slice(slash + 1)));
      rmSync(file, { force: true });
      if (content.kind === 'link') symlinkSync(content.target, file);
      else {
        writeFileSync(file, content.read(), { flag: 'wx' });
        chmodSync(file, 0o644);
      }
    } catch (error) {
      if (error instanceof PlugdError) throw error;
      throw new PlugdError('system', reason(error), { file: `${folder}${path}`, cause: error });
    } finally {
      held.close();
    }
  }
}
