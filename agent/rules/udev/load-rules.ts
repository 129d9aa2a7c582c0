/**
 * The part of udev's rules that loads modules: lines that run the builtin `kmod load`. All other lines are skipped,
 * except the GOTO and LABEL that lead around such lines.
 *
 *     ACTION!="add", GOTO="drivers_end"
 *     ENV{MODALIAS}=="?*", RUN{builtin}+="kmod load"
 *     SUBSYSTEM=="module", KERNEL=="parport_pc", RUN{builtin}+="kmod load ppdev"
 *     LABEL="drivers_end"
 *
 * `kmod load` alone loads what the device's MODALIAS names. `+=` adds; `=` drops what earlier lines asked for; `:=`
 * also ignores later ones. The same request twice is one.
 */
import type { Place } from '../../base/names.ts';
import { FileProblems, type Problem } from '../../base/problem.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import { logicalLines, parsePairs, type LogicalLine, type Operator, type Pair } from './udev-line.ts';
import { compileCondition, valueFault, type Condition } from './udev-match.ts';
import { compileTemplate, type Template } from './udev-template.ts';

/** Rules ready to be evaluated. */
export interface LoadRules {
  readonly lines: readonly LoadLine[];
  /** Lines with `kmod load` that are not rules, or labels that are not there. */
  readonly problems: readonly Problem[];
  /** The lines left of `lines` for devices of an action and subsystem, as they are asked for. */
  readonly narrowed: Map<string, readonly LoadLine[]>;
  /** Lines that udev understands and plugd cannot evaluate; they are passed over. */
  readonly unevaluated: readonly Problem[];
}

/** A line that loads something, or jumps over one that does. */
export interface LoadLine {
  readonly place: Place;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly loads: readonly Load[];
  /** Index of the line to go on with, when the conditions hold. */
  readonly jump: number | undefined;
}

/** What a line loads. */
export interface Load {
  readonly operator: Operator;
  /** Undefined: the device's MODALIASes. */
  readonly words: readonly Template[] | undefined;
}

/**
 * Compiles rules files, in the order in which they count: that of their names. `shipped`, plugd's own file, stands in for
 * one of its name that is missing or loads nothing: people mask udev's so that udevd leaves loading to plugd.
 */
export function parseLoadRules(texts: readonly ConfigText[], shipped?: ConfigText): LoadRules {
  const rules = {
    lines: [] as LoadLine[],
    narrowed: new Map<string, readonly LoadLine[]>(),
    problems: [] as Problem[],
    unevaluated: [] as Problem[],
  };
  // Labels are of one file: one that never says kmod has no line that matters.
  const files = texts.filter(({ text }) => text.includes('kmod'));
  if (shipped !== undefined && !files.some(({ file }) => baseName(file) === baseName(shipped.file))) {
    const after = files.findIndex(({ file }) => baseName(file) > baseName(shipped.file));
    files.splice(after < 0 ? files.length : after, 0, shipped);
  }
  for (const file of files) parseFile(file, rules);
  return rules;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

interface ParsedLine {
  readonly logical: LogicalLine;
  readonly pairs: readonly Pair[];
  readonly loads: readonly Load[];
  readonly goto: string | undefined;
  readonly labels: readonly string[];
}

function parseFile(
  { file, text }: ConfigText,
  rules: { lines: LoadLine[]; problems: Problem[]; unevaluated: Problem[] },
): void {
  const problems = new FileProblems(file, rules.problems);
  const unevaluated = new FileProblems(file, rules.unevaluated);
  const report = (list: FileProblems, code: Problem['code'], at: LogicalLine, message: string, offset = 0) => {
    const severity = code === 'unsupported' ? 'warning' : 'error';
    list.add(() => ({ file, line: at.line, column: at.column + offset, severity, code, message }));
  };
  const parsed: ParsedLine[] = [];
  for (const logical of logicalLines(text)) {
    if (!(logical.text.includes('kmod') || logical.text.includes('GOTO') || logical.text.includes('LABEL'))) continue;
    const pairs = parsePairs(logical.text);
    if ('kind' in pairs) {
      report(problems, 'malformed', logical, `${pairs.message}; the line does not count`, pairs.offset);
      continue;
    }
    const fault = pairs.map(valueFault).find((each) => each !== undefined);
    if (fault !== undefined) {
      report(problems, 'malformed', logical, `${fault}; the line does not count`);
      continue;
    }
    const loads: Load[] = [];
    for (const pair of pairs) {
      const load = loadOf(pair);
      if (load === undefined) continue;
      if ('why' in load) report(unevaluated, 'unsupported', logical, load.why);
      else loads.push(load);
    }
    const assigned = (key: string) => pairs.filter((pair) => pair.key === key && pair.operator === '=');
    parsed.push({
      logical,
      pairs,
      loads,
      goto: assigned('GOTO').at(-1)?.value,
      labels: assigned('LABEL').map((pair) => pair.value),
    });
  }
  // Drop lines that neither load a module nor jump over one that does.
  const loadsBefore = countsBefore(parsed.map((line) => line.loads.length > 0));
  const kept: Array<{ line: ParsedLine; conditions: Condition[]; target: number | undefined }> = [];
  const isKept: boolean[] = [];
  const labels = laterLabels(parsed);
  parsed.forEach((line, index) => {
    let target: number | undefined;
    if (line.goto !== undefined) {
      const label = labels[index];
      if (label === undefined)
        report(
          problems,
          'malformed',
          line.logical,
          `no later line has the label '${line.goto}'; the jump does not count`,
        );
      else if ((loadsBefore[label] ?? 0) > (loadsBefore[index + 1] ?? 0)) target = label;
    }
    if (target === undefined && line.loads.length === 0) return;
    const conditions = conditionsOf(line.pairs);
    if ('why' in conditions) report(unevaluated, 'unsupported', line.logical, conditions.why);
    else {
      kept.push({ line, conditions, target });
      isKept[index] = true;
    }
  });
  const base = rules.lines.length;
  const keptBefore = countsBefore(parsed.map((_, index) => isKept[index] === true));
  for (const { line, conditions, target } of kept) {
    const jump = target === undefined ? undefined : base + (keptBefore[target] ?? kept.length);
    rules.lines.push({ place: { file, line: line.logical.line }, conditions, loads: line.loads, jump });
  }
  problems.end();
  unevaluated.end();
}

/** For each line the index of the nearest later one with the label that it names. */
function laterLabels(lines: readonly ParsedLine[]): ReadonlyArray<number | undefined> {
  const later = new Map<string, number>();
  const found: Array<number | undefined> = lines.map(() => undefined);
  for (let index = lines.length - 1; index >= 0; index--) {
    const { goto, labels } = lines[index] ?? { labels: [] };
    if (goto !== undefined) found[index] = later.get(goto);
    for (const label of labels) later.set(label, index);
  }
  return found;
}

function conditionsOf(pairs: readonly Pair[]): Condition[] | { readonly why: string } {
  const conditions: Condition[] = [];
  for (const pair of pairs) {
    if (pair.operator === '==' || pair.operator === '!=') {
      const condition = compileCondition(pair);
      if ('why' in condition) return condition;
      conditions.push(condition);
    } else if (pair.key === 'PROGRAM' || pair.key === 'IMPORT') {
      return { why: `plugd does not run ${pair.key}` };
    }
  }
  return conditions.toSorted((a, b) => a.cost - b.cost);
}

/** The load that a pair asks for; undefined when it is something else. */
function loadOf(pair: Pair): Load | { readonly why: string } | undefined {
  if (pair.key !== 'RUN' || pair.attribute !== 'builtin') return undefined;
  if (pair.operator !== '=' && pair.operator !== '+=' && pair.operator !== ':=') return undefined;
  // Split into words before substitution, so that a MODALIAS with blanks stays one word.
  const [builtin, verb, ...names] = unquotedWords(pair.value);
  if (builtin !== 'kmod' || verb !== 'load') return undefined;
  if (names.length === 0) return { operator: pair.operator, words: undefined };
  const words: Template[] = [];
  for (const name of names) {
    const word = compileTemplate(name);
    if (typeof word !== 'function') return { why: `${word.unknown} is not known here` };
    words.push(word);
  }
  return { operator: pair.operator, words };
}

function unquotedWords(text: string): string[] {
  return (text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  );
}

/** For each index, and for the end, how many before it are true. */
export function countsBefore(flags: readonly boolean[]): readonly number[] {
  let count = 0;
  const counts = flags.map((flag) => {
    const before = count;
    if (flag) count++;
    return before;
  });
  return [...counts, count];
}
