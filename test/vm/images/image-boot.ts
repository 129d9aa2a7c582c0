/**
 * Whether an image that a builder made of plugd's list boots the machine that the list is of. A machine is recorded once, with all modules
 * there; then it starts with nothing but the image and its disk.
 */
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageCheck } from '../../../agent/records/image-check.ts';
import type { OverlayRoot } from '../../fixtures/roots/overlay-root.ts';
import { GuestAgent } from '../agent/agent.ts';
import type { Image } from '../machine/image.ts';
import { boot } from '../machine/machine.ts';
import { build, BUILDS, REMOVE, type Builder } from './builder-root.ts';
import { diskDevices, ROOT_UUID, type DiskKind, type RootDisk } from './root-disk.ts';

const plugd = join(import.meta.dirname, '../../../plugd.cjs');

/** What a laboratory has. */
export interface ImageLab {
  readonly image: Image;
  readonly root: OverlayRoot;
  readonly disk: RootDisk;
  readonly kind: DiskKind;
  /** Gets the recording, the list and the images. */
  readonly folder: string;
}

/** Records the machine, with its root file system mounted: `machine.jsonl`, and in `names` the way down to the disk. Gives the disk's path. */
export async function record({ image, disk, kind, folder }: ImageLab): Promise<string> {
  await using machine = await boot(image, { devices: diskDevices(kind, disk) });
  const agent = await GuestAgent.start(machine, ['--serve-kernel-requests']);
  const { node } = kind;
  await machine.output('sh', [
    '-c',
    `until [ -b /dev/${node} ]; do sleep 0.2; done; mkdir /mnt; mount -t ext4 /dev/${node} /mnt`,
  ]);
  // Without the agent's ledger: what the root file system needs must be in the recording by itself.
  await agent.stop();
  const recording = await machine.output('plugd', ['devices', '--record', '--root-device', '/mnt']);
  writeFileSync(join(folder, 'machine.jsonl'), recording);
  writeFileSync(join(folder, 'names'), await machine.output('plugd', ['closure', '--root-device', '/mnt', '--names']));
  const path = await machine.output('readlink', ['-f', `/sys/class/block/${node}`]);
  return path.trim().slice('/sys'.length);
}

/** An image and what plugd says of it. */
export interface BuiltImage {
  readonly file: string;
  readonly mebibytes: number;
  readonly check: ImageCheck;
  readonly status: number;
}

/** Builds the image of a builder. Throws with what it said when it fails. */
export async function buildImage(lab: ImageLab, builder: Builder): Promise<BuiltImage> {
  return made(lab, `${builder}.img`, BUILDS[builder], []);
}

/** The image of a builder without the module that the disk needs. */
export async function lackingImage(lab: ImageLab, builder: Builder): Promise<BuiltImage> {
  return made(lab, `${builder}-lacking.img`, REMOVE, [`/out/${builder}.img`, lab.kind.needed]);
}

async function made(lab: ImageLab, name: string, script: string, words: readonly string[]): Promise<BuiltImage> {
  const ended = await build(lab.root, lab.image.tree, lab.folder, script, [`/out/${name}`, ...words]);
  if (ended.status !== 0) throw new Error(`${name}: status ${ended.status}\n${ended.stdout}${ended.stderr}`);
  const file = join(lab.folder, name);
  const machine = join(lab.folder, 'machine.jsonl');
  const check = ['image', '--check', file, '--replay', machine, '--root', lab.image.tree.root, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [plugd, ...check], { encoding: 'utf8' });
  if (status === null || stdout === '') throw new Error(`plugd ${check.join(' ')}: ${stderr}`);
  return { file, mebibytes: statSync(file).size / (1 << 20), check: JSON.parse(stdout) as ImageCheck, status };
}

/** How a start with an image ended. */
export interface ImageStart {
  /** What is mounted on / : `/dev/vda / ext4 ro,relatime 0 0`; undefined when it did not get there. */
  readonly mounted: string | undefined;
  readonly seconds: number;
  /** What plugd-lite left in /run/plugd for the agent: the modules that it loaded. */
  readonly ledger: string;
  /** The end of the console when it did not. */
  readonly console: string;
}

/** Starts the machine with the image. */
export async function start(lab: ImageLab, file: string): Promise<ImageStart> {
  const from = performance.now();
  try {
    const devices = diskDevices(lab.kind, lab.disk);
    await using machine = await boot(lab.image, { devices, initrd: file, append: `root=UUID=${ROOT_UUID} ro` });
    const mounts = await machine.output('cat', ['/proc/mounts']);
    const mounted = mounts.split('\n').findLast((line) => / \/ /.test(line) && !line.startsWith('rootfs'));
    const ledger = await machine.output('sh', ['-c', 'cat /run/plugd/* 2>/dev/null || :']);
    return { mounted, seconds: machine.bootMs / 1000, ledger, console: '' };
  } catch (error) {
    const console = error instanceof Error ? error.message : String(error);
    return { mounted: undefined, seconds: (performance.now() - from) / 1000, ledger: '', console };
  }
}
