/** A small root file system on a disk: busybox's init, and a login at the serial port. */
import { mkdtempSync, chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from '../../fixtures/commands.ts';

const FILES: Readonly<Record<string, string>> = {
  'etc/inittab': 'ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100\n',
  'etc/passwd': 'root::0:0:root:/root:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
  'etc/hostname': 'plugd\n',
};

/** Writes an ext4 image to `target`. Needs mke2fs. */
export async function writeRootDisk(busybox: string, target: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'plugd-root-'));
  try {
    for (const name of ['proc', 'sys', 'dev', 'run', 'root', 'bin', 'sbin', 'etc'])
      mkdirSync(join(work, name), { recursive: true });
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), text);
    }
    copyFileSync(busybox, join(work, 'bin/busybox'));
    chmodSync(join(work, 'bin/busybox'), 0o755);
    for (const name of ['bin/sh', 'bin/login', 'bin/cat', 'bin/id', 'bin/cut', 'bin/sort', 'bin/tr', 'bin/ls'])
      symlinkSync('/bin/busybox', join(work, name));
    for (const name of ['sbin/init', 'sbin/getty', 'sbin/poweroff']) symlinkSync('/bin/busybox', join(work, name));
    const made = await runProgram('mke2fs', ['-q', '-t', 'ext4', '-E', 'root_owner=0:0', '-d', work, target, '32M']);
    if (made.status !== 0) throw new Error(made.stderr);
  } finally {
    rmSync(work, { recursive: true });
  }
}
