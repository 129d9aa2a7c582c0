/** The table of `plugd modules`. Builds text only. */
import type { ModuleRow } from '../records/module-row.ts';
import { table, type Column } from './layout.ts';
import { paint, readable, type Terminal } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'MODULE', least: 16 },
  { title: 'STATE' },
  { title: 'USED', right: true },
  { title: 'RULES', least: 10 },
  { title: 'FILE', least: 12 },
];
const STATES = { live: 'loaded', coming: 'coming', going: 'going', builtin: 'builtin', absent: '-' } as const;

/** A table, one module a line. */
export function moduleTable(rows: readonly ModuleRow[], terminal: Terminal): string {
  const cells = rows.map((row) => [
    readable(row.module),
    STATES[row.state],
    row.users === undefined ? '' : String(row.users),
    row.rules.length === 0 ? '-' : [...new Set(row.rules.map(({ kind }) => kind))].join(','),
    row.path === '' ? '-' : readable(row.path),
  ]);
  const [title = '', ...lines] = table(COLUMNS, cells, terminal.width);
  return `${[paint(terminal, 'bold', title), ...lines].join('\n')}\n`;
}
