/** Refusals because of symbols that are there, and not for this module. */
import type { ModuleName } from '../base/names.ts';
import { quoted } from '../base/words.ts';
import { said, type Explanation, type Facts } from './diagnosis-facts.ts';
import type { ConfigEvidence, FileEvidence, SymbolPlace, WithheldSymbol } from './evidence.ts';

/** How many symbols of one kind are named. */
const MOST = 4;

/** It uses a symbol of a namespace that it does not import, or imports one that is for named modules. */
export function otherNamespace({ image, config, logged }: Facts): Explanation | undefined {
  const line = logged(/does not import it|tries to import module namespace|exported only for module/);
  const withheld = image?.withheldSymbols ?? [];
  const foreign = config?.allowsMissingImports === true ? [] : withheld.filter((each) => each.kind === 'namespace');
  const imported = withheld.filter((each) => each.kind === 'module-import');
  if (foreign.length === 0 && imported.length === 0 && line === undefined) return undefined;
  const namespaces = [...new Set(foreign.map(({ namespace }) => namespace))];
  return {
    evidence: [
      ...some(foreign, (each) => `it uses ${placed(each)}, of namespace ${each.namespace}, which it does not import`),
      ...imported.map(
        ({ namespace }) => `it imports ${quoted(namespace)}: what is for named modules cannot be imported`,
      ),
      ...said(line),
    ],
    remedy: namespaceRemedy(namespaces, imported.length > 0),
  };
}

/**
 * What a kernel built with CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS warns of and lets pass: a sentence for each namespace that the
 * module uses and does not import. Empty for other kernels.
 */
export function toleratedNamespaces(
  module: ModuleName,
  { withheldSymbols = [] }: Extract<FileEvidence, { kind: 'module' }>,
  config: ConfigEvidence | undefined,
): readonly string[] {
  if (config?.allowsMissingImports !== true) return [];
  const foreign = withheldSymbols.filter((each) => each.kind === 'namespace');
  return some(
    foreign,
    (each) =>
      `${module} uses ${placed(each)}, of namespace ${each.namespace}, which it does not import; this kernel only warns of that (CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS in ${config.file})`,
  );
}

function namespaceRemedy(namespaces: readonly string[], imports: boolean): string {
  if (imports) return 'remove that MODULE_IMPORT_NS, and build it again';
  const named = namespaces.filter((namespace) => namespace.startsWith('module:'));
  if (named.length > 0 && named.length === namespaces.length)
    return 'only the modules that the namespace names may use it: install the version that belongs to this kernel';
  const macro = namespaces.map((namespace) => `MODULE_IMPORT_NS(${namespace})`).join(', ');
  return `the module must import the namespace (${macro === '' ? 'MODULE_IMPORT_NS' : macro}); build a version that does`;
}

/** It uses a symbol that is for GPL-compatible modules only, and is none, or does not stay one. */
export function otherLicense({ image, logged }: Facts): Explanation | undefined {
  const line = logged(/GPL-only symbols/);
  const withheld = image?.withheldSymbols ?? [];
  const gplOnly = withheld.filter((each) => each.kind === 'gpl-only');
  const proprietary = withheld.filter((each) => each.kind === 'proprietary');
  const [first] = gplOnly;
  if (first === undefined && proprietary.length === 0 && line === undefined) return undefined;
  const because =
    first === undefined
      ? []
      : first.inheritedFrom === undefined
        ? [`its license is ${quoted(first.license)}, which the kernel does not take for compatible with the GPL`]
        : [`it uses symbols of ${first.inheritedFrom}, which is proprietary, and so counts as proprietary itself`];
  return {
    evidence: [
      ...some(gplOnly, (each) => `it uses ${placed(each)}, which is for GPL-compatible modules only`),
      ...because,
      ...some(proprietary, (each) => `it uses GPL-only symbols, and ${placed(each)}, which is proprietary`),
      ...said(line),
    ],
    remedy: 'install or build a version for this kernel; until then another driver must do',
  };
}

/** The first of them in words, and how many more there are. */
function some<T extends WithheldSymbol>(all: readonly T[], text: (each: T) => string): readonly string[] {
  const more = all.length - MOST;
  return [...all.slice(0, MOST).map(text), ...(more > 0 ? [`${more} more symbols of that kind`] : [])];
}

function placed({ symbol, provider, file }: SymbolPlace): string {
  return `${symbol} of ${provider ?? 'the kernel'} (${file})`;
}
