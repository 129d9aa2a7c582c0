/** The order of a tree's modules, which is their priority. Reads modules.order only. */
import type { Say } from './message.ts';
import { hashOrder, MODULE_BUCKETS } from './superfast-hash.ts';
import type { TreeModule } from './tree-module.ts';
import { readTreeText, type ReadPlace } from './tree-text.ts';

/**
 * The modules in the order of modules.dep, which is their priority in the indexes. First come those that modules.order names. The
 * kernel's build wrote it in the order of linking (`kernel/lib/crc16.ko`, one per line, also for `crc16.ko.xz`). The others,
 * out-of-tree ones for instance, follow in the order of kmod's hash table.
 */
export function orderModules(modules: Iterable<TreeModule>, place: ReadPlace, say: Say): readonly TreeModule[] {
  const hashed = hashOrder([...modules], ({ name }) => name, MODULE_BUCKETS);
  const lines = orderLines(place, say);
  if (lines.length === 0) return hashed;
  const byListed = new Map(hashed.map((module) => [uncompressed(module), module]));
  const ordered = new Set<TreeModule>();
  for (const line of lines) {
    const module = byListed.get(line);
    if (module !== undefined) ordered.add(module);
  }
  return [...ordered, ...hashed.filter((module) => !ordered.has(module))];
}

/** `kernel/lib/crc16.ko.xz` → `kernel/lib/crc16.ko`. */
function uncompressed({ name, listed }: TreeModule): string {
  return listed.slice(0, listed.lastIndexOf('/') + 1 + name.length + '.ko'.length);
}

/** The lines of modules.order; none when it is missing, or does not end in a newline, which means half a file. */
function orderLines({ root, moduleDir }: ReadPlace, say: Say): readonly string[] {
  const read = readTreeText(root, `${moduleDir}/modules.order`);
  if (read.kind !== 'text') {
    say('warning', `could not open modules.order at ${moduleDir}: ${read.why}`);
    return [];
  }
  const lines = read.text.split('\n');
  if (lines.pop() !== '') {
    say('error', `${moduleDir}/modules.order:${lines.length + 1} corrupted line misses '\\n'`);
    return [];
  }
  return lines;
}
