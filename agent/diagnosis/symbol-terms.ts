/**
 * Whether a module may use the symbols that it needs. A symbol is given to everyone, to GPL-compatible modules, to those that
 * import its namespace, or to those that are named.
 *
 * Source: include/linux/license.h; kernel/module/main.c (resolve_symbol, inherit_taint, verify_namespace_is_imported, and,
 * since Linux 6.16, verify_module_namespace and setup_modinfo).
 */
import type { ModuleName } from '../base/names.ts';
import type { ExportTerms } from '../facts/modfiles/export-terms.ts';
import type { WithheldSymbol } from './evidence.ts';

/** license_is_gpl_compatible: compared as a whole. */
const GPL_COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);
/** What a namespace begins with that lists the modules it is for: `module:kvm-amd,kvm-*`. */
const FOR_MODULES = 'module:';

/** Whether GPL-only symbols are for a module of this license: `Dual BSD/GPL`; one that names none is proprietary. latin1 */
export function isGplCompatible(license: string | undefined): boolean {
  return license !== undefined && GPL_COMPATIBLE.has(license);
}

/** Whether a module may use symbols of a namespace: `mayUse('module:kvm-*', 'kvm_amd', [])` → true. '' is for everyone. */
export function mayUse(namespace: string, module: ModuleName, imports: readonly string[]): boolean {
  return namespace === '' || imports.includes(namespace) || namesModule(namespace, module);
}

function namesModule(namespace: string, module: ModuleName): boolean {
  if (!namespace.startsWith(FOR_MODULES)) return false;
  const name = plain(module);
  return namespace
    .slice(FOR_MODULES.length)
    .split(',')
    .some((entry) => (entry.endsWith('*') ? name.startsWith(plain(entry.slice(0, -1))) : plain(entry) === name));
}

/** The kernel takes '-' for '_' in names of modules. */
function plain(name: string): string {
  return name.replaceAll('-', '_');
}

/** The module that uses symbols. */
export interface SymbolUser {
  readonly module: ModuleName;
  readonly license: string | undefined;
  /** Its `import_ns` strings. */
  readonly imports: readonly string[];
  /** Of the kernel: `6.16.0-1-amd64`. */
  readonly release: string;
}

/** A symbol that it needs and that something has. */
export interface OfferedSymbol {
  readonly symbol: string;
  readonly weak: boolean;
  /** The module that exports it; undefined for the kernel itself. */
  readonly provider: ModuleName | undefined;
  /** Where its terms stand: the provider's file, or a list of the kernel's symbols. */
  readonly file: string;
  readonly terms: ExportTerms;
  /** The provider is proprietary, itself or by what it uses. */
  readonly proprietary: boolean;
}

/**
 * The symbols that the kernel will not give to a module; empty when it may use all. Offers are in the order of its symbol table,
 * in which the kernel looks them up: a symbol of a proprietary module makes its user proprietary from there on.
 */
export function withheldSymbols(user: SymbolUser, offers: Iterable<OfferedSymbol>): readonly WithheldSymbol[] {
  const withheld: WithheldSymbol[] = importsOfModuleNamespaces(user);
  const license = user.license ?? 'unspecified';
  let proprietary = !isGplCompatible(user.license);
  let inheritedFrom: ModuleName | undefined;
  let usesGplOnly = false;
  for (const { symbol, weak, provider, file, terms, proprietary: fromProprietary } of offers) {
    const common = { symbol, provider, file };
    if (terms.gplOnly === true && proprietary) {
      // One that may be missing is missing then.
      if (!weak) withheld.push({ ...common, kind: 'gpl-only', license, inheritedFrom });
      continue;
    }
    usesGplOnly ||= terms.gplOnly === true;
    if (fromProprietary && usesGplOnly) {
      if (!weak) withheld.push({ ...common, kind: 'proprietary' });
      continue;
    }
    if (fromProprietary && !proprietary) {
      proprietary = true;
      inheritedFrom = provider;
    }
    if (terms.namespace !== undefined && !mayUse(terms.namespace, user.module, user.imports))
      withheld.push({ ...common, kind: 'namespace', namespace: terms.namespace });
  }
  return withheld;
}

/** A namespace that lists modules cannot be imported, since Linux 6.16; before, it was a namespace like any other. */
function importsOfModuleNamespaces({ imports, release }: SymbolUser): WithheldSymbol[] {
  const [major = 0, minor = 0] = release.split('.').map(Number.parseFloat);
  if (!(major > 6 || (major === 6 && minor >= 16))) return [];
  return imports
    .filter((namespace) => namespace.startsWith(FOR_MODULES))
    .map((namespace) => ({ kind: 'module-import', namespace }));
}
