/**
 * Who uses a module that has users but no holders: mounted file systems, and processes that have one of its devices open. The
 * kernel counts users and does not name them, so this finds what can be seen from outside. Reads only.
 *
 *     /proc/self/mountinfo                 36 35 8:1 / /data rw - ext4 /dev/sda1 rw    a file system of type ext4
 *     /sys/dev/block/8:1/…                 its device hangs below the module's driver
 *     /proc/4711/fd/5 → /dev/rtc0          the device 253:0, which hangs below the module's driver
 *     /proc/4712/fd/0 → /dev/net/tun       the device 10:200, which the module's alias char-major-10-200 names
 */
import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { fnmatch } from '../../base/fnmatch.ts';
import type { ModuleName } from '../../base/names.ts';
import { readAttribute, readLinkName, readText } from '../attribute.ts';
import { parseMounts } from './mount-info.ts';

/** Something that keeps a module in use. */
export type ModuleUser =
  | { readonly kind: 'mount'; readonly place: string; readonly type: string }
  | { readonly kind: 'process'; readonly pid: number; readonly command: string; readonly device: string };

/** Where to look, and the module's aliases: `fs-vfat`, `char-major-10-200` and `block-major-7-*` say what it serves. */
export interface UserSearch {
  readonly sysfs: string;
  readonly proc: string;
  readonly module: ModuleName;
  readonly aliases: readonly string[];
}

/** The users found, mounts first; an empty list does not mean that there are none. */
export function findModuleUsers(search: UserSearch): readonly ModuleUser[] {
  const isOwn = ownership(search);
  return [...mounts(search, isOwn), ...processes(search, isOwn)];
}

/** Whether a device (`char/253:0`) matches one of the module's aliases, or the module drives it or a device above it. */
type Ownership = (device: string) => boolean;

function ownership({ sysfs, module, aliases }: UserSearch): Ownership {
  const numbers = aliases.filter((alias) => /^(char|block)-major-\d+-/.test(alias));
  const isNamed = (device: string) =>
    numbers.some((alias) => fnmatch(alias, device.replace('/', '-major-').replace(':', '-')));
  const known = new Map<string, boolean>();
  return (device) => {
    const answer = known.get(device) ?? (isNamed(device) || isDrivenBy(sysfs, device, module));
    known.set(device, answer);
    return answer;
  };
}

function isDrivenBy(sysfs: string, device: string, module: ModuleName): boolean {
  let path: string;
  try {
    path = realpathSync(`${sysfs}/dev/${device}`);
  } catch {
    return false;
  }
  for (; path.startsWith(`${sysfs}/devices/`); path = path.slice(0, path.lastIndexOf('/'))) {
    // A built-in driver has no link `module`.
    if (readLinkName(`${path}/driver/module`) === module) return true;
  }
  return false;
}

function mounts({ proc, module, aliases }: UserSearch, isOwn: Ownership): ModuleUser[] {
  const types = aliases.filter((alias) => alias.startsWith('fs-')).map((alias) => alias.slice('fs-'.length));
  const own = new Set([module as string, module.replaceAll('_', '-'), ...types]);
  const found: ModuleUser[] = [];
  for (const { device, place, type } of parseMounts(readText(`${proc}/self/mountinfo`) ?? ''))
    if (own.has(type) || isOwn(`block/${device}`)) found.push({ kind: 'mount', place, type });
  return found;
}

function processes({ proc }: UserSearch, isOwn: Ownership): ModuleUser[] {
  const found: ModuleUser[] = [];
  for (const pid of names(proc).filter((name) => /^\d+$/.test(name))) {
    const seen = new Set<string>();
    for (const fd of names(`${proc}/${pid}/fd`)) {
      const file = openDevice(`${proc}/${pid}/fd/${fd}`);
      if (file === undefined || seen.has(file.path) || !isOwn(file.device)) continue;
      seen.add(file.path);
      const command = readAttribute(`${proc}/${pid}/comm`) ?? '';
      found.push({ kind: 'process', pid: Number(pid), command, device: file.path });
    }
  }
  return found;
}

/** The device that a descriptor leads to; undefined for anything else. */
function openDevice(link: string): { readonly path: string; readonly device: string } | undefined {
  try {
    const path = readlinkSync(link);
    // Most descriptors are sockets, pipes and files, and stat(2) is what takes time.
    if (!path.startsWith('/dev/')) return undefined;
    const stat = statSync(link);
    const kind = stat.isCharacterDevice() ? 'char' : stat.isBlockDevice() ? 'block' : undefined;
    if (kind === undefined) return undefined;
    // Taken apart as glibc's gnu_dev_major and gnu_dev_minor do.
    const rdev = BigInt(stat.rdev);
    const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
    const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
    return { path, device: `${kind}/${major}:${minor}` };
  } catch {
    return undefined;
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
