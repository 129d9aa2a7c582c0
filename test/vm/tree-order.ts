/** What depends on what among some loaded modules, by modules.dep: for the bare inserter, which gets it for nothing. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DebianTree } from '../fixtures/debian.ts';

function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');
}

/**
 * The inserter's list: a line a module, those it needs before it: the path in the machine, then the line numbers (from 0) of
 * what it needs.
 *
 *     /lib/modules/6.1.0-56-amd64/kernel/drivers/virtio/virtio_ring.ko 3
 */
export function insertionList(tree: DebianTree, modules: readonly string[]): string {
  const folder = join('/lib/modules', tree.kernel);
  const wanted = new Set(modules);
  const needs = new Map<string, { path: string; needs: string[] }>();
  for (const line of readFileSync(join(tree.root, folder, 'modules.dep'), 'latin1').split('\n')) {
    const [path = '', rest = ''] = line.split(':');
    if (path !== '' && wanted.has(moduleName(path))) {
      needs.set(moduleName(path), {
        path,
        needs: rest
          .split(' ')
          .filter((word) => word !== '')

          .map(moduleName),
      });
    }
  }
  const numbers = new Map<string, number>();
  const lines: string[] = [];
  const place = (module: string) => {
    const entry = needs.get(module);
    if (entry === undefined || numbers.has(module)) return;
    // modules.dep names every module that is needed, directly or not, so there is no cycle to fear.
    for (const needed of entry.needs) place(needed);
    numbers.set(module, lines.length);
    const edges = entry.needs.flatMap((needed) => numbers.get(needed) ?? []);
    lines.push([join(folder, entry.path), ...edges].join(' '));
  };
  for (const module of modules) place(module);
  return `${lines.join('\n')}\n`;
}
