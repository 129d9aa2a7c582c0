/**
 * What `alias` lines do to names that they are not meant to introduce. An `alias` line that matches a name comes before
 * everything else that has it, also before a module of that very name:
 *
 *     alias pcspkr off                 # modprobe pcspkr: there is no module off
 *     alias pci:v000010DEd* off        # no such device gets a driver by its MODALIAS
 *     alias nouveau nvidia             # who asks for nouveau gets nvidia
 *
 * Lines do not form chains: the module that a line names is taken by its own name. Dependencies are files and no names, so
 * `alias` lines do not change them; the names in a softdep line are looked up, so they do.
 */
import type { ModuleName } from '../../base/names.ts';
import { relatePatterns } from '../../base/pattern-relation.ts';
import type { AliasRule, Config } from './config.ts';

/**
 * What happens to the names that a pattern stands for, and that would lead to a module.
 *
 * - `none`: they lead to it.
 * - `all`: each leads elsewhere.
 * - `some`: names that `rules` match lead elsewhere, the others lead to it.
 */
export interface Redirection {
  readonly kind: 'none' | 'some' | 'all';
  /** The lines that lead elsewhere, in order; empty for `none`. */
  readonly rules: readonly AliasRule[];
}

/** `redirectionOf(config, 'pcspkr', pcspkr)` of the lines above: all of it, by `alias pcspkr off`. */
export function redirectionOf(config: Config, pattern: string, module: ModuleName): Redirection {
  const matching = config.aliases
    .map((rule) => ({ rule, relation: relatePatterns(rule.pattern, pattern) }))
    .filter(({ relation }) => relation !== 'apart');
  const away = matching.filter(({ rule }) => rule.module !== module);
  const here = matching.filter(({ rule }) => rule.module === module);
  if (away.length === 0 || here.some(({ relation }) => relation === 'covers')) return { kind: 'none', rules: [] };
  const all = here.length === 0 && away.some(({ relation }) => relation === 'covers');
  return { kind: all ? 'all' : 'some', rules: away.map(({ rule }) => rule) };
}

/** The same for all names that lead to a module: `all` when none of them does any more. */
export function redirectionOfAll(config: Config, patterns: readonly string[], module: ModuleName): Redirection {
  const each = config.aliases.length === 0 ? [] : patterns.map((pattern) => redirectionOf(config, pattern, module));
  const rules = [...new Set(each.flatMap((one) => one.rules))];
  if (rules.length === 0) return { kind: 'none', rules };
  return { kind: each.every(({ kind }) => kind === 'all') ? 'all' : 'some', rules };
}
