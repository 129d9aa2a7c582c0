/** Names of drivers and modules, compared: `snbep_uncore` is in `intel_uncore`, `Micrel KSZ9031 Gigabit PHY` in `micrel`. */

/** Parts that many names have, and that say nothing. */
const COMMON = new Set([
  'driver',
  'pci',
  'usb',
  'i2c',
  'spi',
  'acpi',
  'platform',
  'core',
  'intel',
  'snd',
  'soc',
  'phy',
  'dev',
]);
const SHORTEST = 3;

function parts(name: string): readonly string[] {
  return name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part.length >= SHORTEST);
}

/** How much of its parts a module's name shares with a driver's: 0 nothing that tells, 1 all. */
export function likeness(module: string, driver: string): number {
  const wanted = parts(driver);
  const had = parts(module);
  const shared = had.filter((part) => wanted.includes(part));
  if (!shared.some((part) => !COMMON.has(part))) return 0;
  return (2 * shared.length) / (wanted.length + had.length);
}

/** At most this many modules are looked into for a driver. */
const MOST_ALIKE = 10;

/** For each list of module names: where each distinctive part of a name occurs. */
const indexes = new WeakMap<readonly string[], ReadonlyMap<string, readonly number[]>>();

function placesByPart(modules: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const known = indexes.get(modules);
  if (known !== undefined) return known;
  const places = new Map<string, number[]>();
  for (const [place, module] of modules.entries()) {
    for (const part of parts(module)) {
      if (COMMON.has(part)) continue;
      const list = places.get(part);
      if (list === undefined) places.set(part, [place]);
      else if (list.at(-1) !== place) list.push(place);
    }
  }
  indexes.set(modules, places);
  return places;
}

/** The modules whose names are like a driver's, the likest first, at most ten: `likest(['intel_uncore', 'loop'], 'snbep_uncore')`. */
export function likest<Name extends string>(modules: readonly Name[], driver: string): readonly Name[] {
  const places = placesByPart(modules);
  const sharing = new Set(parts(driver).flatMap((part) => places.get(part) ?? []));
  return [...sharing]
    .toSorted((a, b) => a - b)
    .flatMap((place) => modules[place] ?? [])
    .map((module) => ({ module, like: likeness(module, driver) }))
    .toSorted((a, b) => b.like - a.like)
    .slice(0, MOST_ALIKE)
    .map(({ module }) => module);
}

/** Whether two names may be of one driver: one's parts are in the other, or they share a part that tells. */
export function resembles(module: string, driver: string): boolean {
  const [a, b] = [module, driver].map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
  if (a === undefined || b === undefined || a === '' || b === '') return false;
  return a.includes(b) || b.includes(a) || likeness(module, driver) > 0;
}

/** Whether two names have the same parts but for those that say nothing: `acpi-button` and `button`. */
export function isSameName(module: string, driver: string): boolean {
  const [a, b] = [module, driver].map((name) =>
    parts(name)
      .filter((part) => !COMMON.has(part))
      .toSorted()
      .join(' '),
  );
  return a !== '' && a === b;
}
