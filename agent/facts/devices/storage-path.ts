/**
 * The way of a file system down to its disks: what the mount table, device mapper, md and sysfs say. Reads only.
 *
 *     /  →  ext4 on /dev/mapper/vg-root  →  dm-1 (LVM)  →  dm-0 (CRYPT)  →  sda3  →  sda  →  0:0:0:0 … ata1 … 0000:00:1f.2
 *
 * Sources: proc(5) (mountinfo), Documentation/ABI/stable/sysfs-block, drivers/md/md.c (level), drivers/nvme/host/multipath.c.
 */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readAttribute, readNames, readText } from '../attribute.ts';
import { parseMounts, type MountLine } from '../kernel/mount-info.ts';

/** Something on the way that the kernel has a module for: an alias or a module's name, and what wants it. */
export interface StorageWant {
  /** `fs-ext4`, `md-raid1`, `dm_crypt`. */
  readonly name: string;
  /** `the file system of /`, `dm-0`. */
  readonly of: string;
  /** Another kernel may do without it: its ciphers lie in modules of other names, or inside it. */
  readonly optional?: true;
}

/** The way. */
export interface StoragePath {
  readonly wants: readonly StorageWant[];
  /** The devices in sysfs of its disks: `/devices/pci0000:00/0000:00:1f.2/ata1/…/block/sda`. Each device above one is on the way, too. */
  readonly disks: readonly string[];
  /** What could not be followed: `tmpfs of /run is on no block device`. */
  readonly untold: readonly string[];
}

/** Where the machine shows itself. */
export interface StoragePlaces {
  readonly sysfs: string;
  readonly proc: string;
}

/** The way of the file systems at `paths`, or of block devices in /dev: `storagePath(host, '/')`. */
export function storagePath(places: StoragePlaces, ...paths: readonly string[]): StoragePath {
  const walk = new Walk(places);
  for (const path of paths) {
    if (path.startsWith('/dev/')) walk.device(nodeName(path), path);
    else walk.mount(path);
  }
  return { wants: [...walk.wants.values()], disks: [...walk.disks], untold: walk.untold };
}

/** Deeper stacks of devices than any machine has. */
const DEEPEST = 16;

class Walk {
  readonly #sysfs: string;
  readonly #proc: string;
  readonly wants = new Map<string, StorageWant>();
  readonly disks = new Set<string>();
  readonly untold: string[] = [];
  readonly #seen = new Set<string>();

  constructor({ sysfs, proc }: StoragePlaces) {
    this.#sysfs = sysfs;
    this.#proc = proc;
  }

  mount(path: string): void {
    const mount = this.#mountOf(path);
    if (mount === undefined) {
      this.untold.push(`${this.#proc}/self/mountinfo has no file system for ${path}`);
      return;
    }
    const { type, source, superOptions, place, device } = mount;
    const of = `the file system of ${place}`;
    this.#want(`fs-${type}`, of);
    // fs/fat takes the tables of these names, and refuses the mount without them.
    for (const [, option = '', value = ''] of superOptions.matchAll(/(?:^|,)(codepage|iocharset)=(\w+)/g))
      this.#want(`nls_${option === 'codepage' ? `cp${value}` : value}`, of);
    const members = type === 'btrfs' ? this.#btrfs(nodeName(source)) : [];
    // The number is of no device where a file system has several, or none.
    const names = members.length > 0 ? members : [device.startsWith('0:') ? nodeName(source) : device];
    for (const name of names) this.device(name, `${type} of ${place}`);
  }

  /** The mount that a path lies in: the longest place, of several at one place the last. */
  #mountOf(path: string): MountLine | undefined {
    let found: MountLine | undefined;
    for (const mount of parseMounts(readText(`${this.#proc}/self/mountinfo`) ?? '')) {
      const { place } = mount;
      if (!(place === '/' || path === place || path.startsWith(`${place}/`))) continue;
      if (found === undefined || place.length >= found.place.length) found = mount;
    }
    return found;
  }

  /** All devices of the btrfs that one of them is in. */
  #btrfs(member: string): readonly string[] {
    for (const id of readNames(`${this.#sysfs}/fs/btrfs`)) {
      const devices = readNames(`${this.#sysfs}/fs/btrfs/${id}/devices`);
      if (devices.includes(member)) return devices;
    }
    return [];
  }

  /** A block device by its name (`sda1`) or number (`8:1`). */
  device(name: string, of: string, depth = 0): void {
    const link = name.includes(':') ? `dev/block/${name}` : `class/block/${name}`;
    const folder = realPath(join(this.#sysfs, link));
    if (name === '' || folder === undefined || depth > DEEPEST) {
      this.untold.push(`${of} is on no block device that sysfs shows`);
      return;
    }
    if (this.#seen.has(folder)) return;
    this.#seen.add(folder);
    const disk = existsSync(`${folder}/partition`) ? folder.slice(0, folder.lastIndexOf('/')) : folder;
    const own = disk.slice(disk.lastIndexOf('/') + 1);
    const below = readNames(`${disk}/slaves`);
    this.#layer(disk, own, below.length);
    for (const slave of below) this.device(slave, own, depth + 1);
    const file = readAttribute(`${disk}/loop/backing_file`);
    if (file !== undefined) this.mount(file);
    if (below.length === 0 && file === undefined) this.#disk(disk, own);
  }

  /** What a stacked device needs for itself. */
  #layer(disk: string, own: string, members: number): void {
    const level = readAttribute(`${disk}/md/level`);
    if (level !== undefined) {
      this.#want('md_mod', own);
      this.#want(`md-${level}`, own);
    }
    const uuid = readAttribute(`${disk}/dm/uuid`);
    if (uuid !== undefined || existsSync(`${disk}/dm`)) {
      this.#want('dm_mod', own);
      if (uuid?.startsWith('CRYPT-') === true) this.#crypt(own);
      if (uuid?.startsWith('mpath-') === true) this.#want('dm_multipath', own);
      // sysfs does not tell the targets of a table; those in use are among the loaded ones.
      for (const module of this.#loaded()) if (/^dm_(?!mod$|crypt$|multipath$)/.test(module)) this.#want(module, own);
    }
    if (existsSync(`${disk}/bcache`) || own.startsWith('bcache')) this.#want('bcache', own);
    const family = /^(loop|nbd|zram|drbd|rbd)\d/.exec(own)?.[1];
    if (family !== undefined && members === 0) this.#want(family, own);
  }

  #crypt(own: string): void {
    this.#want('dm_crypt', own);
    // Ciphers that somebody uses: a count above one.
    for (const entry of (readText(`${this.#proc}/crypto`) ?? '').split('\n\n')) {
      const value = (key: string) => new RegExp(String.raw`^${key}\s*: (.*)$`, 'm').exec(entry)?.[1] ?? '';
      const module = value('module');
      if (!(Number(value('refcnt')) > 1) || module === 'kernel' || module === '') continue;
      this.#want(module, `the cipher of ${own}`, true);
      // By these names the crypto layer asks for modules: xts(aes) for crypto-xts and crypto-aes.
      for (const [, part] of value('name').matchAll(/_*([\w-]+)/g))
        this.#want(`crypto-${part}`, `the cipher of ${own}`, true);
    }
  }

  #loaded(): readonly string[] {
    const text = readText(`${this.#proc}/modules`) ?? '';
    return text.split('\n').flatMap((line) => line.split(' ', 1).filter((name) => name !== ''));
  }

  #disk(disk: string, own: string): void {
    const top = realPath(this.#sysfs) ?? this.#sysfs;
    const subsystem = /\/nvme-subsystem\/[^/]+$/.exec(disk.slice(0, disk.lastIndexOf('/')));
    // A disk with several paths lies beside its controllers, which the subsystem has links to.
    const folder = disk.slice(0, disk.lastIndexOf('/'));
    const controllers =
      subsystem === null
        ? []
        : readNames(folder)
            .filter((name) => /^nvme\d+$/.test(name))
            .map((name) => `${folder}/${name}`);
    for (const place of controllers.length > 0 ? controllers : [disk])
      this.disks.add((realPath(place) ?? place).slice(top.length));
    if (controllers.length === 0 && disk.includes('/devices/virtual/') && !/^(loop|nbd|zram|drbd)\d/.test(own))
      this.untold.push(`${own} is a virtual device, of which sysfs does not tell what is below`);
  }

  #want(name: string, of: string, optional = false): void {
    if (!this.wants.has(name)) this.wants.set(name, { name, of, ...(optional ? { optional } : {}) });
  }
}

/** `/dev/mapper/vg-root` → `dm-1`, `/dev/sda1` → `sda1`; '' for what is no file in /dev. */
function nodeName(source: string): string {
  if (!source.startsWith('/dev/')) return '';
  const node = realPath(source) ?? source;
  return node.slice(node.lastIndexOf('/') + 1);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
