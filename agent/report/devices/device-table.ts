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

/** With its name. */
interface NamedColumn extends DeviceColumn {
  readonly name: DeviceColumnName;
}

const COLUMNS = {
  bus: { title: 'BUS', least: 8, cell: ({ subsystem }) => (subsystem === '' ? '-' : readable(subsystem)) },
  device: { title: 'DEVICE', least: 13, cell: (_, name) => name },
  driver: { title: 'DRIVER', least: 8, cell: ({ driver }) => readable(driver ?? '-') },
  verdict: { title: 'VERDICT', least: 18, cell: (row) => verdictText(row) },
  modules: {
    title: 'MODULES',
    least: 10,
    cell: ({ modules }) => (modules.length === 0 ? '-' : modules.map(readable).join(',')),
  },
  name: {
    title: 'NAME',
    least: 12,
    spare: true,
    cell: (row, _, hardware) => readable(hardware(row.modaliases) ?? '-'),
  },
  modalias: {
    title: 'MODALIAS',
    least: 14,
    spare: true,
    cell: ({ modaliases }) =>
      readable(modaliases[0] ?? '') + (modaliases.length > 1 ? ` +${modaliases.length - 1}` : ''),
  },
  path: { title: 'PATH', least: 20, cell: ({ devpath }) => readable(devpath) },
  reason: { title: 'REASON', least: 20, cell: ({ reason }) => readable(reason) },
} as const satisfies Readonly<Record<string, DeviceColumn>>;

export type DeviceColumnName = keyof typeof COLUMNS;

/** The names of all columns. */
export const DEVICE_COLUMNS = Object.keys(COLUMNS) as readonly DeviceColumnName[];
/** Those that are shown though no device has anything in them. */
const FIRM: ReadonlySet<DeviceColumnName> = new Set(['bus', 'device', 'driver', 'verdict']);
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
    columnsOf(view, USUAL),
  );
}

/** Those that were asked for, none of which is left out; else the usual ones. */
function columnsOf(
  { columns }: DeviceView,
  usual: readonly DeviceColumnName[],
  device: Partial<Column> = {},
): readonly NamedColumn[] {
  const asked = columns === undefined ? {} : { spare: false };
  return (columns ?? usual).map((name) => ({ ...COLUMNS[name], ...(name === 'device' ? device : {}), ...asked, name }));
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
  return render(sorted, names, view, columnsOf(view, TREE, { least: 26 }));
}

/** Paths in an order in which each is followed by what lies below it. */
function key(row: DeviceRow): string {
  return row.devpath.replaceAll('/', '\u0001');
}

function render(
  rows: readonly DeviceRow[],
  names: readonly string[],
  { terminal, hardware }: DeviceView,
  columns: readonly NamedColumn[],
): string {
  const all = rows.map((row, i) => columns.map(({ cell }) => cell(row, names[i] ?? '', hardware)));
  // On a terminal a column without anything in it only takes room. Programs want each where it always is.
  const told = columns.map(
    ({ name, spare }, i) =>
      spare === false || terminal.width === Infinity || FIRM.has(name) || all.some((cells) => cells[i] !== '-'),
  );
  const cells = all.map((row) => row.filter((_, i) => told[i]));
  const [title = '', ...lines] = table(
    columns.filter((_, i) => told[i]),
    cells,
    terminal.width,
  );
  const painted = lines.map((line, i) => {
    const row = rows[i];
    if (!terminal.colour || row === undefined) return line;
    const { at, word } = verdictAt(line, title, verdictText(row));
    return at < 2 ? line : line.slice(0, at) + paintVerdict(terminal, row.verdict, word) + line.slice(at + word.length);
  });
  return `${[paint(terminal, 'bold', title), ...painted].join('\n')}\n`;
}

/** Where a verdict stands in its line, whole or cut; before column 2 where it is not shown. */
function verdictAt(line: string, title: string, word: string): { readonly at: number; readonly word: string } {
  const whole = line.indexOf(`  ${word}`);
  if (whole >= 0) return { at: whole + 2, word };
  const at = title.indexOf(COLUMNS.verdict.title);
  return { at, word: at < 0 ? '' : (line.slice(at).split('…')[0] ?? '') };
}

/** `412 devices: 120 loaded, 3 failed` */
export function deviceCounts(rows: readonly DeviceRow[]): string {
  const counts = new Map<Verdict, number>();
  for (const row of rows) counts.set(row.verdict, (counts.get(row.verdict) ?? 0) + 1);
  const parts = [...counts].toSorted((a, b) => b[1] - a[1]).map(([verdict, count]) => `${count} ${verdict}`);
  return `${counted(rows.length, 'device')}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}
