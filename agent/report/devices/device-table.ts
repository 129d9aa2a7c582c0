/** The devices of a machine in rows: what `plugd devices` shows and `plugd test --replay` judges. */
import type { DeviceRow } from '../../records/device-row.ts';
import { table, type Column } from '../layout.ts';
import { paintVerdict } from '../investigation-text.ts';
import { paint, readable, type Terminal } from '../terminal.ts';
import { verdictText, type Verdict } from '../../diagnosis/verdict.ts';
import type { HardwareNames } from '../../facts/devices/hardware-names.ts';
import { counted } from '../../base/words.ts';

/** A column that `-o` may name, and its cell. */
interface DeviceColumn extends Column {
  readonly cell: (row: DeviceRow, name: string, hardware: HardwareNames) => string;
}

const COLUMNS = {
  bus: { title: 'BUS', cell: ({ subsystem }) => (subsystem === '' ? '-' : readable(subsystem)) },
  device: { title: 'DEVICE', least: 13, cell: (_, name) => name },
  driver: { title: 'DRIVER', least: 8, cell: ({ driver }) => readable(driver ?? '-') },
  verdict: { title: 'VERDICT', cell: (row) => verdictText(row) },
  modules: {
    title: 'MODULES',
    least: 10,
    cell: ({ modules }) => (modules.length === 0 ? '-' : modules.map(readable).join(',')),
  },
  name: { title: 'NAME', least: 10, cell: (row, _, hardware) => readable(hardware(row.modaliases) ?? '-') },
  modalias: {
    title: 'MODALIAS',
    least: 10,
    cell: ({ modaliases }) =>
      readable(modaliases[0] ?? '') + (modaliases.length > 1 ? ` +${modaliases.length - 1}` : ''),
  },
  path: { title: 'PATH', least: 20, cell: ({ devpath }) => readable(devpath) },
  reason: { title: 'REASON', least: 20, cell: ({ reason }) => readable(reason) },
} as const satisfies Readonly<Record<string, DeviceColumn>>;

export type DeviceColumnName = keyof typeof COLUMNS;

/** The names of all columns. */
export const DEVICE_COLUMNS = Object.keys(COLUMNS) as readonly DeviceColumnName[];
const USUAL: readonly DeviceColumnName[] = ['bus', 'device', 'driver', 'verdict', 'modules', 'name'];
const TREE: readonly DeviceColumnName[] = ['bus', 'device', 'driver', 'verdict', 'modules', 'modalias'];

/** How devices are shown: which columns, and where names of hardware come from. */
export interface DeviceView {
  readonly terminal: Terminal;
  /** Without it the usual ones. */
  readonly columns?: readonly DeviceColumnName[] | undefined;
  readonly hardware: HardwareNames;
}

/** A table, one device a line, as wide as the terminal. */
export function deviceTable(rows: readonly DeviceRow[], view: DeviceView): string {
  return render(
    rows,
    rows.map((row) => readable(row.name)),
    view,
    columnsOf(view.columns ?? USUAL),
  );
}

function columnsOf(names: readonly DeviceColumnName[], device: Partial<Column> = {}): readonly DeviceColumn[] {
  return names.map((name) => ({ ...COLUMNS[name], ...(name === 'device' ? device : {}) }));
}

/** The same with each device below the device that it is behind. */
export function deviceTree(rows: readonly DeviceRow[], view: DeviceView): string {
  const sorted = rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  const above: string[] = [];
  const names = sorted.map((row) => {
    while (above.length > 0 && !row.devpath.startsWith(`${above.at(-1)}/`)) above.pop();
    above.push(row.devpath);
    return '  '.repeat(above.length - 1) + readable(row.name);
  });
  return render(sorted, names, view, columnsOf(view.columns ?? TREE, { least: 26 }));
}

/** Paths in an order in which each is followed by what lies below it. */
function key(row: DeviceRow): string {
  return row.devpath.replaceAll('/', '\u0001');
}

function render(
  rows: readonly DeviceRow[],
  names: readonly string[],
  { terminal, hardware }: DeviceView,
  columns: readonly DeviceColumn[],
): string {
  const cells = rows.map((row, i) => columns.map(({ cell }) => cell(row, names[i] ?? '', hardware)));
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
