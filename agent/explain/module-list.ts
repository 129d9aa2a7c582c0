/** The rows of `plugd modules`. Changes nothing. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import { readLoadedModules } from '../facts/kernel/kernel-state.ts';
import { parseDepLine } from '../match/matcher.ts';
import type { ModuleRow } from '../records/module-row.ts';
import { DIRECTIVES, RULE_LISTS } from '../rules/modprobe/directives.ts';
import { ruleIndex } from '../rules/modprobe/rule-index.ts';
import { openSources } from '../load/sources.ts';

/** The lists of rules about loading a module. */
const LISTS = RULE_LISTS.filter((list) => DIRECTIVES[list].effect !== undefined && DIRECTIVES[list].matches !== 'name');

/** Every module of the tree and of the kernel itself, by name. Errors: `no-modules-directory`. */
export function listModules(host: Host): readonly ModuleRow[] {
  const { tree, config } = openSources(host);
  const rules = ruleIndex(config);
  const loaded = readLoadedModules(host) ?? new Map<ModuleName, never>();
  const rows: ModuleRow[] = [];
  const row = (module: ModuleName, state: ModuleRow['state'], path: string) => {
    const users =
      state === 'live' ? Number(readAttribute(`${host.sysfs}/module/${module}/refcnt`) ?? Number.NaN) : Number.NaN;
    rows.push({
      module,
      state,
      ...(Number.isNaN(users) ? {} : { users }),
      path,
      rules: LISTS.flatMap((list) =>
        rules.counting(list, module).map(({ place }) => ({ kind: DIRECTIVES[list].name, place })),
      ),
    });
  };
  for (const { key, value } of tree.indexes.dep?.entries() ?? []) {
    const module = key as ModuleName;
    row(module, loaded.get(module) ?? 'absent', parseDepLine(value)?.path ?? '');
  }
  for (const { key } of tree.indexes.builtin?.entries() ?? []) row(key as ModuleName, 'builtin', '');
  return rows.toSorted((a, b) => (a.module < b.module ? -1 : 1));
}
