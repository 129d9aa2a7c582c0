/** The devices of a machine in rows: what `plugd devices` shows and `plugd test --replay` judges. */
import type { DeviceRow } from '../records/device-row.ts';
import { table, type Column } from './layout.ts';
import { paintVerdict } from './investigation-text.ts';
import { paint, readable, type Terminal } from './terminal.ts';
import { verdictText, type Verdict } from '../diagnosis/verdict.ts';
import { counted } from '../base/words.ts';

const COLUMNS: readonly Column[] = [
  { title: 'BUS' },
  { title: 'DEVICE', least: 13 },
  { title: 'DRIVER', least: 8 },
  { title: 'VERDICT' },
  { title: 'MODULES', least: 10 },
  { title: 'MODALIAS', least: 10 },
];

const TREE_COLUMNS = COLUMNS.map((column) => (column.title === 'DEVICE' ? { ...column, least: 26 } : column));

/** A table, one device a line, as wide as the terminal. */
export function deviceTable(rows: readonly DeviceRow[], terminal: Terminal): string {
  return render(
    rows,
    rows.map((row) => readable(row.name)),
    terminal,
  );
}

/** The same with each device below the device that it is behind. */
export function deviceTree(rows: readonly DeviceRow[], terminal: Terminal): string {
  const sorted = rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  const above: string[] = [];
  const names = sorted.map((row) => {
    while (above.length > 0 && !row.devpath.startsWith(`${above.at(-1)}/`)) above.pop();
    above.push(row.devpath);
    return '  '.repeat(above.length - 1) + readable(row.name);
  });
  return render(sorted, names, terminal, TREE_COLUMNS);
}

/** Paths in an order in which each is followed by what lies below it. */
function key(row: DeviceRow): string {
  return row.devpath.replaceAll('/', '\u0001');
}

function render(rows: readonly DeviceRow[], names: readonly string[], terminal: Terminal, columns = COLUMNS): string {
  const cells = rows.map((row, i) => [
    row.subsystem === '' ? '-' : readable(row.subsystem),
    names[i] ?? '',
    readable(row.driver ?? '-'),
    verdictText(row),
    row.modules.length === 0 ? '-' : row.modules.map(readable).join(','),
    readable(row.modaliases[0] ?? '') + (row.modaliases.length > 1 ? ` +${row.modaliases.length - 1}` : ''),
  ]);
  const [title = '', ...lines] = table(columns, cells, terminal.width);
  const painted = lines.map((line, i) => {
    const row = rows[i];
    if (!terminal.colour || row === undefined) return line;
    const word = verdictText(row);
    const at = line.indexOf(`  ${word}`) + 2;
    return at < 2 ? line : line.slice(0, at) + paintVerdict(terminal, row.verdict, word) + line.slice(at + word.length);
  });
  return `${[paint(terminal, 'bold', title), ...painted].join('\n')}\n`;
}

/** `412 devices: 120 loaded, 3 failed` */
export function deviceCounts(rows: readonly DeviceRow[]): string {
  const counts = new Map<Verdict, number>();
  for (const row of rows) counts.set(row.verdict, (counts.get(row.verdict) ?? 0) + 1);
  const parts = [...counts].toSorted((a, b) => b[1] - a[1]).map(([verdict, count]) => `${count} ${verdict}`);
  return `${counted(rows.length, 'device')}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}
