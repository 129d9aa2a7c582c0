/**
 * The text of `udevadm info --export-db`: records of lines with one letter in front, an empty line behind each.
 *
 *     P: /devices/pci0000:00/0000:00:1f.2
 *     U: pci                                   (since systemd 253: subsystem, and the driver as V:)
 *     E: DRIVER=ahci
 *     E: MODALIAS=pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01
 *
 * It does not say which module a driver is in. Source: udevadm(8), udevadm-info.c.
 */
import type { Devpath, Modalias } from '../../base/names.ts';
import { isKeptProperty, type BoundDevice } from './bound-device.ts';
import { latin1, LONGEST_LINE, MOST_DEVICES, refused } from './recording-header.ts';

/** Whether a text is one: its first line names a device's path. */
export function isExportDb(text: string): boolean {
  return /^\s*P: \//.test(text.slice(0, 4096));
}

/** The devices of such a text; modules (subsystem `module`) are none. Errors: `usage` for what no machine has. */
export function parseExportDb(text: string, file: string): readonly BoundDevice[] {
  const devices: BoundDevice[] = [];
  let record: Record<string, string> | undefined;
  const end = (): void => {
    const device = record === undefined ? undefined : deviceOf(record);
    if (device !== undefined) devices.push(device);
    record = undefined;
  };
  let number = 0;
  for (const line of linesOf(text)) {
    number++;
    if (line.length > LONGEST_LINE) throw refused(file, number, `a line of more than ${LONGEST_LINE} characters`);
    const match = /^([PUVE]): (.*?)\r?$/s.exec(line);
    if (match === null) {
      if (line.trim() === '') end();
      continue;
    }
    const [, letter = '', value = ''] = match;
    if (letter === 'P') {
      end();
      if (devices.length >= MOST_DEVICES) throw refused(file, number, `more than ${MOST_DEVICES} devices`);
      if (value.startsWith('/')) record = { P: latin1(value) };
    } else if (record !== undefined) {
      const equals = letter === 'E' ? value.indexOf('=') : -1;
      const [key, content] =
        letter === 'E' ? [`E:${value.slice(0, equals)}`, value.slice(equals + 1)] : [letter, value];
      // Of a repeated key the first counts.
      if (letter !== 'E' || equals > 0) record[key] ??= latin1(content);
    }
  }
  end();
  return devices;
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(from, end);
    from = end + 1;
  }
}

function deviceOf(record: Readonly<Record<string, string>>): BoundDevice | undefined {
  const devpath = record['P'] ?? '';
  const subsystem = record['U'] ?? record['E:SUBSYSTEM'] ?? '';
  if (subsystem === 'module') return undefined;
  const modalias = record['E:MODALIAS'];
  const properties = new Map<string, string>();
  for (const [key, value] of Object.entries(record)) {
    if (key.startsWith('E:') && isKeptProperty(key.slice(2))) properties.set(key.slice(2), value);
  }
  return {
    devpath: devpath as Devpath,
    name: devpath.slice(devpath.lastIndexOf('/') + 1),
    subsystem,
    modaliases: modalias === undefined || modalias === '' ? [] : [modalias as Modalias],
    properties,
    driver: record['V'] ?? record['E:DRIVER'],
    driverModule: undefined,
    builtin: undefined,
    firmware: undefined,
  };
}
