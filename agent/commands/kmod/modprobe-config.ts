/** `modprobe -c`. Prints the configuration; changes nothing. */
import type { Index } from '../../indexes/trie.ts';
import type { Config, RuleList, RuleTypes } from '../../rules/modprobe/config.ts';
import { DIRECTIVES, RULE_LISTS } from '../../rules/modprobe/directives.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** Prints what `modprobe -c` prints: the configuration, then all aliases of the module tree. */
export function showConfig(run: ModprobeRun): void {
  const { applet } = run;
  applet.print(`${configText(run.config)}\n# End of configuration files. Dumping indexes now:\n\n`);
  for (const index of [run.indexes.aliases, run.indexes.symbols]) applet.print(indexText(index));
}

/** The rules as `modprobe -c` shows them, list by list. */
export function configText(config: Config): string {
  return RULE_LISTS.map((list) => listText(list, config[list])).join('');
}

function listText<List extends RuleList>(list: List, rules: ReadonlyArray<RuleTypes[List]>): string {
  const { print } = DIRECTIVES[list];
  return print === undefined ? '' : rules.map((rule) => `${print(rule)}\n`).join('');
}

function indexText(index: Index | undefined): string {
  if (index === undefined) return '';
  let text = '';
  for (const { key, value } of index.entries()) text += `alias ${key} ${value}\n`;
  return text;
}
