/**
 * A machine's devices in a file: one JSON object per line, in UTF-8, one device each. Reads sysfs; writes nothing itself.
 *
 *     {"devpath":"/devices/pci0000:00/0000:00:1f.2","subsystem":"pci","modalias":"pci:v00008086d00002922…","driver":"ahci","module":"ahci"}
 *
 * `devpath` is required. The rest is optional: `modalias`, or `modaliases` where a device has several; the `driver` bound to it
 * and the `module` that contains the driver (absent: inside the kernel, or not recorded); `properties`, those of the kernel's
 * that rules look at. A recording leaves out serial numbers, addresses and names that people gave. Readers ignore unknown keys.
 * `plugd devices --record` writes such files, with bytes that are not ASCII as \u00XX: one character is one byte, as everywhere
 * in machine text.
 */
import type { Devpath, Modalias } from '../../base/names.ts';
import { PlugdError, reason } from '../../base/error.ts';
import { toMachineText } from '../../base/machine-text.ts';
import { readLinkName } from '../attribute.ts';
import { readDevices, type Device } from './device.ts';

/** A device with what is bound to it. */
export interface BoundDevice extends Device {
  /** `ahci`; undefined when no driver is bound. */
  readonly driver: string | undefined;
  /** The module that contains the driver, `virtio_net`; undefined for a driver inside the kernel, or when it is not known. */
  readonly driverModule: string | undefined;
}

/** The properties that a recording keeps: load rules use them, and they reveal nothing about the owner. */
const KEPT = /^(DEVTYPE|DEVNAME|INTERFACE|TIFM_CARD_TYPE|PCI_CLASS|PRODUCT|TYPE|OF_NAME|OF_COMPATIBLE_\d+|SERIO_TYPE)$/;

/** All devices of `sysfs`, with their drivers, without the modules (subsystem `module`). */
export function* readBoundDevices(sysfs: string): Generator<BoundDevice> {
  for (const device of readDevices(sysfs)) if (device.subsystem !== 'module') yield bound(sysfs, device);
}

/** The device with the driver that is bound to it now. */
export function bound(sysfs: string, device: Device): BoundDevice {
  const driver = readLinkName(`${sysfs}${device.devpath}/driver`);
  const driverModule = driver === undefined ? undefined : readLinkName(`${sysfs}${device.devpath}/driver/module`);
  return { ...device, driver, driverModule };
}

/** A device's line, with its newline. */
export function recordLine(device: BoundDevice): string {
  const [first, ...more] = device.modaliases;
  const kept = [...device.properties].filter(([key]) => KEPT.test(key));
  const record = {
    devpath: device.devpath,
    ...(device.subsystem === '' ? {} : { subsystem: device.subsystem }),
    ...(first === undefined ? {} : { modalias: first }),
    ...(more.length === 0 ? {} : { modaliases: device.modaliases }),
    ...(device.driver === undefined ? {} : { driver: device.driver }),
    ...(device.driverModule === undefined ? {} : { module: device.driverModule }),
    ...(kept.length === 0 ? {} : { properties: Object.fromEntries(kept) }),
  };
  return `${JSON.stringify(record).replaceAll(/[\x7f-\xff]/g, escape)}\n`;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The devices of a recording's text. Errors: `usage`, naming the file and the line that is not a device. */
export function parseRecording(text: string, file: string): readonly BoundDevice[] {
  const devices: BoundDevice[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    if (line.trim() !== '') devices.push(parseLine(line, `${file}:${number}`));
  }
  return devices;
}

function parseLine(line: string, place: string): BoundDevice {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    throw new PlugdError('usage', `${place}: not JSON: ${reason(error)}`, { remedy: REMEDY });
  }
  if (typeof record !== 'object' || record === null)
    throw new PlugdError('usage', `${place}: not a JSON object`, { remedy: REMEDY });
  const fields = record as Readonly<Record<string, unknown>>;
  const text = (key: string): string | undefined => {
    const value = fields[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return latin1(value);
    throw new PlugdError('usage', `${place}: '${key}' is not a string`, { remedy: REMEDY });
  };
  const devpath = text('devpath');
  if (devpath?.startsWith('/') !== true) {
    throw new PlugdError('usage', `${place}: no 'devpath' that begins with '/'`, { remedy: REMEDY });
  }
  const modalias = text('modalias');
  const several = fields['modaliases'];
  const modaliases =
    Array.isArray(several) && several.every((value) => typeof value === 'string') ? several.map(latin1) : [];
  const properties = new Map<string, string>();
  const given = fields['properties'];
  if (typeof given === 'object' && given !== null) {
    for (const [key, value] of Object.entries(given)) if (typeof value === 'string') properties.set(key, latin1(value));
  }
  return {
    devpath: devpath as Devpath,
    name: devpath.slice(devpath.lastIndexOf('/') + 1),
    subsystem: text('subsystem') ?? '',
    modaliases: [...new Set([...(modalias === undefined ? [] : [modalias]), ...modaliases])].filter(
      (value) => value !== '',
    ) as Modalias[],
    properties,
    driver: text('driver'),
    driverModule: text('module'),
  };
}

const REMEDY = "a recording is one JSON object per line, as 'plugd devices --record' writes it";

/** Text of other tools may hold characters beyond a byte; they stand for their UTF-8 bytes. */
function latin1(text: string): string {
  return /[^\x00-\xff]/.test(text) ? toMachineText(text) : text;
}
