/** dkms.conf, evaluated for one kernel: what the values of its variables mean. Strings are ordinary text. Pure. */
import type { ConfError, DeprecatedDirective } from '../../records/dkms/conf-message.ts';
import { isSafeName } from '../tree/safe-name.ts';
import { chosenMake, chosenPatches } from './conf-choice.ts';
import { directivesOf } from './conf-directives.ts';
import { duplicatesOf, readModules, type ConfModule } from './conf-modules.ts';
import type { ConfRequest } from './conf-request.ts';
import { hasExclusives, type Exclusion, type ExclusionFacts } from './exclusion.ts';
import { assign, elementsOf, valueOf, type ShellValues } from './shell/shell-values.ts';

/** One evaluated dkms.conf. */
export interface DkmsConf {
  readonly file: string;
  readonly packageName: string;
  readonly packageVersion: string;
  /** One for each record, in order; those that are not for this kernel have an `exclusion`. */
  readonly modules: readonly ConfModule[];
  /** Why nothing of the package is for this kernel (status 77); undefined when something is. */
  readonly exclusion: Exclusion | undefined;
  /** The command to run, as written or the default, for bash to evaluate. */
  readonly make: string;
  /** The patches for this kernel, in order; files of `patches/`. */
  readonly patches: readonly string[];
  /** Programs with their arguments; undefined when not set. */
  readonly preBuild: string | undefined;
  readonly postBuild: string | undefined;
  readonly postAdd: string | undefined;
  readonly preInstall: string | undefined;
  readonly postInstall: string | undefined;
  readonly postRemove: string | undefined;
  /** Names of packages that must be installed for the kernel before. */
  readonly buildDepends: readonly string[];
  readonly buildDependsRebuild: boolean;
  readonly autoinstall: boolean;
  readonly noWeakModules: boolean;
  /** `6.2` or `6.2-10`: not to be installed for that kernel and later ones. */
  readonly obsoleteBy: string | undefined;
  /** Whether builds are walled in; undefined leaves it to the run. */
  readonly sandbox: boolean | undefined;
  /** Some BUILD_EXCLUSIVE directive is set, whether it fits or not. */
  readonly hasExclusives: boolean;
  readonly deprecated: readonly DeprecatedDirective[];
}

/** What the values of a dkms.conf mean, and what is wrong with them. */
export interface Evaluation {
  readonly conf: DkmsConf;
  readonly errors: readonly ConfError[];
}

/** The meaning of values. The errors come in dkms's order: names, records, flags; duplicates where there are no others. */
export function evaluateConf(request: ConfRequest, read: ExclusionFacts): Evaluation {
  const { file, kernel, module, trees, version } = request;
  const values = withObsoleteBy(read.values);
  const { matches } = read;
  const text = (name: string) => valueOf(values, name) || undefined;
  const packageName = valueOf(values, 'PACKAGE_NAME');
  const packageVersion = valueOf(values, 'PACKAGE_VERSION');
  const { modules, errors } = readModules({ ...read, values });
  const builtFor = modules.some(({ exclusion }) => exclusion === undefined);
  const home = `${trees.dkmsTree}/${module || packageName}/${version || packageVersion}`;
  const conf: DkmsConf = {
    file,
    packageName,
    packageVersion,
    modules,
    exclusion: builtFor ? undefined : modules[0]?.exclusion,
    make: chosenMake(values, matches) ?? `make -C ${kernel.sourceDir} M=${home}/build`,
    patches: chosenPatches(values, matches),
    preBuild: text('PRE_BUILD'),
    postBuild: text('POST_BUILD'),
    postAdd: text('POST_ADD'),
    preInstall: text('PRE_INSTALL'),
    postInstall: text('POST_INSTALL'),
    postRemove: text('POST_REMOVE'),
    buildDepends: elementsOf(values, 'BUILD_DEPENDS').map(([, name]) => name),
    buildDependsRebuild: isYes(values, 'BUILD_DEPENDS_REBUILD'),
    autoinstall: isYes(values, 'AUTOINSTALL'),
    noWeakModules: isYes(values, 'NO_WEAK_MODULES'),
    obsoleteBy: text('OBSOLETE_BY'),
    sandbox: text('BUILD_SANDBOX') === undefined ? undefined : isYes(values, 'BUILD_SANDBOX'),
    hasExclusives: hasExclusives(values),
    deprecated: request.strict ? deprecatedIn(read.values, file) : [],
  };
  const faults = [...nameFaults(values), ...errors, ...flagFaults(values)];
  return { conf, errors: faults.length === 0 && request.strict ? duplicatesOf(modules) : faults };
}

/** OBSOLETE_BY is the highest kernel where nothing else says which that is. */
function withObsoleteBy(values: ShellValues): ShellValues {
  const obsoleteBy = valueOf(values, 'OBSOLETE_BY');
  if (obsoleteBy === '' || elementsOf(values, 'BUILD_EXCLUSIVE_KERNEL_MAX').length > 0) return values;
  const changed = new Map([...values].map(([name, elements]) => [name, new Map(elements)]));
  assign(changed, 'BUILD_EXCLUSIVE_KERNEL_MAX', 0, obsoleteBy);
  return changed;
}

function isYes(values: ShellValues, name: string): boolean {
  return valueOf(values, name).toLowerCase() === 'yes';
}

function nameFaults(values: ShellValues): readonly ConfError[] {
  return directivesOf('name').flatMap((directive): readonly ConfError[] => {
    const value = valueOf(values, directive);
    if (value === '') return [{ kind: 'no-directive', directive }];
    return isSafeName(value) ? [] : [{ kind: 'unsafe-name', directive, value }];
  });
}

function flagFaults(values: ShellValues): readonly ConfError[] {
  return directivesOf('flag').flatMap((directive): readonly ConfError[] => {
    const value = valueOf(values, directive);
    return ['', 'yes', 'no'].includes(value.toLowerCase()) ? [] : [{ kind: 'unsupported-value', directive, value }];
  });
}

function deprecatedIn(values: ShellValues, file: string): readonly DeprecatedDirective[] {
  const gone = directivesOf('gone')
    .filter((name) => elementsOf(values, name).length > 0)
    // Debian's packages were told to write CLEAN=true.
    .filter((name) => name !== 'CLEAN' || !/^(\/(usr\/)?bin\/)?true$/.test(valueOf(values, name)))
    .map((directive) => ({ directive, file }));
  const instead = { directive: 'OBSOLETE_BY', file, instead: 'BUILD_EXCLUSIVE_KERNEL_MAX' };
  return valueOf(values, 'OBSOLETE_BY') === '' ? gone : [...gone, instead];
}
