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
import type { Problem } from '../../base/problem.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { DeviceView } from './device-view.ts';
import { logicalLines, parsePairs, type LogicalLine, type Operator, type Pair } from './udev-line.ts';
import { compileCondition, valueFault, type Condition } from './udev-match.ts';
import { compileTemplate, type Template } from './udev-template.ts';

/** What a device's rules ask for. */
export interface LoadRequest {
  /** Modules or aliases by name; empty when `modalias`. */
  readonly names: readonly string[];
  /** The device's own MODALIASes are to be loaded. */
  readonly modalias: boolean;
  readonly place: Place;
}

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

interface LoadLine {
  readonly place: Place;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly loads: readonly Load[];
  /** Index of the line to go on with, when the conditions hold. */
  readonly jump: number | undefined;
}

interface Load {
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

/** What `device` asks for, in order; empty when nothing. */
export function evaluate(rules: LoadRules, device: DeviceView): LoadRequest[] {
  const lines = narrow(rules, device);
  let requests: LoadRequest[] = [];
  let final = false;
  let next = 0;
  for (;;) {
    const line = lines[next];
    if (line === undefined) return requests;
    next++;
    if (!line.conditions.every((condition) => condition.holds(device))) continue;
    for (const load of line.loads) {
      if (final) break;
      if (load.operator !== '+=') requests = [];
      if (load.operator === ':=') final = true;
      const request = requestOf(load, line.place, device);
      if (request !== undefined && !requests.some((other) => isSame(other, request))) requests.push(request);
    }
    if (line.jump !== undefined) next = line.jump;
  }
}

/** Kinds of devices that are remembered: a machine has some hundred, a stranger's uevents may name any number. */
const MOST_KINDS = 512;

/** Most lines are about one subsystem, and thousands of devices come: what does not concern a kind of device is left out once. */
function narrow({ lines, narrowed }: LoadRules, device: DeviceView): readonly LoadLine[] {
  const kind = `${device.action} ${device.subsystem}`;
  const known = narrowed.get(kind);
  if (known !== undefined) return known;
  const holds = lines.map(({ conditions }) =>
    conditions.every((condition) => condition.cost > 0 || condition.holds(device)),
  );
  // Where the line with an index is found, or the next one that is left.
  const places = holds.map((_, index) => holds.slice(0, index).filter(Boolean).length);
  const left = lines
    .filter((_, index) => holds[index])
    .map((line) => ({
      ...line,
      conditions: line.conditions.filter(({ cost }) => cost > 0),
      jump: line.jump === undefined ? undefined : (places[line.jump] ?? lines.length),
    }));
  if (narrowed.size < MOST_KINDS) narrowed.set(kind, left);
  return left;
}

function requestOf({ words }: Load, place: Place, device: DeviceView): LoadRequest | undefined {
  if (words === undefined) return { names: [], modalias: true, place };
  const names = words.map((word) => word(device)).filter((name) => name !== '');
  return names.length === 0 ? undefined : { names, modalias: false, place };
}

function isSame(a: LoadRequest, b: LoadRequest): boolean {
  return a.modalias === b.modalias && a.names.join('\0') === b.names.join('\0');
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
  const report = (list: Problem[], code: Problem['code'], at: LogicalLine, message: string, offset = 0) => {
    const severity = code === 'unsupported' ? 'warning' : 'error';
    list.push({ file, line: at.line, column: at.column + offset, severity, code, message });
  };
  const parsed: ParsedLine[] = [];
  for (const logical of logicalLines(text)) {
    if (!/kmod|GOTO|LABEL/.test(logical.text)) continue;
    const pairs = parsePairs(logical.text);
    if ('kind' in pairs) {
      report(rules.problems, 'malformed', logical, `${pairs.message}; the line does not count`, pairs.offset);
      continue;
    }
    const fault = pairs.map(valueFault).find((each) => each !== undefined);
    if (fault !== undefined) {
      report(rules.problems, 'malformed', logical, `${fault}; the line does not count`);
      continue;
    }
    const loads: Load[] = [];
    for (const pair of pairs) {
      const load = loadOf(pair);
      if (load === undefined) continue;
      if ('why' in load) report(rules.unevaluated, 'unsupported', logical, load.why);
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
  const isLoad = parsed.map((line) => line.loads.length > 0);
  const kept: Array<{ line: ParsedLine; conditions: Condition[]; target: number | undefined; index: number }> = [];
  parsed.forEach((line, index) => {
    let target: number | undefined;
    if (line.goto !== undefined) {
      const label = parsed.findIndex((other, at) => at > index && other.labels.includes(line.goto ?? ''));
      if (label < 0)
        report(
          rules.problems,
          'malformed',
          line.logical,
          `no later line has the label '${line.goto}'; the jump does not count`,
        );
      else if (isLoad.slice(index + 1, label).includes(true)) target = label;
    }
    if (target === undefined && isLoad[index] !== true) return;
    const conditions = conditionsOf(line.pairs);
    if ('why' in conditions) report(rules.unevaluated, 'unsupported', line.logical, conditions.why);
    else kept.push({ line, conditions, target, index });
  });
  const base = rules.lines.length;
  for (const { line, conditions, target } of kept) {
    const after = target === undefined ? -1 : kept.findIndex(({ index }) => index >= target);
    const jump = target === undefined ? undefined : base + (after < 0 ? kept.length : after);
    rules.lines.push({ place: { file, line: line.logical.line }, conditions, loads: line.loads, jump });
  }
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
