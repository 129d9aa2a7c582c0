import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import type { LedgerEntry } from '../../agent/records/ledger.ts';
import { askedText, clockText, droppedLine, ledgerLine } from '../../agent/report/ledger-text.ts';
import type { Terminal } from '../../agent/report/terminal.ts';

const WIDE: Terminal = { width: 200, colour: false };
const NIC: LedgerEntry = {
  time: '2026-01-05T09:12:44.007Z',
  module: 'nic' as ModuleName,
  by: 'device',
  name: 'pci:v1',
  device: '/devices/pci0/0000:00:02.0',
  subsystem: 'pci',
  why: 'target',
  ms: 41.2,
};
const place = { file: '/etc/modules-load.d/a.conf', line: 3 };

const ASKED: Record<string, readonly [entry: Partial<LedgerEntry>, expected: string]> = {
  'a device, by the last part of its path': [{}, 'pci 0000:00:02.0 pci:v1'],
  'a dependency': [
    { dependencyOf: 'mii' as ModuleName, why: 'depends' },
    'dependency of mii ← pci 0000:00:02.0 pci:v1',
  ],
  'a softdep before': [
    { dependencyOf: 'mii' as ModuleName, why: 'softdep-pre' },
    'softdep (pre) of mii ← pci 0000:00:02.0 pci:v1',
  ],
  'a softdep after': [
    { dependencyOf: 'mii' as ModuleName, why: 'softdep-post' },
    'softdep (post) of mii ← pci 0000:00:02.0 pci:v1',
  ],
  'an older agent’s entry without its kind': [
    { dependencyOf: 'mii' as ModuleName, why: undefined },
    'dependency of mii ← pci 0000:00:02.0 pci:v1',
  ],
  'a udev rule': [
    { name: 'sg', rule: { file: '/usr/lib/udev/rules.d/80-drivers.rules', line: 5 } },
    'pci 0000:00:02.0 sg (/usr/lib/udev/rules.d/80-drivers.rules:5)',
  ],
  'the kernel': [{ by: 'kernel', name: 'fs-ext4', device: undefined }, 'kernel request fs-ext4'],
  'a person': [{ by: 'person', name: 'loop' }, 'a person asked for loop'],
  'a boot list': [{ by: 'boot-list', name: 'loop', rule: place }, 'boot list loop (/etc/modules-load.d/a.conf:3)'],
  'modprobe, in the initramfs': [
    { by: 'command', name: 'ext4', device: undefined, early: 'modprobe' },
    'modprobe ext4; by modprobe before the agent',
  ],
  'a device, at the coldplug before': [{ early: 'coldplug' }, 'pci 0000:00:02.0 pci:v1; by coldplug before the agent'],
  'somebody else': [{ by: 'outside', name: undefined, device: undefined }, 'not by plugd'],
  'a device that nothing is known of': [{ name: undefined, device: undefined, subsystem: undefined }, ''],
  'bytes that would drive a terminal': [{ by: 'kernel', name: 'fs-\u001B[2J' }, String.raw`kernel request fs-\x1b[2J`],
};
for (const [name, [entry, expected]] of Object.entries(ASKED)) {
  t.test(`asked: ${name}`, (t) => {
    t.equal(askedText({ ...NIC, ...entry }), expected);
    t.end();
  });
}

t.test('a line', (t) => {
  const clock = clockText(NIC.time);
  t.match(clock, /^\d\d:\d\d:44\.007$/, 'the local time of day, each part whole');
  t.equal(ledgerLine(NIC, WIDE), `${clock}  nic                     41 ms  pci 0000:00:02.0 pci:v1`);
  t.equal(
    ledgerLine({ time: NIC.time, module: NIC.module, by: 'outside' }, WIDE),
    `${clock}  nic                            not by plugd`,
    'no time that it took',
  );
  t.equal(ledgerLine(NIC, { ...WIDE, width: 30 }).length, 30, 'no wider than the terminal');
  t.match(ledgerLine(NIC, { ...WIDE, colour: true }), `\u001B[2m${clock}\u001B[22m  nic`);
  t.end();
});

t.test('entries that were dropped', (t) => {
  t.equal(ledgerLine({ dropped: 3 }, WIDE), '3 events were dropped: they came faster than they were read');
  t.equal(ledgerLine({ dropped: 3 }, WIDE), droppedLine({ dropped: 3 }, WIDE));
  t.end();
});
