import type { ModuleName, Place } from '../base/names.ts';
import { table, type Column } from './layout.ts';
import { paint, readable, type Terminal } from './terminal.ts';

/** One module of the tree or of the kernel itself. */
export interface ModuleRow {
  readonly module: ModuleName;
  readonly state: 'live' | 'coming' | 'going' | 'builtin' | 'absent';
  /** How many use it; undefined for what is not loaded. */
  readonly users?: number | undefined;
  /** Relative to the module directory; '' for what is built in. */
  readonly path: string;
  /** The rules about it: `blacklist`, `install`, `options`, `softdep`, `module_blacklist=`. */
  readonly rules: ReadonlyArray<{ readonly kind: string; readonly place: Place }>;
}

const COLUMNS: readonly Column[] = [
  { title: 'MODULE', least: 16 },
  { title: 'STATE' },
  { title: 'USED', right: true },
  { title: 'RULES', least: 10 },
  { title: 'FILE', least: 12 },
];
const STATES = { live: 'loaded', coming: 'coming', going: 'going', builtin: 'builtin', absent: '-' } as const;

/** A table, one module a line. */
export function moduleTable(rows: readonly ModuleRow[], terminal: Terminal, width: number): string {
  const cells = rows.map((row) => [
    row.module,
    STATES[row.state],
    row.users === undefined ? '' : String(row.users),
    row.rules.length === 0 ? '-' : [...new Set(row.rules.map(({ kind }) => kind))].join(','),
    row.path === '' ? '-' : readable(row.path),
  ]);
  const [title = '', ...lines] = table(COLUMNS, cells, width);
  return `${[paint(terminal, 'bold', title), ...lines].join('\n')}\n`;
}
