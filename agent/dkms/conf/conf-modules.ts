/** The modules that a dkms.conf describes, one for each record. Pure. */
import type { ConfError } from '../../records/dkms/conf-message.ts';
import { directivesOf } from './conf-directives.ts';
import { exclusionOf, type Exclusion, type ExclusionFacts } from './exclusion.ts';
import { valueOf, type ShellValues } from './shell/shell-values.ts';

/** One record of a dkms.conf. */
export interface ConfModule {
  /** `v4l2loopback`, without a suffix. */
  readonly name: string;
  /** The folder below the build directory; '' or ends in '/'. */
  readonly location: string;
  /** The name under which it is installed; mostly `name`. */
  readonly destName: string;
  /** `/updates/dkms` as written; the distribution may put another in its place. */
  readonly destLocation: string;
  /** Whether debug information is stripped. */
  readonly strip: boolean;
  /** Why it is not built for this kernel; undefined when it is. */
  readonly exclusion: Exclusion | undefined;
}

/** More than any package has by far (dahdi: 32, lttng: 46); an index of ten digits would ask for as many complaints. */
export const MOST_RECORDS = 1000;

const SUFFIX = /\.k?o$/;

/** The modules, gaps included, and what is wrong with them, record by record. */
export function readModules(facts: ExclusionFacts): {
  readonly modules: readonly ConfModule[];
  readonly errors: readonly ConfError[];
} {
  const { values } = facts;
  const count = recordCount(values);
  if (count > MOST_RECORDS) return { modules: [], errors: [{ kind: 'too-many-records', most: MOST_RECORDS }] };
  const errors: ConfError[] = [];
  // The first element is at the same time the package's.
  const everywhere = exclusionOf(facts, 0);
  const modules = Array.from({ length: count }, (_, record): ConfModule => {
    const only = count === 1 ? valueOf(values, 'PACKAGE_NAME') : '';
    const name = valueOf(values, 'BUILT_MODULE_NAME', record) || only;
    const destLocation = valueOf(values, 'DEST_MODULE_LOCATION', record);
    const location = valueOf(values, 'BUILT_MODULE_LOCATION', record);
    const module: ConfModule = {
      name,
      location: location === '' || location.endsWith('/') ? location : `${location}/`,
      destName: valueOf(values, 'DEST_MODULE_NAME', record) || name,
      destLocation,
      strip: !/^n/i.test(valueOf(values, 'STRIP', record) || valueOf(values, 'STRIP')),
      exclusion: everywhere ?? exclusionOf(facts, record),
    };
    errors.push(...faultsOf(module, record));
    return module;
  });
  return { modules, errors };
}

/** Modules that have one name: built in one folder, or installed. Such a package can be removed, but not built. */
export function duplicatesOf(modules: readonly ConfModule[]): readonly ConfError[] {
  return [
    ...repeated(
      'BUILT_MODULE_NAME',
      modules.map(({ location, name }) => `${location}${name}`),
    ),
    ...repeated(
      'DEST_MODULE_NAME',
      modules.map(({ destName }) => destName),
    ),
  ];
}

function repeated(directive: string, names: readonly string[]): readonly ConfError[] {
  return names.flatMap((module, record): readonly ConfError[] =>
    names.indexOf(module) < record ? [{ kind: 'duplicate', directive, record, module }] : [],
  );
}

function recordCount(values: ShellValues): number {
  const indexes = directivesOf('record').flatMap((name) => [...(values.get(name)?.keys() ?? [])]);
  return indexes.reduce((most, index) => Math.max(most, index + 1), 0);
}

function faultsOf({ name, location, destName, destLocation }: ConfModule, record: number): readonly ConfError[] {
  const errors: ConfError[] = [];
  if (name === '') errors.push({ kind: 'no-record-directive', directive: 'BUILT_MODULE_NAME', record });
  if (SUFFIX.test(name)) errors.push({ kind: 'suffix', directive: 'BUILT_MODULE_NAME', record });
  if (SUFFIX.test(destName)) errors.push({ kind: 'suffix', directive: 'DEST_MODULE_NAME', record });
  if (name.includes('/')) errors.push({ kind: 'unsafe-name', directive: 'BUILT_MODULE_NAME', value: name });
  if (destName !== name && destName.includes('/'))
    errors.push({ kind: 'unsafe-name', directive: 'DEST_MODULE_NAME', value: destName });
  if (leavesFolder(location)) errors.push({ kind: 'unsafe-name', directive: 'BUILT_MODULE_LOCATION', value: location });
  if (destLocation.split('/').includes('..'))
    errors.push({ kind: 'unsafe-name', directive: 'DEST_MODULE_LOCATION', value: destLocation });
  if (destLocation === '') errors.push({ kind: 'no-record-directive', directive: 'DEST_MODULE_LOCATION', record });
  else if (!/^\/(kernel|updates|extra)/.test(destLocation)) errors.push({ kind: 'destination', record });
  return errors;
}

/** Whether a path's `..` leads out of the folder in which it begins: `a/../../b/` does, `a/../b/` does not. */
function leavesFolder(path: string): boolean {
  let depth = 0;
  return path.split('/').some((part) => {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    return depth < 0;
  });
}

/** The modules of a package that are for this kernel. */
export function includedModules({ modules }: { readonly modules: readonly ConfModule[] }): readonly ConfModule[] {
  return modules.filter(({ exclusion }) => exclusion === undefined);
}
