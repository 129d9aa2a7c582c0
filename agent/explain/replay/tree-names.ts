/** Names in a module tree's lists, for those who look for a driver: the buses of each module, and the parts of the kernel that it describes. */
import { moduleName, type ModuleName } from '../../base/names.ts';
import type { Sources } from '../../load/sources.ts';

/**
 * Each module with the buses that its patterns in modules.alias are for: `busesOf(sources).get('nvme')` → the set of `pci`. Empty
 * without such an index.
 */
export function busesOf({ tree }: Sources): ReadonlyMap<string, ReadonlySet<string>> {
  const buses = new Map<string, Set<string>>();
  for (const { key, value } of tree.indexes.aliases?.entries() ?? []) {
    const name = moduleName(value);
    const known = buses.get(name);
    if (known === undefined) buses.set(name, new Set([busOf(key)]));
    else known.add(busOf(key));
  }
  return buses;
}

/** Of a module without patterns. */
export const NO_BUSES: ReadonlySet<string> = new Set();

/** The bus that a MODALIAS or a pattern begins with: `pci:v00008086…` → `pci`. */
export function busOf(alias: string): string {
  const colon = alias.indexOf(':');
  // `acpi*:PNP0C0A:*` and `of:N*T*C…` are patterns.
  return (colon < 0 ? alias : alias.slice(0, colon)).replace(/\*$/, '');
}

/**
 * The names that modules.builtin.modinfo says something about, `bcm2835_power.author=…\0…` → the set of `bcm2835_power`. They are parts of
 * the kernel: what can only be built in is described there, and is not in modules.builtin.
 */
export function describedNames(modinfo: string): ReadonlySet<ModuleName> {
  const names = new Set<ModuleName>();
  for (const [, name] of modinfo.matchAll(/(?:^|\0)([^.=\0]+)\./g)) if (name !== undefined) names.add(moduleName(name));
  return names;
}
