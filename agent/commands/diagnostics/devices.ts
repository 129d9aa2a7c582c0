/** `plugd devices`: lists devices with their drivers and modules. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import { counted } from '../../base/words.ts';
import type { DeviceColumnName } from '../../report/devices/device-table.ts';
import type { Host } from '../../base/host.ts';
import { readBoundDevices, type BoundDevice } from '../../facts/devices/bound-device.ts';
import { readRecording } from '../../facts/devices/recording-file.ts';
import { headerLine, keptRequests, readHeader, type RecordingHeader } from '../../facts/devices/recording-header.ts';
import type { RecordedRoot } from '../../facts/devices/recorded-root.ts';
import { recordLine } from '../../facts/devices/recording.ts';
import type { ListedDevice } from '../../explain/device-list.ts';
import type { DeviceRow } from '../../records/device-row.ts';
import { bareWord } from '../../facts/devices/device-word.ts';
import { EXIT, HOST_OPTIONS, hostOf, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { checkMetrics, giveMetrics, METRICS, OUTPUT } from '../metrics-options.ts';
import { print, printBytes, printData, printJson, say, terminalAt } from '../output.ts';

const BUS: Option = {
  long: 'bus',
  short: 'b',
  value: 'NAME',
  multiple: true,
  help: 'only devices of this bus; a glob, may be repeated',
};
const NO_DRIVER: Option = { long: 'no-driver', help: 'only devices without a driver' };
const FAILED: Option = { long: 'failed', help: 'only devices whose modules cannot be loaded' };
const ALL: Option = {
  long: 'all',
  short: 'a',
  help: 'also what needs no driver, and devices with neither a MODALIAS nor a driver',
};
const COLUMNS: Option = {
  long: 'columns',
  short: 'o',
  value: 'COLUMNS',
  help: 'these columns: bus, device, driver, verdict, modules, name, modalias, path, reason',
};
const WIDE: Option = { long: 'wide', short: 'w', help: 'cut nothing' };
const TREE: Option = { long: 'tree', short: 't', help: 'each device below its parent' };
const CHECK: Option = { long: 'check', help: "read the modules' files too: what would the kernel refuse?" };
const RECORD: Option = { long: 'record', help: 'print the devices as a recording for plugd test --replay' };
const ROOT_DEVICE: Option = {
  long: 'root-device',
  value: 'PATH',
  help: 'record the file system at PATH as the root, an installed one for example (/)',
};
const REPLAY: Option = {
  long: 'replay',
  value: 'FILE',
  help: "show the devices of a recording, or of udevadm info --export-db ('-': standard input)",
};

/** `plugd devices`. */
export const command: Command = {
  name: 'devices',
  usage: '[OPTION…] [GLOB…]',
  options: [
    BUS,
    NO_DRIVER,
    FAILED,
    ALL,
    TREE,
    COLUMNS,
    WIDE,
    CHECK,
    RECORD,
    ROOT_DEVICE,
    REPLAY,
    METRICS,
    OUTPUT,
    OPTION.json,
    OPTION.quiet,
    ...HOST_OPTIONS,
  ],
  notes: `
A GLOB matches a device's name, path, MODALIAS, driver or modules; without * or
? it matches a part of them. An ID, 8086:10d3, matches PCI and USB devices.
plugd test DEVICE explains one device. The table begins with what needs
attention; it leaves out what nothing matches and what needs no driver.
Exit status: 0 done; 1 nothing matched.`,
  async run(args) {
    const parsed = parse(command, args);
    checkMetrics(parsed);
    const file = parsed.value(REPLAY);
    const recorded = file !== undefined;
    const host = hostOf(parsed, recorded ? 'recorded' : true);
    if (parsed.has(ROOT_DEVICE) && (!parsed.has(RECORD) || recorded))
      throw new PlugdError('usage', '--root-device goes with --record, of this machine');
    const chosen = await filter(parsed);
    const recording = recorded ? readRecording(file) : undefined;
    const bound = chosen.bound(recording?.devices ?? readBoundDevices(host.sysfs));
    if (parsed.has(RECORD)) {
      if (recording !== undefined) return record(recording.header, bound);
      const { withFirmware } = await import('../../explain/replay/recorded-firmware.ts');
      const header = readHeader(host.sysfs, new Date());
      const ledger = host.sysfs === '/sys' ? await (await import('./agent-facts.ts')).agentLedger() : undefined;
      const asked = ledger?.flatMap(({ by, name }) => (by === 'kernel' && name !== undefined ? [name] : []));
      const root = await rootOf(host, parsed.value(ROOT_DEVICE));
      const whole = {
        ...header,
        ...(asked === undefined ? {} : { asked: keptRequests(asked) }),
        ...(root === undefined ? {} : { root }),
      };
      return record(whole, withFirmware(host, bound));
    }
    const { listDevices } = await import('../../explain/device-list.ts');
    const columns = columnsOf(parsed);
    const list = listDevices(bound, { host, recorded, deep: parsed.has(CHECK) });
    if (list.sources.kind === 'no-tree' && !parsed.has(OPTION.quiet)) say(`plugd: ${list.sources.reason}\n`);
    const devices = list.devices.filter((device) => chosen.listed(device));
    const rows = devices.map(({ row }) => row);
    if (parsed.has(METRICS)) {
      giveMetrics(parsed, (await import('../../report/devices/device-metrics.ts')).deviceMetricsText(rows));
      return EXIT.done;
    }
    await show(rows, host, parsed, await columns);
    return devices.length === 0 ? EXIT.negative : EXIT.done;
  },
};

interface Filter {
  /** What is known before any lookup. */
  bound(devices: Iterable<BoundDevice>): Iterable<BoundDevice>;
  listed(device: ListedDevice): boolean;
}

async function filter(parsed: Arguments): Promise<Filter> {
  const buses = await busGlobs(parsed.values(BUS));
  const words = parsed.words.length === 0 ? [] : await deviceGlobs(machineWords(parsed.words));
  const all = parsed.has(ALL);
  const noDriver = parsed.has(NO_DRIVER);
  const failed = parsed.has(FAILED);
  return {
    *bound(devices) {
      for (const device of devices) {
        if (!all && device.modaliases.length === 0 && device.driver === undefined) continue;
        if (buses.length > 0 && !buses.some((bus) => bus(device.subsystem))) continue;
        if (!noDriver || device.driver === undefined) yield device;
      }
    },
    listed: ({ row }) =>
      (!failed || row.verdict === 'failed') && (words.length === 0 || words.some((selects) => selects(row))),
  };
}

async function busGlobs(words: readonly string[]): Promise<ReadonlyArray<(text: string) => boolean>> {
  if (words.length === 0) return [];
  const { compileGlob } = await import('../../rules/glob.ts');
  return words.map((word) => compileGlob(bareWord(word)));
}

async function deviceGlobs(words: readonly string[]): Promise<ReadonlyArray<(row: DeviceRow) => boolean>> {
  const { deviceGlob } = await import('./device-glob.ts');
  return words.map(deviceGlob);
}

/** What the recording tells of the root file system. A path that is given must lead to something. */
async function rootOf(host: Host, path: string | undefined): Promise<RecordedRoot | undefined> {
  const { keptRoot, readRoot } = await import('../../facts/devices/recorded-root.ts');
  if (path === undefined) return readRoot(host);
  const { storagePath } = await import('../../facts/devices/storage-path.ts');
  const way = storagePath(host, path);
  const root = keptRoot(way);
  if (root === undefined) throw new PlugdError('unreadable', `--root-device ${path}: ${way.untold.join('; ')}`);
  for (const line of way.untold) say(`plugd: ${line}\n`);
  return root;
}

function record(header: RecordingHeader, devices: Iterable<BoundDevice>): number {
  let text = '';
  for (const device of devices) text += recordLine(device);
  printData(headerLine(header) + text);
  return text === '' ? EXIT.negative : EXIT.done;
}

/** The columns of -o; undefined without it. Errors: `usage`. */
async function columnsOf(parsed: Arguments): Promise<readonly DeviceColumnName[] | undefined> {
  const text = parsed.value(COLUMNS);
  if (text === undefined) return undefined;
  const { DEVICE_COLUMNS } = await import('../../report/devices/device-table.ts');
  return text.split(',').map((word) => {
    const column = DEVICE_COLUMNS.find((each) => each === word.toLowerCase());
    if (column === undefined)
      throw new PlugdError('usage', `-o ${word}: not one of ${DEVICE_COLUMNS.join(', ')}`, {
        remedy: 'see plugd devices --help',
      });
    return column;
  });
}

async function show(
  rows: readonly DeviceRow[],
  host: Host,
  parsed: Arguments,
  columns: readonly DeviceColumnName[] | undefined,
): Promise<void> {
  if (parsed.has(OPTION.json)) {
    printJson({ kernel: host.kernel, moduleDir: host.moduleDir, devices: rows }, 1);
    return;
  }
  if (rows.length === 0) {
    if (!parsed.has(OPTION.quiet))
      say(`plugd: no device matches${parsed.has(ALL) ? '' : '; see plugd devices --all'}\n`);
    return;
  }
  if (parsed.has(OPTION.quiet)) {
    printBytes(rows.map(({ devpath }) => `${devpath}\n`).join(''));
    return;
  }
  const { deviceCounts, deviceTable, deviceTree } = await import('../../report/devices/device-table.ts');
  const { attentionFirst, isFurniture } = await import('../../report/devices/device-order.ts');
  const { hardwareNamesFor } = await import('../../facts/devices/hardware-names.ts');
  const terminal = terminalAt(1);
  const width = parsed.has(WIDE) ? Infinity : terminal.width;
  const view = { terminal: { ...terminal, width }, columns, hardware: hardwareNamesFor(host) };
  // Who names devices means them.
  const asked = parsed.words.length > 0 || [ALL, TREE, NO_DRIVER].some((option) => parsed.has(option));
  const shown = asked ? rows : rows.filter((row) => !isFurniture(row));
  print(parsed.has(TREE) ? deviceTree(rows, view) : deviceTable(attentionFirst(shown), view));
  const hidden = rows.length - shown.length;
  if (hidden > 0 && terminal.isTTY) print(`${counted(hidden, 'device')} that need no driver: --all shows them\n`);
  if (terminal.isTTY) print(`${deviceCounts(rows)}\n`);
}
