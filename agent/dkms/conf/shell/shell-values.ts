/** Shell variables as a dkms.conf leaves them: arrays with gaps, a scalar being element 0. Pure. */

/** Name to index to value: `BUILT_MODULE_NAME` → 0 → `v4l2loopback`. What is not assigned has no entry; '' may be assigned. */
export type ShellValues = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** Which patterns fit: `MAKE_MATCH` → 1 → true. An element that is no valid pattern fits nothing. */
export type ShellMatches = ReadonlyMap<string, ReadonlyMap<number, boolean>>;

/** Element `index` of a variable; '' when it has none, as the shell has it. */
export function valueOf(values: ShellValues, name: string, index = 0): string {
  return values.get(name)?.get(index) ?? '';
}

/** The elements in order of their indexes, empty ones left out: `[[0, 'a.patch'], [2, 'c.patch']]`. */
export function elementsOf(values: ShellValues, name: string): ReadonlyArray<readonly [number, string]> {
  return [...(values.get(name) ?? [])].filter(([, value]) => value !== '').toSorted(([a], [b]) => a - b);
}

/** Assigns one element, as `NAME[index]=value` does. */
export function assign<T>(values: Map<string, Map<number, T>>, name: string, index: number, value: T): void {
  const elements = values.get(name);
  if (elements === undefined) values.set(name, new Map([[index, value]]));
  else elements.set(index, value);
}
