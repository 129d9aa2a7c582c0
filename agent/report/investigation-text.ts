/** The text of `plugd test`. Builds text only. */
import type {
  CandidateReport,
  Investigation,
  RequestReport,
  RuleReport,
  StepReport,
} from '../records/investigation.ts';
import type { Place } from '../base/names.ts';
import { labelled, shortened, wrapped } from './layout.ts';
import { STEP_WHY } from './loading-text.ts';
import { paint, readable, readablePath, type Style, type Terminal } from './terminal.ts';
import { isServed, verdictText, type Verdict } from '../diagnosis/verdict.ts';
import { placeText } from '../base/words.ts';

const STYLE: Readonly<Record<Verdict, Style>> = {
  failed: 'red',
  inserted: 'green',
  'would-insert': 'green',
  loaded: 'green',
  builtin: 'green',
  'install-command': 'yellow',
  denied: 'yellow',
  blacklisted: 'yellow',
  'no-match': 'yellow',
  'no-modalias': 'dim',
};

/** Where texts begin. */
const LABEL = 11;
/** Names of modules are aligned up to this. */
const MOST_NAME = 22;

/** A verdict in its colour. */
export function paintVerdict(terminal: Terminal, verdict: Verdict, text: string): string {
  return paint(terminal, STYLE[verdict], text);
}

/** The full explanation of `plugd test`. `verbose` also shows the searches that found no rule. */
export function investigationText(found: Investigation, terminal: Terminal, verbose: boolean): string {
  const lines: string[] = [];
  const { device } = found;
  lines.push(...wrapped(readable(found.meant), terminal.width).map((line) => paint(terminal, 'bold', line)));
  if (device !== undefined) {
    lines.push(...labelled('  path', readable(device.devpath), terminal));
    const properties = Object.entries(device.properties).filter(([key]) => key !== 'MODALIAS' && key !== 'DRIVER');
    if (properties.length > 0) {
      const text = properties.map(([key, value]) => `${readable(key)}=${readable(value)}`).join('  ');
      lines.push(...labelled('  is', text, terminal));
    }
    const module =
      device.driverModule === undefined ? ', inside the kernel' : `, in module ${readable(device.driverModule)}`;
    lines.push(
      ...labelled(
        '  driver',
        device.driver === undefined ? 'none is bound' : `${readable(device.driver)}${module}`,
        terminal,
      ),
    );
  }
  lines.push(
    ...labelled('  kernel', found.kernel, terminal),
    ...labelled('  modules', `in ${found.moduleDir}`, terminal),
  );
  for (const request of found.requests) lines.push('', ...requestText(request, found, terminal, verbose));
  if (verbose && found.configuration.length > 0) {
    lines.push('', ...labelled('rules', `were looked for in ${found.configuration.map(readable).join(' ')}`, terminal));
  }
  const verdict = verdictText(found);
  const coloured = labelled('verdict', `${verdict}: ${readable(found.reason)}`, terminal).map((line, i) =>
    i === 0 ? line.replace(verdict, () => paintVerdict(terminal, found.verdict, verdict)) : line,
  );
  lines.push('');
  // What goes with a good verdict is no reason for it.
  const label = isServed(found.verdict) ? '  note' : '  because';
  found.evidence.forEach((fact, i) =>
    lines.push(...labelled(i === 0 ? label : '', readable(verbose ? fact : shortened(fact)), terminal)),
  );
  lines.push(...coloured);
  if (found.remedy !== undefined) lines.push(...labelled('  remedy', readable(found.remedy), terminal));
  return `${lines.join('\n')}\n`;
}

function requestText(
  request: RequestReport,
  found: Investigation,
  terminal: Terminal,
  verbose: boolean,
): readonly string[] {
  const label = request.file !== undefined ? 'file' : request.name.includes(':') ? 'modalias' : 'name';
  const lines = [...labelled(label, readable(request.name), terminal)];
  if (request.of !== undefined) lines.push(...labelled('  of', `interface ${readable(request.of)}`, terminal));
  if (request.rule !== undefined)
    lines.push(...labelled('  asked by', `rule ${readable(placeText(request.rule))}`, terminal));
  if (request.malformed !== undefined)
    lines.push(...labelled('  matches', `nothing can: ${readable(request.malformed)}`, terminal));
  else if (request.candidates.length === 0) lines.push(...labelled('  matches', 'nothing', terminal));
  for (const candidate of request.candidates) {
    // The order in a line: what is found, by what, where it stands.
    const where = candidate.place === undefined ? '' : `, ${readable(placeText(candidate.place))}`;
    const priority =
      candidate.source === 'modules.alias' || candidate.source === 'modules.symbols'
        ? `, priority ${candidate.priority}`
        : '';
    const by = candidate.pattern === candidate.module ? '' : ` by ${readable(candidate.pattern)}`;
    lines.push(
      ...labelled('  matches', `${readable(candidate.module)}${by} (${candidate.source}${priority}${where})`, terminal),
    );
  }
  for (const candidate of request.candidates)
    lines.push(...candidateText(candidate, request, found, terminal, verbose));
  return lines;
}

function candidateText(
  candidate: CandidateReport,
  request: RequestReport,
  found: Investigation,
  terminal: Terminal,
  verbose: boolean,
): readonly string[] {
  const lines: string[] = [];
  const name = request.candidates.length > 1 ? `${readable(candidate.module)}: ` : '';
  const rules = candidate.rules.filter((rule) => verbose || rule.text !== undefined);
  for (const rule of rules) lines.push(...labelled('  rule', name + ruleText(rule, found), terminal));
  const digits = String(candidate.steps.length).length;
  const widest = Math.min(MOST_NAME, Math.max(0, ...candidate.steps.map(({ module }) => module.length)));
  candidate.steps.forEach((step, i) => {
    const number = `${i + 1}.`.padEnd(digits + 1);
    lines.push(...labelled(i === 0 ? '  plan' : '', stepText(step, number, widest), terminal));
    const below = (text: string) => labelled('', text, terminal, LABEL + digits + 2);
    lines.push(...below(pathText(step, found)).map((line) => paint(terminal, 'dim', line)));
    for (const { text, place } of step.origins) {
      const from = place === undefined ? 'from the command line' : shortPlace(place, found);
      lines.push(...below(`${readable(text)}   ${from}`));
    }
    if (step.refusal !== undefined && !step.required)
      lines.push(...below(`would be refused (${step.refusal.cause}), which stops nothing`));
  });
  for (const note of candidate.notes)
    lines.push(...labelled('  note', `${readable(note.message)} (${shortPlace(note.place, found)})`, terminal));
  const several = found.requests.reduce((sum, each) => sum + each.candidates.length, 0) > 1;
  if (several)
    lines.push(
      ...labelled(
        '  so',
        `${readable(candidate.module)} ${verdictText(candidate)}: ${readable(candidate.reason)}`,
        terminal,
      ),
    );
  return lines;
}

function ruleText({ kind, text, place, remark }: RuleReport, found: Investigation): string {
  if (text === undefined) return `${kind}: ${readable(remark ?? '')}`;
  const at = place === undefined ? '' : `   ${shortPlace(place, found)}`;
  return `${readable(text)}${at}${remark === undefined ? '' : `   ${readable(remark)}`}`;
}

/** Files of the module tree by their name in it. */
function shortPlace(place: Place, { moduleDir }: Investigation): string {
  const [text, folder] = [readable(placeText(place)), `${readablePath(moduleDir)}/`];
  return text.startsWith(folder) ? text.slice(folder.length) : text;
}

function stepText(step: StepReport, number: string, widest: number): string {
  const why = step.for === undefined ? STEP_WHY[step.why] : `${STEP_WHY[step.why]} ${readable(step.for)}`;
  const state =
    step.result ?? (step.state === 'live' ? 'loaded already' : step.state === 'absent' ? 'not loaded' : step.state);
  const command = step.command === undefined ? '' : `   runs: ${readable(step.command)}`;
  return `${number} ${readable(step.module).padEnd(widest)}   ${why}, ${state}${command}`;
}

function pathText(step: StepReport, found: Investigation): string {
  const prefix = `${found.moduleDir}/`;
  return step.path === ''
    ? 'no file'
    : readablePath(step.path.startsWith(prefix) ? step.path.slice(prefix.length) : step.path);
}
