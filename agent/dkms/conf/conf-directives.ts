/** The directives of dkms.conf, one row each. Everything else that a file sets is its own affair. Pure. */

/**
 * How a value is used and checked:
 *
 * - `record`: an array whose highest index says how many modules there are.
 * - `name`: PACKAGE_NAME and PACKAGE_VERSION: needed, and the name of a folder.
 * - `pattern`: an extended regular expression that the shell matches, see PATTERN_SUBJECT.
 * - `flag`: yes or no.
 * - `gone`: has no effect any more; said so to packagers.
 * - `text`: whatever its user makes of it.
 */
export type DirectiveUse = 'record' | 'name' | 'pattern' | 'flag' | 'gone' | 'text';

/** One directive. */
export interface ConfDirective {
  readonly name: string;
  /** Whether elements beyond the first count. */
  readonly array: boolean;
  readonly use: DirectiveUse;
}

function array(name: string, use: DirectiveUse = 'text'): ConfDirective {
  return { name, array: true, use };
}

function scalar(name: string, use: DirectiveUse = 'text'): ConfDirective {
  return { name, array: false, use };
}

/** Every directive. Source: dkms(8), "DKMS.CONF"; BUILD_SANDBOX is plugd's own. */
export const CONF_DIRECTIVES: readonly ConfDirective[] = [
  scalar('PACKAGE_NAME', 'name'),
  scalar('PACKAGE_VERSION', 'name'),
  array('BUILT_MODULE_NAME', 'record'),
  array('BUILT_MODULE_LOCATION', 'record'),
  array('DEST_MODULE_NAME', 'record'),
  array('DEST_MODULE_LOCATION', 'record'),
  array('STRIP'),
  array('MAKE'),
  array('MAKE_MATCH', 'pattern'),
  scalar('CLEAN', 'gone'),
  array('PATCH'),
  array('PATCH_MATCH', 'pattern'),
  scalar('PRE_BUILD'),
  scalar('POST_BUILD'),
  scalar('POST_ADD'),
  scalar('PRE_INSTALL'),
  scalar('POST_INSTALL'),
  scalar('POST_REMOVE'),
  array('BUILD_DEPENDS'),
  array('BUILD_EXCLUSIVE_KERNEL', 'pattern'),
  array('BUILD_EXCLUSIVE_KERNEL_MIN'),
  array('BUILD_EXCLUSIVE_KERNEL_MAX'),
  array('BUILD_EXCLUSIVE_ARCH', 'pattern'),
  array('BUILD_EXCLUSIVE_CONFIG'),
  scalar('AUTOINSTALL', 'flag'),
  scalar('BUILD_DEPENDS_REBUILD', 'flag'),
  scalar('NO_WEAK_MODULES', 'flag'),
  scalar('OBSOLETE_BY'),
  scalar('BUILD_SANDBOX', 'flag'),
  scalar('REMAKE_INITRD', 'gone'),
  array('MODULES_CONF', 'gone'),
  array('MODULES_CONF_OBSOLETES', 'gone'),
  array('MODULES_CONF_ALIAS_TYPE', 'gone'),
  array('MODULES_CONF_OBSOLETE_ONLY', 'gone'),
];

/** The names, in the order of the table. */
export const DIRECTIVE_NAMES: readonly string[] = CONF_DIRECTIVES.map(({ name }) => name);

/** Asked for again and again, for each module and kernel. */
const BY_USE = new Map<DirectiveUse, string[]>();
for (const { name, use } of CONF_DIRECTIVES) BY_USE.set(use, [...(BY_USE.get(use) ?? []), name]);

/** The names of the directives of one use. */
export function directivesOf(use: DirectiveUse): readonly string[] {
  return BY_USE.get(use) ?? [];
}

/** The variable whose value a pattern is matched against: `BUILD_EXCLUSIVE_ARCH` → `arch`. */
export function patternSubject(name: string): 'arch' | 'kernelver' {
  return name === 'BUILD_EXCLUSIVE_ARCH' ? 'arch' : 'kernelver';
}
