/**
 * Reads devices from sysfs (Documentation/ABI, sysfs-rules). Each appears once, as a link, in
 * `/sys/bus/BUS/devices/` or `/sys/class/CLASS/`; its directory has a `uevent` file with the same KEY=value lines that the
 * kernel sends (without ACTION, DEVPATH, SUBSYSTEM, SEQNUM), and on most buses a `modalias` file.
 *
 *     DRIVER=e1000e
 *     PCI_CLASS=20000
 *     MODALIAS=pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00
 */
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { Devpath, Modalias } from '../../base/names.ts';
import { ownText } from '../../base/machine-text.ts';
import { readAttribute, readLinkName, readNames, readText } from '../attribute.ts';
import { KeyValues, type Properties } from '../uevents/key-values.ts';
import type { Uevent } from '../uevents/uevent.ts';
import { linkedDevices, linkedDevicesAsync } from './linked-devices.ts';

/** One device, from sysfs or from a uevent. */
export interface Device {
  readonly devpath: Devpath;
  /** The last component of the devpath: `0000:00:02.0`. */
  readonly name: string;
  readonly subsystem: string;
  /** The strings by which it asks for a driver, in order, each once. */
  readonly modaliases: readonly Modalias[];
  /** The kernel's KEY=value lines (`DRIVER`, `DEVTYPE`, `DEVNAME`, …). */
  readonly properties: Properties;
}

/**
 * Buses whose devices have further devices behind them come first: their drivers take longest to reveal all. Each row is one
 * batch.
 */
const BUS_ORDER = [
  ['pci', 'virtio'],
  ['cpu', 'usb', 'acpi', 'platform'],
];

/** Folders whose links lead to devices of one kind: those on a bus may have a `modalias` that is not in their `uevent`. */
interface Batch {
  readonly folders: readonly Folder[];
  readonly onBus: boolean;
}
interface Folder {
  readonly path: string;
  readonly subsystem: string;
}

/** All devices of `sysfs`, one by one. */
export function* readDevices(sysfs: string): Generator<Device> {
  for (const batch of batchesOf(sysfs)) {
    yield* devicesOf(sysfs, batch, linkedDevices(pathsOf(batch), batch.onBus));
  }
  yield* readModules(sysfs);
}

/** The same in batches, read on other threads from now on: callers can work on the first before the last is read. */
export function readDevicesAsync(sysfs: string): ReadonlyArray<Promise<Iterable<Device>>> {
  const batches = batchesOf(sysfs).map(async (batch): Promise<Iterable<Device>> =>
    devicesOf(sysfs, batch, await linkedDevicesAsync(pathsOf(batch), batch.onBus)),
  );
  return [...batches, Promise.resolve(readModules(sysfs))];
}

function batchesOf(sysfs: string): readonly Batch[] {
  const buses = readNames(`${sysfs}/bus`).map((bus) => ({ path: `${sysfs}/bus/${bus}/devices`, subsystem: bus }));
  const early = BUS_ORDER.map((line) => line.flatMap((name) => buses.filter(({ subsystem }) => subsystem === name)));
  const others = buses.filter((bus) => !early.flat().includes(bus));
  // A device of the old compatibility class `block` has no bus; it and every device of another class has its one entry here.
  const classes = readNames(`${sysfs}/class`).map((name) => ({ path: `${sysfs}/class/${name}`, subsystem: name }));
  return [...[...early, others].map((folders) => ({ folders, onBus: true })), { folders: classes, onBus: false }];
}

function pathsOf({ folders }: Batch): string[] {
  return folders.map(({ path }) => path);
}

/** The devices of a batch, from the text of its links. */
function* devicesOf(sysfs: string, { folders }: Batch, text: string): Generator<Device> {
  const fields = text.split('\0');
  let at = 0;
  for (const { path, subsystem } of folders) {
    for (;;) {
      const target = fields[at++] ?? '';
      if (target === '') break;
      const uevent = fields[at++] ?? '';
      const modalias = fields[at++] ?? '';
      const devpath = devpathOf(sysfs, path, target);
      if (devpath !== undefined) yield deviceOfText(devpath, subsystem, uevent, modalias.replace(/\n$/, ''));
    }
  }
}

/** udev's rules see each loaded module as a device of subsystem `module`. Reading its attributes gains nothing. */
function* readModules(sysfs: string): Generator<Device> {
  for (const name of readNames(`${sysfs}/module`)) {
    yield { devpath: `/module/${name}` as Devpath, name, subsystem: 'module', modaliases: [], properties: NONE };
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

function deviceOfText(devpath: Devpath, subsystem: string, uevent: string, modalias: string): Device {
  const properties = new KeyValues(uevent, '\n');
  const { modaliases } = properties;
  return {
    devpath,
    name: devpath.slice(devpath.lastIndexOf('/') + 1),
    subsystem,
    // On some buses only the attribute has it.
    modaliases: modaliases.length === 0 && modalias !== '' ? [modalias as Modalias] : modaliases,
    properties,
  };
}

/** The device whose directory is `sysfs + devpath`; undefined when it is gone. */
export function readDevice(sysfs: string, devpath: Devpath): Device | undefined {
  const directory = sysfs + devpath;
  const text = readText(`${directory}/uevent`);
  if (text === undefined) return undefined;
  const modalias = existsSync(`${directory}/modalias`) ? readAttribute(`${directory}/modalias`) : undefined;
  return deviceOfText(devpath, readLinkName(`${directory}/subsystem`) ?? '', text, modalias ?? '');
}

/** The same view of a device that the kernel just announced. Callers keep its path and modaliases for long, so these are copies. */
export function deviceOfUevent(uevent: Uevent): Device {
  return {
    devpath: ownText(uevent.devpath),
    name: uevent.devpath.slice(uevent.devpath.lastIndexOf('/') + 1),
    subsystem: uevent.subsystem,
    modaliases: uevent.modaliases.map(ownText),
    properties: uevent.properties,
  };
}

/** The driver bound to a device now (`e1000e`); undefined when none is. */
export function boundDriver(sysfs: string, devpath: Devpath): string | undefined {
  return readLinkName(`${sysfs}${devpath}/driver`);
}

/** The kernel's links all read `../../../devices/…`, with as many steps up as lead to sysfs; others need resolving in full. */
const UP = /^(?:\.\.\/)+(?=devices\/)/;

function devpathOf(sysfs: string, directory: string, target: string): Devpath | undefined {
  const up = UP.exec(target)?.[0].length;
  const steps = directory.slice(sysfs.length + 1).split('/').length;
  if (up === steps * 3) return target.slice(up - 1) as Devpath;
  const path = posix.resolve(directory, target);
  return path.startsWith(`${sysfs}/`) ? (path.slice(sysfs.length) as Devpath) : undefined;
}
