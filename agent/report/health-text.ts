/** The text of `plugd doctor`. Builds text only. */
import type { CheckResult, HealthState } from '../explain/doctor/health.ts';
import { labelled, shortened } from './layout.ts';
import { paint, readable, type Style, type Terminal } from './terminal.ts';
import { counted } from '../base/words.ts';

const STYLE: Readonly<Record<HealthState, Style>> = { ok: 'green', warning: 'yellow', wrong: 'red', unknown: 'dim' };
const STATE = 9;
const TITLE = 18;

/** The checks as a table, what is not `ok` with its evidence and remedy; `verbose` shows evidence of all. */
export function healthText(
  head: string,
  results: readonly CheckResult[],
  terminal: Terminal,
  verbose: boolean,
): string {
  const lines = [paint(terminal, 'bold', head)];
  for (const { state, title, summary, evidence, remedy } of results) {
    const column = STATE + TITLE;
    const [first = '', ...more] = labelled(state.padEnd(STATE) + title, readable(summary), terminal, column);
    lines.push(first.replace(state, paint(terminal, STYLE[state], state)), ...more);
    if (state === 'ok' && !verbose) continue;
    for (const fact of evidence ?? [])
      lines.push(
        ...labelled(' '.repeat(STATE), readable(verbose ? fact : shortened(fact)), terminal, STATE + 2).map((line) =>
          paint(terminal, 'dim', line),
        ),
      );
    if (remedy !== undefined) lines.push(...labelled(`${' '.repeat(STATE)}→`, readable(remedy), terminal, STATE + 2));
  }
  lines.push(paint(terminal, 'bold', countText(results)));
  return `${lines.join('\n')}\n`;
}

function countText(results: readonly CheckResult[]): string {
  const count = (state: HealthState) => results.filter((result) => result.state === state).length;
  const parts = [`${count('wrong')} wrong`, counted(count('warning'), 'warning')];
  if (count('unknown') > 0) parts.push(`${count('unknown')} unknown`);
  return `${counted(results.length, 'check')}: ${parts.join(', ')}`;
}
