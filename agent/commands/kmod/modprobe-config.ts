import type { Index } from '../../indexes/trie.ts';
import type { Config } from '../../rules/modprobe/config.ts';
import type { ModprobeRun } from './modprobe-run.ts';

/** Prints what `modprobe -c` prints: the configuration, then all aliases of the module tree. */
export function showConfig(run: ModprobeRun): void {
  const { surroundings } = run;
  surroundings.print(`${configText(run.config)}\n# End of configuration files. Dumping indexes now:\n\n`);
  for (const index of [run.indexes.aliases, run.indexes.symbols]) surroundings.print(indexText(index));
}

/**
 * The rules as `modprobe -c` shows them, by kind. The two lists of a softdep stand without a blank between them
 * (`softdep a pre: bpost: c`), as kmod has it to this day.
 */
export function configText(config: Config): string {
  return [
    ...config.blacklists.map((rule) => `blacklist ${rule.verbatim ?? rule.module}\n`),
    ...config.installs.map((rule) => `install ${rule.pattern} ${rule.command}\n`),
    ...config.removes.map((rule) => `remove ${rule.pattern} ${rule.command}\n`),
    ...config.aliases.map((rule) => `alias ${rule.pattern} ${rule.module}\n`),
    ...config.options.map((rule) => `options ${rule.module} ${rule.text}\n`),
    ...config.softdeps.map(
      ({ pattern, pre, post }) => `softdep ${pattern} ${list('pre: ', pre)}${list('post: ', post)}\n`,
    ),
    ...config.weakdeps.map((rule) => `weakdep ${rule.pattern} ${rule.members.join(' ')}\n`),
  ].join('');
}

function list(head: string, words: readonly string[]): string {
  return words.length === 0 ? '' : head + words.join(' ');
}

function indexText(index: Index | undefined): string {
  if (index === undefined) return '';
  let text = '';
  for (const { key, value } of index.entries()) text += `alias ${key} ${value}\n`;
  return text;
}
