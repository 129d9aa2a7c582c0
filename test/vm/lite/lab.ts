/**
 * Boots to a login from an initramfs whose only loader is plugd-lite, with the kernel's layout of programs at random and without, and from
 * one with udevd and kmod: root on nvme, emulated.
 *
 *     npm run lab:lite
 *
 * Exit status 1 if a machine does not come to its login, if plugd-lite's heap copy does not serve, or if the modules that are loaded differ.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needCommands } from '../../fixtures/commands.ts';
import { debianFiles } from '../../fixtures/debian.ts';
import { plugdLite } from '../../native/plugd-lite.ts';
import { machineImage, type Image } from '../machine/image.ts';
import { NO_COPY, writeInitramfs, type Loader } from './initramfs.ts';
import { writeRootDisk } from './root-disk.ts';

/** A boot takes fifteen seconds alone, more beside other work. */
const LIMIT_MS = 240_000;
const PROMPT = '# ';
const QUESTION = "echo $USER; cut -d ' ' -f 1 /proc/modules | sort | tr '\\n' ' '; cat /proc/uptime; poweroff -f\n";

/** What is booted, in this order. */
const BOOTS: ReadonlyArray<{ readonly loader: Loader; readonly append: string }> = [
  { loader: 'plugd-lite', append: '' },
  { loader: 'plugd-lite', append: 'norandmaps' },
  { loader: 'udevd and kmod', append: '' },
];

interface Boot {
  /** Seconds of the machine's own clock until the login answered. */
  readonly uptime: number;
  readonly modules: readonly string[];
  readonly console: string;
}

/** Boots, logs in as root and asks which modules are loaded. */
async function bootToLogin(image: Image, initrd: string, disk: string, append: string): Promise<Boot> {
  const machine =
    '-machine q35 -accel tcg,thread=multi -cpu max,la57=off -smp 2 -m 512 -nodefaults -no-reboot -display none -serial stdio';
  const words = [
    ...machine.split(' '),
    '-drive',
    `file=${disk},if=none,id=root,format=raw`,
    '-device',
    'nvme,drive=root,serial=1',
    '-kernel',
    image.vmlinux,
    '-initrd',
    initrd,
    '-append',
    `console=ttyS0 loglevel=4 panic=-1 tsc=reliable no_timer_check mitigations=off ${append}`,
  ];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let text = '';
  const steps = [
    ['login: ', 'root\n'],
    [PROMPT, QUESTION],
  ] as const;
  let step = 0;
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const [wanted, answer] = steps[step] ?? [];
    if (wanted === undefined || answer === undefined || !text.slice(seen).includes(wanted)) return;
    seen = text.length;
    step++;
    child.stdin.write(answer);
  });
  await new Promise((done) => child.once('close', done));
  clearTimeout(limit);
  const lines = text.replaceAll('\r', '').split('\n');
  const at = lines.indexOf('root');
  // The line of modules ends with the clock's: tr made one line of them.
  const told = (lines[at + 1] ?? '').split(' ').filter((word) => word !== '');
  const uptime = Number(told.at(-2));
  if (at < 0 || !(uptime > 0)) throw new Error(`no login:\n${text.slice(-4000)}`);
  return { uptime, modules: told.slice(0, -2), console: text };
}

async function main(): Promise<number> {
  const tools = await needCommands(['mke2fs', 'qemu-system-x86_64', 'setpriv', 'ldd']);
  const lite = await plugdLite();
  const image = await machineImage();
  const files = await debianFiles(['udev', 'kmod', 'busybox-static'], 'amd64', { libraries: true });
  for (const part of [tools, lite, image, files]) {
    if (part.kind !== 'missing') continue;
    console.log(part.sentence);
    return 0;
  }
  if (lite.kind === 'missing' || image.kind === 'missing' || files.kind === 'missing') return 0;
  const busybox = ['usr/bin/busybox', 'bin/busybox']
    .map((path) => join(files.root, path))
    .find((path) => existsSync(path));
  if (busybox === undefined) throw new Error("Debian's packages have no busybox");
  const work = mkdtempSync(join(tmpdir(), 'plugd-lite-boot-'));
  try {
    const loaded = new Set<string>();
    for (const { loader, append } of BOOTS) {
      const [initrd, disk] = [join(work, 'initrd'), join(work, 'disk')];
      await writeRootDisk(busybox, disk);
      const parts = { tree: image.tree, packages: files.root, busybox, lite: lite.program };
      const size = await writeInitramfs(loader, parts, initrd);
      const { uptime, modules, console: said } = await bootToLogin(image, initrd, disk, append);
      const [whole, packed] = [size.whole, size.wholePacked].map((bytes) => (bytes / 1e6).toFixed(1));
      console.log(
        `${loader} ${append}: ${whole} MB, packed ${packed} MB; login at ${uptime} s; ${modules.length} modules`,
      );
      if (said.includes(NO_COPY)) throw new Error(`${loader} ${append}: ${NO_COPY}`);
      loaded.add(modules.join(' '));
    }
    if (loaded.size === 1) return 0;
    console.log(`the modules differ:\n${[...loaded].join('\n')}`);
    return 1;
  } finally {
    rmSync(work, { recursive: true });
  }
}

process.exitCode = await main();
