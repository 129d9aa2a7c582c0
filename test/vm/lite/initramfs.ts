/**
 * Two initramfs images with one closure of modules, whose loaders differ: plugd-lite alone, or Debian's udevd with kmod. busybox does the
 * rest in both.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runProgram } from '../../fixtures/commands.ts';
import type { DebianTree } from '../../fixtures/debian.ts';
import { CpioWriter } from '../machine/cpio.ts';

/** What loads the modules. */
export type Loader = 'plugd-lite' | 'udevd and kmod';

/** What images are made of; `packages` is a folder of Debian's packages unpacked. */
export interface Parts {
  readonly tree: DebianTree;
  readonly packages: string;
  readonly busybox: string;
  readonly lite: string;
}

/** An image's size in bytes, as it is and packed by gzip. */
export interface ImageSize {
  readonly whole: number;
  readonly wholePacked: number;
}

/** nvme's root file system; the machine's other devices find no driver in either image. */
const NAMES = ['nvme', 'ext4'];

/** On the console, where plugd-lite starts without the copy of its heap. */
export const NO_COPY = 'the heap copy does not serve';

const COLDPLUG: Readonly<Record<Loader, string>> = {
  'plugd-lite': `plugd-lite --uses-heap-copy || echo ${NO_COPY}\nplugd-lite coldplug -q`,
  'udevd and kmod': [
    '/usr/lib/systemd/systemd-udevd --daemon --resolve-names=never',
    'udevadm trigger --type=subsystems --action=add',
    'udevadm trigger --type=devices --action=add',
    'udevadm settle',
    'udevadm control --exit',
  ].join('\n'),
};

/** The disk may come after the loader's end: nvme probes in the background. */
function script(loader: Loader): string {
  return `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
${COLDPLUG[loader]}
until [ -b /dev/nvme0n1 ]; do sleep 0.05; done
mount -t ext4 -o ro /dev/nvme0n1 /newroot || exec sh
for folder in proc sys dev run; do mount --move /$folder /newroot/$folder; done
exec switch_root /newroot /sbin/init
`;
}

/** Where Debian's initramfs-tools take udev's and kmod's files. */
const UDEV = [
  'usr/bin/udevadm',
  'usr/bin/kmod',
  ...['50-udev-default', '60-persistent-storage', '80-drivers'].map((name) => `usr/lib/udev/rules.d/${name}.rules`),
];

/** A path of /usr's in packages of Debian 12, which have some of it in /. */
function place(packages: string, path: string): string | undefined {
  return [path, path.slice('usr/'.length)]
    .map((at) => join(packages, at))
    .find((at) => statSync(at, { throwIfNoEntry: false }) !== undefined);
}

async function addUdevd(cpio: CpioWriter, packages: string): Promise<void> {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((path) => join(packages, path)).join(':');
  const needed = new Map<string, string>();
  for (const path of UDEV) {
    const from = place(packages, path);
    if (from === undefined) throw new Error(`Debian's packages have no ${path}`);
    cpio.file(path, readFileSync(from), 0o755);
    const { stdout } = await runProgram('ldd', [from], { env: { ...process.env, LD_LIBRARY_PATH: libraries } });
    for (const [, name = '', file = ''] of stdout.matchAll(/^\s+(?:(\S+) => )?(\/\S+) \(0x/gm))
      needed.set(name === '' ? file.slice(1) : `lib/x86_64-linux-gnu/${name}`, file);
  }
  for (const [to, file] of needed) cpio.file(to, readFileSync(file), 0o755);
  cpio.link('usr/lib/systemd/systemd-udevd', '/usr/bin/udevadm');
  for (const name of ['modprobe', 'insmod', 'rmmod', 'lsmod', 'modinfo', 'depmod'])
    cpio.link(`sbin/${name}`, '/usr/bin/kmod');
}

/** Writes the image to `target`. */
export async function writeInitramfs(loader: Loader, parts: Parts, target: string): Promise<ImageSize> {
  const work = mkdtempSync(join(tmpdir(), 'plugd-initramfs-'));
  try {
    const cli = join(import.meta.dirname, '../../../agent/cli.js');
    const { tree } = parts;
    const where = ['--root', tree.root, '--kernel', tree.kernel, '--copy-to', work];
    const closure = await runProgram(process.execPath, [cli, 'closure', '-q', ...where, ...NAMES]);
    if (closure.status !== 0) throw new Error(closure.stderr);
    rmSync(target, { force: true });
    const cpio = new CpioWriter(target);
    for (const name of ['proc', 'sys', 'dev', 'run', 'newroot', 'etc', 'sbin', 'usr/sbin']) cpio.folder(name);
    cpio.device('dev/console', 5, 1);
    cpio.file('init', script(loader), 0o755);
    cpio.file('bin/busybox', readFileSync(parts.busybox), 0o755);
    if (loader === 'plugd-lite') {
      cpio.file('usr/bin/plugd-lite', readFileSync(parts.lite), 0o755);
      for (const name of ['modprobe', 'insmod', 'rmmod', 'lsmod', 'modinfo'])
        cpio.link(`sbin/${name}`, '/usr/bin/plugd-lite');
    } else {
      await addUdevd(cpio, parts.packages);
    }
    for (const name of ['sh', 'mount', 'sleep', 'switch_root', '[']) cpio.link(`bin/${name}`, 'busybox');
    cpio.copy(join(work, 'lib'), 'lib');
    cpio.end();
    const bytes = readFileSync(target);
    appendFileSync(target, Buffer.alloc(1 << 20));
    return { whole: bytes.length, wholePacked: gzipSync(bytes, { level: 9 }).length };
  } finally {
    rmSync(work, { recursive: true });
  }
}
