/**
 * What modprobe.d can say: a row for each directive, with its grammar, how its rules are found, and how they are printed.
 * Everything that goes through all directives loops over this table: the parser, the index, `modprobe -c`, `plugd test` and
 * `why`, `plugd modules`, and the checks of `plugd doctor`.
 *
 * A new directive is a row here, its rule's type and list in config.ts, and the code that acts on it.
 */
import type { ModuleName, Place } from '../../base/names.ts';
import type { Problem } from '../../base/problem.ts';
import type { Candidate } from '../../match/candidate.ts';
import type { BlacklistRule, CommandRule, DecisionKind, RuleList, RuleTypes } from './config.ts';

/** What follows a directive's word in its line. The methods report what is wrong themselves. */
export interface DirectiveLine {
  readonly place: Place;
  /** The next word, normalised as a name or pattern; undefined after a complaint. */
  name(): string | undefined;
  /** The next name, the raw rest of the line and where that begins; undefined after a complaint when either is missing. */
  nameAndRest(): { readonly name: string; readonly rest: string; readonly at: number } | undefined;
  /** Warns of words behind the rule, which have no effect; people write comments there. */
  nothingMore(): void;
  /** Reports a problem at this column of the line, 0 is the first: an error and `malformed`, unless `more` says otherwise. */
  complain(message: string, at: number, more?: Partial<Pick<Problem, 'severity' | 'code' | 'word'>>): void;
}

/** One module of a lookup and what was decided for it; `effect` says what a rule did to it. */
export interface RuleSubject {
  readonly candidate: Candidate;
  readonly decision: DecisionKind;
  /** There is something to be done for it: it is neither built in nor kept out. */
  readonly planned: boolean;
}

/** What a rule did to a module: `applied` when it decided or changed the plan, otherwise `remark` may say why not. */
export interface RuleEffect {
  readonly applied: boolean;
  readonly remark?: string | undefined;
}

/** One row. */
export interface Directive<Rule> {
  /** `blacklist`; `module_blacklist=` for the list that only the kernel command line fills. */
  readonly name: string;
  /** `blacklist MODULE`; undefined where modprobe.d cannot say it. */
  readonly form?: string;
  /** The rule of a line, undefined after a complaint. */
  readonly read?: (line: DirectiveLine) => Rule | undefined;
  /** The name that the rule is about, or the pattern. */
  readonly about: (rule: Rule) => string;
  /** `about` is a pattern that fnmatch(3) holds against names; otherwise it is compared letter for letter. */
  readonly wildcards: boolean;
  /** `name`: what was asked for, a MODALIAS for example; `module`: the module it led to; `either`: both. */
  readonly matches: 'name' | 'module' | 'either';
  /** When several rules are about the same module, the first one counts, or all of them do. */
  readonly counts: 'first' | 'all';
  /** The rule as people write it: `softdep a pre: b post: c`. */
  readonly text: (rule: Rule) => string;
  /** The rule as `modprobe -c` prints it; undefined where it prints nothing. */
  readonly print?: (rule: Rule) => string;
  /** What the rule did to a module that was to be loaded; undefined for rules that are not about loading. */
  readonly effect?: (rule: Rule, subject: RuleSubject) => RuleEffect;
}

const softdepText = (pattern: string, lists: readonly string[], between: string) =>
  `softdep ${pattern} ${lists.filter((list) => list !== '').join(between)}`;
const softdepList = (head: string, members: readonly string[]) =>
  members.length === 0 ? '' : `${head} ${members.join(' ')}`;

/** `install` and `remove`: a command that stands in. */
function commandRow(name: string): Directive<CommandRule> {
  const text = ({ pattern, command }: CommandRule) => `${name} ${pattern} ${command}`;
  return {
    name,
    form: `${name} MODULE COMMAND…`,
    read(line) {
      const found = line.nameAndRest();
      return found && { pattern: found.name, command: found.rest, place: line.place };
    },
    about: ({ pattern }) => pattern,
    wildcards: true,
    matches: 'module',
    counts: 'first',
    text,
    print: text,
  };
}

/** A row for each list, in the order in which `modprobe -c` prints them. */
export const DIRECTIVES: { readonly [List in RuleList]: Directive<RuleTypes[List]> } = {
  blacklists: {
    name: 'blacklist',
    form: 'blacklist MODULE',
    read(line) {
      const module = line.name();
      if (module === undefined) return undefined;
      line.nothingMore();
      return { module: module as ModuleName, place: line.place };
    },
    about: ({ module }) => module,
    wildcards: false,
    matches: 'module',
    counts: 'first',
    text: ({ module }) => `blacklist ${module}`,
    print: ({ module, verbatim }: BlacklistRule) => `blacklist ${verbatim ?? module}`,
    effect(_, { decision }) {
      if (decision === 'blacklisted') return { applied: true };
      const why = decision === 'builtin' ? 'it is built in' : 'it was asked for by its own name';
      return { applied: false, remark: `no effect: ${why}` };
    },
  },
  kernelBlacklists: {
    name: 'module_blacklist=',
    about: ({ module }) => module,
    wildcards: false,
    matches: 'module',
    counts: 'first',
    text: ({ module }) => `module_blacklist=${module}`,
    effect: () => ({ applied: true }),
  },
  installs: {
    ...commandRow('install'),
    effect(_, { decision }) {
      if (decision === 'install-command' || decision === 'denied') return { applied: true };
      const ignored = decision === 'load';
      return {
        applied: false,
        ...(ignored && { remark: 'no effect: modprobe ignores it for a module with softdeps' }),
      };
    },
  },
  removes: commandRow('remove'),
  aliases: {
    name: 'alias',
    form: 'alias PATTERN MODULE',
    read(line) {
      const pattern = line.name();
      const module = pattern === undefined ? undefined : line.name();
      if (pattern === undefined || module === undefined) return undefined;
      line.nothingMore();
      return { pattern, module: module as ModuleName, place: line.place };
    },
    about: ({ pattern }) => pattern,
    wildcards: true,
    matches: 'name',
    counts: 'all',
    text: ({ pattern, module }) => `alias ${pattern} ${module}`,
    print: ({ pattern, module }) => `alias ${pattern} ${module}`,
    effect: ({ place }, { candidate }) => ({ applied: candidate.place === place }),
  },
  options: {
    name: 'options',
    form: 'options MODULE PARAMETER=VALUE…',
    read(line) {
      const found = line.nameAndRest();
      return found && { module: found.name as ModuleName, text: found.rest.replaceAll('\t', ' '), place: line.place };
    },
    about: ({ module }) => module,
    wildcards: false,
    matches: 'either',
    counts: 'all',
    text: ({ module, text }) => `options ${module} ${text}`,
    print: ({ module, text }) => `options ${module} ${text}`,
    effect(_, { decision, planned, candidate }) {
      if (decision !== 'builtin') return { applied: planned };
      const instead = `use ${candidate.module}.PARAMETER= on the kernel's command line`;
      return { applied: false, remark: `no effect: it is built in; ${instead}` };
    },
  },
  softdeps: {
    name: 'softdep',
    form: 'softdep MODULE pre: MODULE… post: MODULE…',
    read(line) {
      const found = line.nameAndRest();
      if (found === undefined) return undefined;
      const { name, rest, at } = found;
      if (isSpace(rest, 0) && /^[ \t\v\f\r](pre|post):/.test(rest)) {
        const message = 'the blank before this list hides it from modprobe; write one blank after the name';
        line.complain(message, at, { severity: 'warning', code: 'ignored' });
      }
      return { pattern: name, ...softdepMembers(rest), place: line.place };
    },
    about: ({ pattern }) => pattern,
    wildcards: true,
    matches: 'module',
    counts: 'first',
    text: ({ pattern, pre, post }) =>
      softdepText(pattern, [softdepList('pre:', pre), softdepList('post:', post)], ' ').trimEnd(),
    // kmod puts no blank between the two lists, to this day.
    print: ({ pattern, pre, post }) => softdepText(pattern, [softdepList('pre:', pre), softdepList('post:', post)], ''),
    effect({ pre, post }, { planned }) {
      const empty = pre.length + post.length === 0;
      return { applied: planned && !empty, ...(empty && { remark: 'it names nothing' }) };
    },
  },
  weakdeps: {
    name: 'weakdep',
    form: 'weakdep MODULE MODULE…',
    read(line) {
      const found = line.nameAndRest();
      return found && { pattern: found.name, members: words(found.rest), place: line.place };
    },
    about: ({ pattern }) => pattern,
    wildcards: true,
    matches: 'module',
    counts: 'first',
    text: ({ pattern, members }) => `weakdep ${pattern} ${members.join(' ')}`,
    print: ({ pattern, members }) => `weakdep ${pattern} ${members.join(' ')}`,
  },
};

/** The lists, in the table's order. */
export const RULE_LISTS = Object.keys(DIRECTIVES) as readonly RuleList[];

/** The words that begin a line of modprobe.d, sorted. */
export const DIRECTIVE_NAMES: readonly string[] = RULE_LISTS.map((list) => DIRECTIVES[list])
  .filter(({ form }) => form !== undefined)
  .map(({ name }) => name)
  .toSorted();

/**
 * The lists of a softdep line: ` a` before any `pre:` or `post:` is ignored, both may come several times. One blank before
 * the first word makes kmod (to this day) read it as `" pre:"`, which is neither; so does plugd, with a warning, because
 * a plan must be the one that modprobe makes of the same file. (Two such blanks do no harm.)
 */
function softdepMembers(rest: string): { readonly pre: readonly string[]; readonly post: readonly string[] } {
  const lists = { pre: [] as string[], post: [] as string[] };
  let list: string[] | undefined;
  const all = words(rest);
  if (isSpace(rest, 0) && !isSpace(rest, 1)) all.shift();
  for (const word of all) {
    if (word === 'pre:') list = lists.pre;
    else if (word === 'post:') list = lists.post;
    else list?.push(word);
  }
  return lists;
}

/** The words of a list; here any white space of the C locale separates them. */
function words(text: string): string[] {
  const isPlain = !(text.includes('\t') || text.includes('\v') || text.includes('\f') || text.includes('\r'));
  const all = isPlain ? text.split(' ') : text.split(/[ \t\v\f\r]+/);
  return all.includes('') ? all.filter((word) => word !== '') : all;
}

function isSpace(text: string, at: number): boolean {
  return at < text.length && ' \t\n\v\f\r'.includes(text.charAt(at));
}
