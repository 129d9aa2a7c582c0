/** weak-modules of RHEL and SUSE: links modules into the trees of kernels with the same interface. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Tell } from '../../records/dkms/message.ts';

/** The program of each family, and its arguments. */
const PROGRAMS: ReadonlyArray<{
  readonly distribution: RegExp;
  readonly program: string;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}> = [
  {
    distribution: /^(fedora|rhel|centos|ovm)/,
    program: '/usr/sbin/weak-modules',
    add: ['--no-initramfs', '--add-modules'],
    remove: ['--no-initramfs', '--remove-modules'],
  },
  {
    distribution: /^(sles|suse|opensuse)/,
    program: '/usr/lib/module-init-tools/weak-modules',
    add: ['--no-initramfs', '--add-modules'],
    remove: ['--no-initramfs', '--remove-modules'],
  },
];

/** Runs the distribution's program for the files of a module; nothing where there is none. */
export function runWeakModules(
  what: 'add' | 'remove',
  distribution: string,
  files: readonly string[],
  tell: Tell,
): void {
  const row = PROGRAMS.find((each) => each.distribution.test(distribution));
  if (row === undefined || files.length === 0 || !existsSync(row.program)) return;
  tell({ kind: 'weak-modules', what });
  spawnSync(row.program, row[what], {
    input: files.map((file) => `${file}\n`).join(''),
    stdio: ['pipe', 'inherit', 'inherit'],
  });
}
