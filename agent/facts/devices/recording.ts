/**
 * A machine's devices in a file: one JSON object per line, in ASCII. The first line describes the machine (recording-header.ts),
 * each other line one device.
 *
 *     {"devpath":"/devices/pci0000:00/0000:00:1f.2","subsystem":"pci","modalias":"pci:v00008086d00002922…","driver":"ahci","module":"ahci"}
 *     {"devpath":"/devices/pci0000:00/0000:00:1c.0","subsystem":"pci","modalias":"pci:v00008086d0000283F…","driver":"pcieport","builtin":true}
 *
 * `devpath` is required. The rest is optional: `modalias`, or `modaliases` where a device has several; the `driver` bound to it,
 * and either the `module` that contains the driver or `builtin` for a driver inside the kernel; `firmware`, the files that this
 * module names and the machine has; `properties`, those of the kernel's that rules look at. A recording leaves out serial
 * numbers, addresses and names that people gave. Readers ignore unknown keys. `plugd devices --record` writes such files;
 * readers also take those of plugd 0.1, which have no first line. Bytes that are not ASCII are written as \u00XX: one
 * character is one byte, as everywhere in machine text.
 */
import type { Devpath, Modalias } from '../../base/names.ts';
import { PlugdError, reason } from '../../base/error.ts';
import { isKeptProperty, type BoundDevice } from './bound-device.ts';
import { isExportDb, parseExportDb } from './export-db.ts';
import {
  asciiJson,
  latin1,
  LONGEST_LINE,
  MOST_DEVICES,
  NO_HEADER,
  parseHeader,
  refused,
  REMEDY,
  type RecordingHeader,
} from './recording-header.ts';

/** A whole recording. */
export interface Recording {
  readonly header: RecordingHeader;
  readonly devices: readonly BoundDevice[];
}

/** A device's line, with its newline. */
export function recordLine(device: BoundDevice): string {
  const [first, ...more] = device.modaliases;
  const kept = [...device.properties].filter(([key]) => isKeptProperty(key));
  return asciiJson({
    devpath: device.devpath,
    ...(device.subsystem === '' ? {} : { subsystem: device.subsystem }),
    ...(first === undefined ? {} : { modalias: first }),
    ...(more.length === 0 ? {} : { modaliases: device.modaliases }),
    ...(device.driver === undefined ? {} : { driver: device.driver }),
    ...(device.driverModule === undefined ? {} : { module: device.driverModule }),
    ...(device.builtin === true ? { builtin: true } : {}),
    ...(device.firmware === undefined ? {} : { firmware: device.firmware }),
    ...(kept.length === 0 ? {} : { properties: Object.fromEntries(kept) }),
  });
}

/**
 * The devices of a recording's text, or of that of `udevadm info --export-db`; none for an empty one. Errors: `usage`, naming
 * the file and the line that is not a device, too long, or one too many.
 */
export function parseRecording(text: string, file: string): readonly BoundDevice[] {
  return parseMachine(text, file).devices;
}

/** The same with what the recording says of its machine. */
export function parseMachine(text: string, file: string): Recording {
  if (isExportDb(text)) return { header: NO_HEADER, devices: parseExportDb(text, file) };
  const devices: BoundDevice[] = [];
  let header: RecordingHeader | undefined;
  let number = 0;
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    number++;
    if (end - from > LONGEST_LINE) throw refused(file, number, `a line of more than ${LONGEST_LINE} characters`);
    const line = text.slice(from, end);
    from = end + 1;
    if (line.trim() === '') continue;
    const fields = parseObject(line, `${file}:${number}`);
    if (header === undefined && devices.length === 0) {
      const first = parseHeader(fields);
      if (typeof first === 'string') throw refused(file, number, first);
      header = first ?? NO_HEADER;
      if (first !== undefined) continue;
    }
    if (devices.length >= MOST_DEVICES) throw refused(file, number, `more than ${MOST_DEVICES} devices`);
    devices.push(deviceOf(fields, `${file}:${number}`, header !== undefined && header !== NO_HEADER));
  }
  return { header: header ?? NO_HEADER, devices };
}

function parseObject(line: string, place: string): Readonly<Record<string, unknown>> {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    throw new PlugdError('usage', `${place}: not JSON: ${reason(error)}`, { remedy: REMEDY });
  }
  if (typeof record !== 'object' || record === null)
    throw new PlugdError('usage', `${place}: not a JSON object`, { remedy: REMEDY });
  return record as Readonly<Record<string, unknown>>;
}

function deviceOf(fields: Readonly<Record<string, unknown>>, place: string, certain: boolean): BoundDevice {
  const text = (key: string): string | undefined => {
    const value = fields[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return latin1(value);
    throw new PlugdError('usage', `${place}: '${key}' is not a string`, { remedy: REMEDY });
  };
  const texts = (key: string): readonly string[] | undefined => {
    const value = fields[key];
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.map(latin1) : undefined;
  };
  const devpath = text('devpath');
  if (devpath?.startsWith('/') !== true) {
    throw new PlugdError('usage', `${place}: no 'devpath' that begins with '/'`, { remedy: REMEDY });
  }
  const modalias = text('modalias');
  const properties = new Map<string, string>();
  const given = fields['properties'];
  if (typeof given === 'object' && given !== null) {
    for (const [key, value] of Object.entries(given)) if (typeof value === 'string') properties.set(key, latin1(value));
  }
  const driver = text('driver');
  const driverModule = text('module');
  return {
    devpath: devpath as Devpath,
    name: devpath.slice(devpath.lastIndexOf('/') + 1),
    subsystem: text('subsystem') ?? '',
    modaliases: [...new Set([...(modalias === undefined ? [] : [modalias]), ...(texts('modaliases') ?? [])])].filter(
      (value) => value !== '',
    ) as Modalias[],
    properties,
    driver,
    driverModule,
    // Names of modules in recordings of plugd 0.1 may be of parts of the kernel.
    builtin: driverModule === undefined ? (fields['builtin'] === true ? true : undefined) : certain ? false : undefined,
    firmware: texts('firmware'),
  };
}
