/**
 * The devices that sysfs shows (Documentation/ABI, sysfs-rules). Every device is listed once, as a link, in
 * `/sys/bus/BUS/devices/` or `/sys/class/CLASS/`; its directory has a `uevent` file with the same KEY=value lines that the
 * kernel sends (without ACTION, DEVPATH, SUBSYSTEM, SEQNUM), and on most buses a `modalias` file.
 *
 *     DRIVER=e1000e
 *     PCI_CLASS=20000
 *     MODALIAS=pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00
 */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import type { Devpath, Modalias } from '../base/names.ts';
import { readAttribute, readLinkName, readText } from './attribute.ts';
import type { Uevent } from './uevent.ts';

/** One device, from sysfs or from a uevent. */
export interface Device {
  readonly devpath: Devpath;
  /** The last component of the devpath: `0000:00:02.0`. */
  readonly name: string;
  readonly subsystem: string;
  /** What asks for a driver, in order, each once. */
  readonly modaliases: readonly Modalias[];
  /** The kernel's KEY=value lines (`DRIVER`, `DEVTYPE`, `DEVNAME`, …). */
  readonly properties: ReadonlyMap<string, string>;
}

/** The buses whose devices have further devices behind them come first: their drivers take longest to show all. */
const BUS_ORDER = ['pci', 'virtio', 'usb', 'acpi', 'platform'];

/** All devices of `sysfs`, one by one, so that work on the first can begin before the last was read. */
export function* readDevices(sysfs: string): Generator<Device> {
  const buses = list(`${sysfs}/bus`);
  buses.sort((a, b) => rank(a) - rank(b));
  for (const bus of buses) yield* readLinks(sysfs, `${sysfs}/bus/${bus}/devices`, bus, true);
  for (const kind of list(`${sysfs}/class`)) {
    // A device of the old compatibility class `block` without a bus, and every other class, has its one entry here.
    yield* readLinks(sysfs, `${sysfs}/class/${kind}`, kind, false);
  }
  // udev's rules see each loaded module as a device of subsystem `module`. It has no attribute worth a read.
  for (const name of list(`${sysfs}/module`)) {
    yield { devpath: `/module/${name}` as Devpath, name, subsystem: 'module', modaliases: [], properties: NONE };
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

/** The device whose directory is `sysfs + devpath`; undefined when there is no such device any more. */
export function readDevice(sysfs: string, devpath: Devpath, subsystem?: string, onBus = true): Device | undefined {
  const directory = sysfs + devpath;
  const text = readText(`${directory}/uevent`);
  if (text === undefined) return undefined;
  const properties = new Map<string, string>();
  const modaliases: Modalias[] = [];
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1);
    if (key === 'MODALIAS' && value !== '' && !modaliases.includes(value as Modalias))
      modaliases.push(value as Modalias);
    properties.set(key, value);
  }
  // Some buses have the attribute only. Classes never do, and asking costs a system call for each of their devices.
  if (modaliases.length === 0 && onBus && existsSync(`${directory}/modalias`)) {
    const value = readAttribute(`${directory}/modalias`);
    if (value !== undefined && value !== '') modaliases.push(value as Modalias);
  }
  return {
    devpath,
    name: devpath.slice(devpath.lastIndexOf('/') + 1),
    subsystem: subsystem ?? readLinkName(`${directory}/subsystem`) ?? '',
    modaliases,
    properties,
  };
}

/** The same view of a device that has just been announced. */
export function deviceOfUevent(uevent: Uevent): Device {
  return {
    devpath: uevent.devpath,
    name: uevent.devpath.slice(uevent.devpath.lastIndexOf('/') + 1),
    subsystem: uevent.subsystem,
    modaliases: uevent.modaliases,
    properties: uevent.properties,
  };
}

/** The driver bound to a device now (`e1000e`); undefined when none is. */
export function boundDriver(sysfs: string, devpath: Devpath): string | undefined {
  return readLinkName(`${sysfs}${devpath}/driver`);
}

function* readLinks(sysfs: string, directory: string, subsystem: string, onBus: boolean): Generator<Device> {
  for (const name of list(directory)) {
    let target: string;
    try {
      target = readlinkSync(`${directory}/${name}`);
    } catch {
      continue; // An attribute of the class, or a device that has just gone.
    }
    const path = devpathOf(sysfs, directory, target);
    if (path === undefined) continue;
    const device = readDevice(sysfs, path, subsystem, onBus);
    if (device !== undefined) yield device;
  }
}

/** The kernel's links all read `../../../devices/…`, as many steps up as lead to sysfs; others are resolved in full. */
const UP = /^(?:\.\.\/)+(?=devices\/)/;

function devpathOf(sysfs: string, directory: string, target: string): Devpath | undefined {
  const up = UP.exec(target)?.[0].length;
  const steps = directory.slice(sysfs.length + 1).split('/').length;
  if (up === steps * 3) return target.slice(up - 1) as Devpath;
  const path = posix.resolve(directory, target);
  return path.startsWith(`${sysfs}/`) ? (path.slice(sysfs.length) as Devpath) : undefined;
}

function rank(bus: string): number {
  const at = BUS_ORDER.indexOf(bus);
  return at < 0 ? BUS_ORDER.length : at;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
