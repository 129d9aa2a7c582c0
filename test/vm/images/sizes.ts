/**
 * How large images for recorded machines are: of only a closure's files, by Debian's initramfs-tools with plugd's list, with its own
 * MODULES=dep (its walk from the root disk up, in the machine's recorded sysfs) and MODULES=most, and of the whole tree. All are packed with zstd.
 *
 *     PLUGD_CORPUS=DIR npm run lab:image-sizes -- [MACHINE…]      dell_latitudee6430 hp_400_g2
 *
 * Half a minute a machine.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { debianTree, type DebianTree, type Missing } from '../../fixtures/debian.ts';
import type { OverlayRoot } from '../../fixtures/roots/overlay-root.ts';
import { plantSysfs, type RecordedDevice } from '../../fixtures/sysfs.ts';
import { build, builderRoot, BUILDS } from './builder-root.ts';

const plugd = join(import.meta.dirname, '../../../plugd.cjs');
const corpus = process.env['PLUGD_CORPUS'];
if (corpus === undefined) throw new Error('PLUGD_CORPUS names no folder of recordings.');
const wanted = process.argv.slice(2);

const MOST = `
  sed -i s/^MODULES=.*/MODULES=most/ /etc/initramfs-tools/initramfs.conf
  mkinitramfs -o "$1" "$kernel"`;

/** The disk has the number 8:0 in the planted sysfs, and / lies on it. */
const DEP = `
  sed -i s/^MODULES=.*/MODULES=dep/ /etc/initramfs-tools/initramfs.conf
  mknod /run/disk b 8 0
  echo '/run/disk / ext4 rw 0 0' > /run/mounts
  sed -i s,/proc/mounts,/run/mounts, /usr/share/initramfs-tools/hook-functions
  mkdir -p /usr/lib/klibc/bin
  printf '#!/bin/sh\\necho FSTYPE=ext4\\n' > /usr/lib/klibc/bin/fstype
  chmod 755 /usr/lib/klibc/bin/fstype
  mount --bind /out/sys /sys
  mkinitramfs -o "$1" "$kernel"`;

function need<T extends { readonly kind: 'ready' }>(part: T | Missing): T {
  if (part.kind === 'ready') return part;
  throw new Error(part.sentence);
}

const mebibytes = (file: string) => (statSync(file).size / (1 << 20)).toFixed(1);

function recorded(file: string): readonly RecordedDevice[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const objects = lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Partial<RecordedDevice>]));
  return objects.flatMap((object) => (object.devpath === undefined ? [] : [object as RecordedDevice]));
}

/** The first disk of a machine that is a device of its own. */
function diskOf(devices: readonly RecordedDevice[]): string | undefined {
  return devices.find(({ devpath }) => /^\/devices\/(?!virtual\/).*\/block\/(sd|nvme|vd|hd|mmcblk)[^/]*$/.test(devpath))
    ?.devpath;
}

async function image(
  root: OverlayRoot,
  tree: DebianTree,
  folder: string,
  name: string,
  script: string,
): Promise<string> {
  const ended = await build(root, tree, folder, script, [`/out/${name}`]);
  if (ended.status !== 0) return `failed: ${ended.stderr.trim().split('\n').at(-1)}`;
  const modules = execFileSync('sh', [
    '-c',
    'zstdcat "$0" | cpio -t --quiet 2>/dev/null | grep -c "\\.ko"',
    join(folder, name),
  ]);
  return `${mebibytes(join(folder, name))} MiB (${String(modules).trim()} modules)`;
}

/** An archive of only the closure's files, packed. */
function closureSize(tree: DebianTree, folder: string): string {
  const [file, recording] = [join(folder, 'closure.cpio'), join(folder, 'machine.jsonl')];
  const words = ['closure', '--root', tree.root, '--replay', recording, '--cpio', file, '--names'];
  const { stdout } = spawnSync(process.execPath, [plugd, ...words], { encoding: 'utf8' });
  execFileSync('zstd', ['-q', '--rm', file]);
  return `${mebibytes(`${file}.zst`)} MiB (${stdout.split('\n').length - 1} modules)`;
}

const root = need(await builderRoot());
const tree = need(await debianTree('amd64'));
const folder = mkdtempSync(join(tmpdir(), 'plugd-image-sizes-'));
try {
  const modules = join(tree.root, 'lib/modules');
  execFileSync('sh', [
    '-c',
    'cd "$0" && find . | cpio -o -H newc --quiet | zstd -q > "$1"',
    modules,
    join(folder, 'tree'),
  ]);
  console.log(`Linux ${tree.kernel}, everything packed with zstd`);
  console.log(`the whole tree: ${mebibytes(join(folder, 'tree'))} MiB`);
  console.log(`initramfs-tools, MODULES=most: ${await image(root, tree, folder, 'most', MOST)}`);
  const machines = readdirSync(join(corpus, 'machines')).filter((name) => name.endsWith('.jsonl'));
  for (const name of machines) {
    const machine = name.replace(/\.jsonl$/, '');
    if (wanted.length > 0 && !wanted.includes(machine)) continue;
    const devices = recorded(join(corpus, 'machines', name));
    const disk = diskOf(devices);
    const own = mkdtempSync(join(folder, `${machine}-`));
    copyFileSync(join(corpus, 'machines', name), join(own, 'machine.jsonl'));
    console.log(`${machine} (${disk ?? 'no disk'}):`);
    console.log(`  plugd closure --cpio: ${closureSize(tree, own)}`);
    console.log(
      `  initramfs-tools with plugd's list: ${await image(root, tree, own, 'list', BUILDS['initramfs-tools'])}`,
    );
    if (disk === undefined) continue;
    const sys = join(own, 'sys');
    plantSysfs(sys, devices);
    mkdirSync(join(sys, 'dev/block'), { recursive: true });
    symlinkSync(relative(join(sys, 'dev/block'), join(sys, disk)), join(sys, 'dev/block/8:0'));
    console.log(`  initramfs-tools, MODULES=dep: ${await image(root, tree, own, 'dep', DEP)}`);
    rmSync(own, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
