/**
 * How large images for recorded machines are: of only a closure's files, by Debian's initramfs-tools with plugd's list, with its own
 * MODULES=dep (its walk from the root disk up, in the machine's recorded sysfs) and MODULES=most, and of the whole tree. All are packed with zstd.
 *
 *     PLUGD_CORPUS=DIR npm run lab:image-sizes -- [MACHINE…]      dell_latitudee6430 hp_400_g2
 *
 * One table of MiB, with the number of modules; a minute a machine. Exit status 1: an image could not be made.
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
import { openHost } from '../../../agent/base/host.ts';
import { readMachines } from '../../../agent/images/machine-wants.ts';
import { lastComplaint } from '../../fixtures/commands.ts';
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

/** A size in MiB with the number of modules, or why there is no such image. */
async function image(
  root: OverlayRoot,
  tree: DebianTree,
  folder: string,
  name: string,
  script: string,
): Promise<string> {
  const ended = await build(root, tree, folder, script, [`/out/${name}`]);
  if (ended.status !== 0) {
    failures.push(`${name}: ${lastComplaint(ended)}`);
    return 'failed';
  }
  const file = join(folder, name);
  const count = 'zstdcat "$0" | cpio -t --quiet 2>/dev/null | grep -c "\\.ko"';
  return sizeText(file, Number(execFileSync('sh', ['-c', count, file], { encoding: 'utf8' })));
}

const failures: string[] = [];

const sizeText = (file: string, modules: number) => `${mebibytes(file)} (${modules})`;

/** An archive of only the closure's files, packed. */
function closureSize(tree: DebianTree, folder: string): string {
  const [file, recording] = [join(folder, 'closure.cpio'), join(folder, 'machine.jsonl')];
  const words = ['closure', '--root', tree.root, '--replay', recording, '--cpio', file, '--names'];
  const { stdout } = spawnSync(process.execPath, [plugd, ...words], { encoding: 'utf8' });
  execFileSync('zstd', ['-q', '--rm', file]);
  return sizeText(`${file}.zst`, stdout.split('\n').length - 1);
}

const COLUMNS = ['machine', 'closure', "plugd's list", 'MODULES=dep', 'MODULES=most', 'whole tree'];
const WIDTHS = [30, 13, 13, 13, 13, 13];

const row = (cells: readonly string[]) =>
  console.log(
    cells
      .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
      .join('')
      .trimEnd(),
  );

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
  const whole = mebibytes(join(folder, 'tree'));
  const most = await image(root, tree, folder, 'most', MOST);
  console.log(`Linux ${tree.kernel}, everything packed with zstd: MiB (modules)`);
  row(COLUMNS);
  const host = openHost({ root: tree.root, kernel: tree.kernel });
  for (const name of readdirSync(join(corpus, 'machines')).filter((each) => each.endsWith('.jsonl'))) {
    const machine = name.replace(/\.jsonl$/, '');
    if (wanted.length > 0 && !wanted.includes(machine)) continue;
    const recording = join(corpus, 'machines', name);
    // Recordings of other architectures.
    if (readMachines(host, [recording]).machines.length === 0) continue;
    const devices = recorded(recording);
    const disk = diskOf(devices);
    const own = mkdtempSync(join(folder, `${machine}-`));
    copyFileSync(recording, join(own, 'machine.jsonl'));
    const closure = closureSize(tree, own);
    const list = await image(root, tree, own, 'list', BUILDS['initramfs-tools']);
    let dep = 'no disk';
    if (disk !== undefined) {
      const sys = join(own, 'sys');
      plantSysfs(sys, devices);
      mkdirSync(join(sys, 'dev/block'), { recursive: true });
      symlinkSync(relative(join(sys, 'dev/block'), join(sys, disk)), join(sys, 'dev/block/8:0'));
      dep = await image(root, tree, own, 'dep', DEP);
    }
    row([machine, closure, list, dep, most, whole]);
    rmSync(own, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(failure);
process.exit(failures.length === 0 ? 0 : 1);
