/** A root file system on a disk of each kind: ext4 with busybox, whose init is the guest's agent, so that a machine that answers has mounted it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commandPath, needCommands } from '../../fixtures/commands.ts';
import { debianFiles, type Missing } from '../../fixtures/debian.ts';
import type { Image } from '../machine/image.ts';

/** A kind of disk that a machine may have its root on. */
export interface DiskKind {
  readonly name: string;
  /** QEMU's arguments; the disk's contents are the drive `root`. */
  readonly devices: readonly string[];
  /** Its name in /dev. */
  readonly node: string;
  /** A module without which the disk is not found. */
  readonly needed: string;
}

/** mptsas1068 is not among them: in the one run that was made, on a busy machine, its disk had not come after two minutes. */
export const DISK_KINDS: readonly DiskKind[] = [
  { name: 'virtio-blk', devices: ['-device', 'virtio-blk-pci,drive=root'], node: 'vda', needed: 'virtio_blk' },
  { name: 'nvme', devices: ['-device', 'nvme,drive=root,serial=plugd'], node: 'nvme0n1', needed: 'nvme' },
  { name: 'ahci', devices: ['-device', 'ide-hd,bus=ide.0,drive=root'], node: 'sda', needed: 'ahci' },
  {
    name: 'virtio-scsi',
    devices: ['-device', 'virtio-scsi-pci,id=scsi', '-device', 'scsi-hd,bus=scsi.0,drive=root'],
    node: 'sda',
    needed: 'virtio_scsi',
  },
  {
    name: 'usb-storage',
    devices: ['-device', 'qemu-xhci,id=usb', '-device', 'usb-storage,bus=usb.0,drive=root'],
    node: 'sda',
    needed: 'usb-storage',
  },
  {
    name: 'megasas',
    devices: ['-device', 'megasas,id=raid', '-device', 'scsi-hd,bus=raid.0,drive=root'],
    node: 'sda',
    needed: 'megaraid_sas',
  },
  {
    name: 'sdhci',
    devices: ['-device', 'sdhci-pci,id=sdhci', '-device', 'sd-card,drive=root'],
    node: 'mmcblk0',
    needed: 'sdhci-pci',
  },
];

/** The file system's UUID, by which a kernel's command line names it. */
export const ROOT_UUID = '7c3c8a52-0d6e-4c0e-9a57-6f1f3b1c9e12';

/** A memory card's size must be a power of two. */
const MEGABYTES = 64;

/** The file of a root file system. */
export interface RootDisk {
  readonly kind: 'ready';
  readonly file: string;
}

/** Makes the file in `folder`. */
export async function rootDisk(image: Image, folder: string): Promise<RootDisk | Missing> {
  const tools = await needCommands(['mke2fs']);
  if (tools.kind === 'missing') return tools;
  const packages = await debianFiles(['busybox-static'], 'amd64');
  if (packages.kind === 'missing') return packages;
  const top = mkdtempSync(join(tmpdir(), 'plugd-root-disk-'));
  try {
    for (const name of ['usr/bin', 'usr/sbin', 'usr/lib', 'dev', 'proc', 'sys', 'run', 'tmp', 'root', 'etc'])
      mkdirSync(join(top, name), { recursive: true });
    for (const name of ['bin', 'sbin', 'lib']) symlinkSync(`usr/${name}`, join(top, name));
    const busybox = ['bin', 'usr/bin']
      .map((name) => join(packages.root, name, 'busybox'))
      .find((path) => existsSync(path));
    copyFileSync(busybox ?? '', join(top, 'usr/bin/busybox'));
    for (const name of ['sh', 'cat', 'ls']) symlinkSync('busybox', join(top, 'usr/bin', name));
    copyFileSync(join(dirname(image.base), 'init'), join(top, 'usr/sbin/init'));
    const file = join(folder, 'root.ext4');
    const words = ['-q', '-t', 'ext4', '-U', ROOT_UUID, '-d', top, file, `${MEGABYTES}M`];
    execFileSync(commandPath('mke2fs') ?? 'mke2fs', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    return { kind: 'ready', file };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** QEMU's arguments for a machine with the disk; what it writes goes with it. */
export function diskDevices(kind: DiskKind, disk: RootDisk): readonly string[] {
  return ['-drive', `if=none,id=root,format=raw,snapshot=on,file=${disk.file}`, ...kind.devices];
}
