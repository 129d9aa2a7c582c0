import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { isAskedByKernel, isInitramfs, leaveLedger, leftLedger } from '../../agent/daemon/early-ledger.ts';
import type { LedgerEntry } from '../../agent/records/ledger.ts';

const NIC: LedgerEntry = {
  time: '2026-01-05T09:12:44.007Z',
  module: 'nic' as ModuleName,
  by: 'device',
  name: 'pci:v1',
  early: 'coldplug',
};
const FS: LedgerEntry = { ...NIC, module: 'ext4' as ModuleName, by: 'command', name: 'ext4', early: 'modprobe' };

t.test('what is left comes back in its order, whatever else the file has', (t) => {
  const runDir = join(t.testdir(), 'run');
  t.same(leftLedger(runDir), [], 'nothing was left');
  leaveLedger(runDir, []);
  t.equal(statSync(runDir, { throwIfNoEntry: false }), undefined, 'nothing to leave, no folder');
  leaveLedger(runDir, [NIC, FS]);
  appendFileSync(
    join(runDir, 'early-ledger'),
    '{"time":\n[]\nnull\n{"time":"x","module":"a","by":"device","early":"coldplug"}\n',
  );
  appendFileSync(join(runDir, 'early-ledger'), `${JSON.stringify({ ...NIC, module: 7 })}\n`);
  leaveLedger(runDir, [FS]);
  t.same(leftLedger(runDir), [NIC, FS, FS]);
  t.equal(statSync(runDir).mode & 0o777, 0o700);
  t.equal(statSync(join(runDir, 'early-ledger')).mode & 0o777, 0o600);
  t.end();
});

t.test('it grows to a megabyte, no further', (t) => {
  const runDir = join(t.testdir(), 'run');
  leaveLedger(runDir, [NIC]);
  truncateSync(join(runDir, 'early-ledger'), 1 << 20);
  leaveLedger(runDir, [NIC]);
  t.equal(statSync(join(runDir, 'early-ledger')).size, 1 << 20);
  t.end();
});

t.test('where it cannot be written, nothing happens', (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'file'), '');
  leaveLedger(join(folder, 'file'), [NIC]);
  mkdirSync(join(folder, 'run'), { mode: 0o700 });
  writeFileSync(join(folder, 'other'), 'theirs');
  symlinkSync('../other', join(folder, 'run/early-ledger'));
  leaveLedger(join(folder, 'run'), [NIC]);
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), 'theirs', 'no link is followed');
  rmSync(join(folder, 'run/early-ledger'));
  mkdirSync(join(folder, 'run/early-ledger'));
  leaveLedger(join(folder, 'run'), [NIC]);
  t.same(leftLedger(join(folder, 'run')), []);
  t.end();
});

const MOUNTS: Readonly<Record<string, readonly [text: string | undefined, expected: boolean]>> = {
  'an initramfs': ['1 1 0:2 / / rw - rootfs rootfs rw\n20 1 0:21 / /proc rw - proc proc rw\n', true],
  'a root file system over it': ['1 1 0:2 / / rw - rootfs rootfs rw\n22 1 8:1 / / rw - ext4 /dev/sda1 rw\n', false],
  'a system as usual': ['22 1 8:1 / / rw - ext4 /dev/sda1 rw\n', false],
  'no procfs': [undefined, false],
};
t.test('an initramfs is what has the first file system as its root', (t) => {
  for (const [rule, [text, expected]] of Object.entries(MOUNTS)) {
    const proc = t.testdir({ self: text === undefined ? {} : { mountinfo: text } });
    t.equal(isInitramfs({ proc }), expected, rule);
  }
  t.end();
});

const PARENTS: Readonly<Record<string, readonly [stat: string, cmdline: string | undefined, expected: boolean]>> = {
  'a kernel thread': ['7 (modprobe) R 9 0 0 0', '', true],
  'a shell': ['7 (modprobe) R 9 0 0 0', '/bin/sh\0/init\0', false],
  'a name with brackets': ['7 (a) R 8 (b) R 9 0 0 0', '', true],
  'a parent that is not seen': ['7 (modprobe) R 0 0 0 0', undefined, false],
};
t.test('the kernel asks by a thread of its own', (t) => {
  for (const [rule, [stat, cmdline, expected]] of Object.entries(PARENTS)) {
    const proc = t.testdir({ self: { stat }, ...(cmdline === undefined ? {} : { 9: { cmdline } }) });
    t.equal(isAskedByKernel({ proc }), expected, rule);
  }
  t.end();
});

t.test('a pipe in its place is no ledger, and nobody waits for it', async (t) => {
  const runDir = t.testdir();
  execFileSync('mkfifo', [join(runDir, 'early-ledger')]);
  t.same(leftLedger(runDir), []);
});
