/** Evaluates plain files of configuration without a shell, to the values that the shell would have. Pure. */
import { fromMachineText, toMachineText } from '../../../base/machine-text.ts';
import { matchesExtended } from './extended-regex.ts';
import { parsePlainly, type PlainPart } from './plain-assignments.ts';
import type { ShellQuestion } from './shell-question.ts';
import { assign, type ShellMatches, type ShellValues } from './shell-values.ts';

/** Variables that the shell has by itself, or acts on. */
const SHELLS_OWN =
  /^(_|BASH.*|COLUMNS|COMP.*|COPROC|DIRSTACK|DKMS_DIRECTIVE.*|ENV|E?UID|EPOCH.*|EXECIGNORE|FCEDIT|FIGNORE|FUNC.*|GLOBIGNORE|GROUPS|HIST.*|HOME|HOST.*|IFS|IGNOREEOF|INPUTRC|INSIDE_EMACS|LANG.*|LC_.*|LINE.*|LINES|MACHTYPE|MAIL.*|MAPFILE|OLDPWD|OPT.*|OSTYPE|PATH|PIPESTATUS|POSIX.*|PPID|PROMPT.*|PS\d|PWD|RANDOM|READLINE_.*|REPLY|SECONDS|SHELL.*|SHLVL|SRANDOM|TEXTDOMAIN.*|TIMEFORMAT|TMOUT|TMPDIR|TZ|auto_resume|histchars|plugd_.*)$/;

type Elements = Map<string, Map<number, string>>;

/** What files came to; matches depend on the kernel and are not part of it. */
interface Evaluated {
  readonly texts: readonly string[];
  readonly question: ShellQuestion;
  /** The variables that the files looked at. */
  readonly looked: ReadonlySet<string>;
  readonly elements: Elements;
  readonly values: ShellValues;
}

/** The last files: those of one module are read for one kernel after the other, and few of them look at the kernel. */
let latest: Evaluated | undefined;

/**
 * The values and matches that the shell would answer; undefined when the shell must be asked. `texts` are those of the files, machine
 * text; `listing` gives the names in the working directory, which the shell would expand patterns with.
 */
export function evaluatePlainly(
  texts: readonly string[],
  question: ShellQuestion,
  listing: () => readonly string[],
): { readonly values: ShellValues; readonly matches: ShellMatches } | undefined {
  let isListed = false;
  const list = (): readonly string[] => {
    isListed = true;
    return listing();
  };
  const same = latest !== undefined && isAnsweredBy(latest, texts, question) ? latest : undefined;
  const evaluated = same ?? evaluate(texts, question, list);
  if (evaluated === undefined) return undefined;
  // A directory's names may change.
  if (!isListed) latest = evaluated;
  const matches = matchAll(evaluated.elements, question);
  return matches && { values: evaluated.values, matches };
}

/** Whether the same files were asked the same, but for variables that they do not look at. */
function isAnsweredBy(
  { question: before, looked, ...evaluated }: Evaluated,
  texts: readonly string[],
  question: ShellQuestion,
) {
  const { variables, known, last } = question;
  const names = Object.keys(variables);
  return (
    areSame(texts, evaluated.texts) &&
    areSame(known, before.known) &&
    areSame(last, before.last) &&
    areSame(names, Object.keys(before.variables)) &&
    names.every((name) => variables[name] === before.variables[name] || (!looked.has(name) && !known.includes(name)))
  );
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((text, index) => text === other[index]));
}

function evaluate(
  texts: readonly string[],
  question: ShellQuestion,
  listing: () => readonly string[],
): Evaluated | undefined {
  const { variables, known } = question;
  const looked = new Set<string>();
  const given = (name: string): string | undefined => {
    looked.add(name);
    return givenText(variables, name);
  };
  let values: Elements = new Map();
  for (const name of known) {
    const value = givenText(variables, name);
    if (value !== undefined) assign(values, name, 0, value);
  }
  for (const text of texts) {
    const after = assignAll(text, values, question, given);
    const twice = after === undefined ? undefined : evaluateAgain(after, listing);
    if (twice === undefined) return undefined;
    values = twice;
  }
  for (const assignment of question.last) {
    const equals = assignment.indexOf('=');
    const name = assignment.slice(0, equals);
    // Any other name could be one that a value's own command looks at, and there is none.
    if (known.includes(name)) assign(values, name, 0, toMachineText(assignment.slice(equals + 1)));
  }
  return { texts, question, looked, elements: values, values: mapped(values, fromMachineText) };
}

/** The machine text of a variable; undefined when there is none. */
function givenText(variables: ShellQuestion['variables'], name: string): string | undefined {
  return Object.hasOwn(variables, name) ? toMachineText(variables[name] ?? '') : undefined;
}

/** The known names after one file; its other variables are forgotten, as those of a subshell are. */
function assignAll(
  text: string,
  before: Elements,
  { variables, known }: ShellQuestion,
  given: (name: string) => string | undefined,
): Elements | undefined {
  const assignments = parsePlainly(text);
  if (assignments === undefined) return undefined;
  const values = mapped(before, (value) => value);
  for (const { name, index, parts } of assignments) {
    if (!known.includes(name) && (SHELLS_OWN.test(name) || Object.hasOwn(variables, name))) return undefined;
    const value = expanded(parts, values, given, known);
    if (value === undefined) return undefined;
    assign(values, name, index, value);
  }
  return new Map([...values].filter(([name]) => known.includes(name)));
}

function expanded(
  parts: readonly PlainPart[],
  values: Elements,
  given: (name: string) => string | undefined,
  known: readonly string[],
): string | undefined {
  let text = '';
  for (const part of parts) {
    if ('text' in part) text += part.text;
    else {
      const elements = values.get(part.variable);
      const value = elements === undefined ? given(part.variable) : (elements.get(0) ?? '');
      if (value === undefined && !known.includes(part.variable)) return undefined;
      text += value ?? '';
    }
  }
  return text;
}

/** The second evaluation; undefined when any value needs the shell for it. */
function evaluateAgain(values: Elements, listing: () => readonly string[]): Elements | undefined {
  const again: Elements = new Map();
  for (const [name, elements] of values) {
    for (const [index, value] of elements) {
      const evaluated = evaluatedAgain(value, listing);
      if (evaluated === undefined) return undefined;
      assign(again, name, index, evaluated);
    }
  }
  return again;
}

/** Words joined by single blanks, without a CR at the end. What would act between double quotes needs the shell. */
function evaluatedAgain(value: string, listing: () => readonly string[]): string | undefined {
  const joined = value.replaceAll(/[ \t\n]+/g, ' ');
  const text = joined.replace(/\r$/, '');
  if (/["$`]|\\\\|\\$/.test(text)) return undefined;
  // The script writes a sign before the first word and after the last.
  const words = joined.split(' ').slice(1, -1);
  return words.some((word) => mayExpand(word, listing)) ? undefined : text;
}

/** Whether a word could be a pattern that fits a name. */
function mayExpand(word: string, listing: () => readonly string[]): boolean {
  const at = word.search(/[*?[\\]/);
  if (at < 0) return false;
  const start = word.slice(0, at);
  return word.includes('/') || listing().some((name) => name.startsWith(start) && (at > 0 || !name.startsWith('.')));
}

function matchAll(values: Elements, { patterns, variables }: ShellQuestion): ShellMatches | undefined {
  const matches = new Map<string, Map<number, boolean>>();
  for (const [name, subject] of patterns) {
    for (const [index, pattern] of values.get(name) ?? []) {
      const fits = matchesExtended(pattern, givenText(variables, subject) ?? '');
      if (fits === undefined) return undefined;
      assign(matches, name, index, fits);
    }
  }
  return matches;
}

function mapped(values: ShellValues, change: (value: string) => string): Elements {
  return new Map(
    [...values].map(([name, elements]) => [
      name,
      new Map([...elements].map(([index, value]) => [index, change(value)])),
    ]),
  );
}
