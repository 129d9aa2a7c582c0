/**
 * Finds the device that a person means, in sysfs and /dev; reads only. Bus addresses, device nodes and network interface names
 * are distinct enough that people need not say which kind they give.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import type { Devpath } from '../../base/names.ts';
import { statHere } from '../../base/root.ts';
import { readAttribute, readLinkName, readNames } from '../attribute.ts';
import { addressBus, bareWord, deviceId, type DeviceId } from './device-word.ts';
import { readDevice, type Device } from './device.ts';

/** What a word stands for. */
export type DeviceSearch =
  | { readonly kind: 'device'; readonly device: Device; readonly meant: string }
  /** The MODALIAS itself, without what stood around it. */
  | { readonly kind: 'modalias'; readonly modalias: string }
  /** `ambiguous`: devices on several buses have that name. */
  | { readonly kind: 'ambiguous'; readonly devpaths: readonly Devpath[] }
  /** `absent`: nothing but a device is written so, and there is no such device. */
  | { readonly kind: 'none' | 'absent'; readonly looked: string };

/**
 * Tries these in order: a path below sysfs (`/sys/…` or `/devices/…`), a node in /dev, a network
 * interface, an address on any bus (`0000:00:02.0`, also without its domain; `1-1.2`), the ID of a PCI or USB device
 * (`8086:10d3`). Anything else with a colon is a MODALIAS, also as a line of a uevent (`MODALIAS=…`).
 * A device of a class (a disk, an interface) has no driver of its own, so the answer is the device behind it.
 */
export function findDevice(host: Host, given: string): DeviceSearch {
  const word = bareWord(given);
  if (/^\/(sys|devices)(\/|$)/.test(word)) return ofPath(host, word);
  if (word.startsWith(`${host.sysfs}/`)) return ofPath(host, word.slice(host.sysfs.length));
  if (word.startsWith('/dev/')) return ofNode(host, word);
  const names = [word, `0000:${word}`];
  const net = resolved(host, `/class/net/${word}`);
  if (!word.includes('/') && net !== undefined) return behind(host, net, `network interface ${word}`);
  const found = new Set<Devpath>();
  for (const bus of word.includes('/') ? [] : readNames(`${host.sysfs}/bus`)) {
    for (const name of names) {
      const path = resolved(host, `/bus/${bus}/devices/${name}`);
      if (path !== undefined) found.add(path);
    }
  }
  const [only, other] = found;
  if (only !== undefined && other !== undefined) return { kind: 'ambiguous', devpaths: [...found] };
  if (only !== undefined) return behind(host, only, undefined);
  const id = deviceId(word);
  if (id !== undefined) return ofId(host, word, id);
  const bus = addressBus(word);
  if (bus !== undefined) return { kind: 'absent', looked: `there is no device ${word} here (${bus})` };
  if (word.includes(':')) return { kind: 'modalias', modalias: word };
  return {
    kind: 'none',
    looked: `'${word}' is not a device on any bus of ${host.sysfs}, a network interface or a MODALIAS`,
  };
}

function ofPath(host: Host, word: string): DeviceSearch {
  const path = resolved(host, word.replace(/^\/sys(?=\/|$)/, ''));
  if (path === undefined) return { kind: 'none', looked: `there is no ${host.sysfs}${word.replace(/^\/sys/, '')}` };
  return behind(host, path, undefined);
}

/** A PCI device by its attributes `vendor` and `device` (0x8086), or a USB device by `idVendor` and `idProduct` (0bda). */
function ofId(host: Host, word: string, { vendor, product }: DeviceId): DeviceSearch {
  const found: Devpath[] = [];
  for (const [bus, keys] of [
    ['pci', ['vendor', 'device']],
    ['usb', ['idVendor', 'idProduct']],
  ] as const) {
    for (const name of readNames(`${host.sysfs}/bus/${bus}/devices`)) {
      const path = `/bus/${bus}/devices/${name}`;
      const [own, its] = keys.map((key) => readAttribute(`${host.sysfs}${path}/${key}`)?.replace(/^0x/, ''));
      const device = own === vendor && its === product ? resolved(host, path) : undefined;
      if (device !== undefined) found.push(device);
    }
  }
  const [only, other] = found;
  if (other !== undefined) return { kind: 'ambiguous', devpaths: found };
  if (only !== undefined) return behind(host, only, `ID ${word}`);
  return { kind: 'absent', looked: `there is no PCI or USB device with the ID ${word} here` };
}

function ofNode(host: Host, word: string): DeviceSearch {
  const stat = statHere(word);
  if (stat === undefined) return { kind: 'none', looked: `there is no ${word}` };
  const kind = stat.isBlockDevice() ? 'block' : stat.isCharacterDevice() ? 'char' : undefined;
  if (kind === undefined) return { kind: 'none', looked: `${word} is not a device node` };
  // glibc's makedev: 12 + 20 bits of the major, 8 + 24 of the minor, interleaved.
  const rdev = BigInt(stat.rdev);
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  const path = resolved(host, `/dev/${kind}/${major}:${minor}`);
  if (path === undefined)
    return {
      kind: 'none',
      looked: `${word} is device ${major}:${minor}, which ${host.sysfs}/dev/${kind} does not have`,
    };
  return behind(host, path, `device node ${word}`);
}

/** The devpath that a path below sysfs leads to; undefined when no device is there. */
function resolved(host: Host, path: string): Devpath | undefined {
  // An exception costs a hundred times this check, and most checks find nothing.
  if (!existsSync(host.sysfs + path)) return undefined;
  try {
    const sysfs = realpathSync(host.sysfs);
    const real = realpathSync(host.sysfs + path);
    if (!real.startsWith(`${sysfs}/`) || !existsSync(`${real}/uevent`)) return undefined;
    return real.slice(sysfs.length) as Devpath;
  } catch {
    return undefined;
  }
}

/** The device at a path or, for a device of a class, the nearest one above it that can have a driver. */
function behind(host: Host, path: Devpath, as: string | undefined): DeviceSearch {
  const own = readDevice(host.sysfs, path);
  if (own === undefined) return { kind: 'none', looked: `${host.sysfs}${path} has gone` };
  if (!isOfClass(host, path))
    return { kind: 'device', device: own, meant: as === undefined ? describe(own) : `${as}, ${describe(own)}` };
  for (let above = parent(path); above !== undefined; above = parent(above)) {
    if (isOfClass(host, above) || !existsSync(`${host.sysfs}${above}/uevent`)) continue;
    const device = readDevice(host.sysfs, above);
    if (device === undefined || device.subsystem === '') continue;
    return { kind: 'device', device, meant: `${as ?? describe(own)} of ${describe(device)}` };
  }
  return { kind: 'device', device: own, meant: as === undefined ? describe(own) : `${as}, ${describe(own)}` };
}

/** `pci 0000:00:02.0` */
export function describe({ subsystem, name }: Pick<Device, 'subsystem' | 'name'>): string {
  return subsystem === '' ? name : `${subsystem} ${name}`;
}

function isOfClass(host: Host, path: Devpath): boolean {
  const subsystem = readLinkName(`${host.sysfs}${path}/subsystem`);
  return (
    subsystem === undefined ||
    (!existsSync(`${host.sysfs}/bus/${subsystem}`) && hasFolder(`${host.sysfs}/class/${subsystem}`))
  );
}

function hasFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function parent(path: Devpath): Devpath | undefined {
  const slash = path.lastIndexOf('/');
  const above = path.slice(0, slash);
  return above === '' || above === '/devices' ? undefined : (above as Devpath);
}
