/** What was lost, what only belongs to others, and what the watchdog asks of the uevent socket. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { PlugdError } from '../../agent/base/error.ts';
import type { UeventListener, UeventSocket } from '../../agent/facts/uevents/uevent-socket.ts';
import { Hearing } from '../../agent/load/hearing.ts';

t.test('a socket that is gone, or that nobody empties, is a fault', (t) => {
  const folder = t.testdir({ proc: { net: {} }, sys: { kernel: { uevent_seqnum: '7\n' } } });
  const file = join(folder, 'proc/net/netlink');
  const host = openHost({ root: folder, kernel: '0', sysfs: join(folder, 'sys'), proc: join(folder, 'proc') });
  const hearing = new Hearing(
    host,
    { uevent: () => {}, overrun: () => {}, fault: () => {} },
    { receiveBuffer: 65_536 },
  );
  t.teardown(() => hearing.close());
  const real = readFileSync('/proc/self/net/netlink', 'latin1').split('\n');
  const own = real.find((line) => {
    const [, protocol, port] = line.split(/ +/);
    return protocol === '15' && (Number(port) & 0x3fffff) === process.pid;
  });
  t.not(own, undefined, 'the kernel lists it');
  const queued = (bytes: number) => {
    const fields = (own ?? '').trim().split(/ +/);
    writeFileSync(file, `${real[0]}\n${fields.with(4, String(bytes)).join(' ')}\n`);
  };
  t.equal(hearing.fault(), undefined, 'a kernel that does not list sockets');
  mkdirSync(join(folder, 'proc/net'), { recursive: true });
  queued(0);
  t.equal(hearing.fault(), undefined, 'empty');
  queued(4096);
  t.equal(hearing.fault(), undefined, 'it has just come');
  t.match(hearing.fault(), /not received any more/, 'it is still there');
  queued(0);
  t.equal(hearing.fault(), undefined, 'it was taken out after all');
  queued(1024);
  t.equal(hearing.fault(), undefined, 'something else has come');
  writeFileSync(file, `${real[0]}\n`);
  t.match(hearing.fault(), /the uevent socket is gone/);
  rmSync(file);
  t.equal(hearing.fault(), undefined);
  t.end();
});

/** A hearing whose socket and kernel are the test's. `drops`: the kernel's count; undefined when it gives none. */
function deaf(t: Test, overrun?: (lost: number) => void) {
  const folder = t.testdir({ proc: { net: {} }, sys: { kernel: { uevent_seqnum: '7\n' } } });
  const host = openHost({ root: folder, kernel: '0', sysfs: join(folder, 'sys'), proc: join(folder, 'proc') });
  let heard: UeventListener | undefined;
  let seqnum = 0;
  const counters = { received: 0, spoofed: 0, otherGroup: 0, malformed: 0, truncated: 0, gaps: 0, lost: 0 };
  const open = (listener: UeventListener): UeventSocket => {
    heard = listener;
    return {
      counters,
      get seqnum() {
        return seqnum;
      },
      receiveBuffer: 1,
      portId: 42,
      close: () => {},
    };
  };
  const base = { uevent: () => {}, fault: () => {} };
  const listener = overrun === undefined ? base : { ...base, overrun };
  const hearing = new Hearing(host, listener, { open });
  t.teardown(() => hearing.close());
  return {
    hearing,
    kernel: (number: number) => writeFileSync(join(folder, 'sys/kernel/uevent_seqnum'), `${number}\n`),
    drops: (count: number | undefined, bytes = 0) => {
      const file = join(folder, 'proc/net/netlink');
      if (count === undefined) rmSync(file, { force: true });
      else writeFileSync(file, `sk Eth Pid\n0 15 42 00000001 ${bytes} 0 0 2 ${count} 1\n`);
    },
    gap: (from: number, to: number) => heard?.gap(from, to),
    came: (number: number) => (seqnum = number),
  };
}

t.test('gaps are losses as far as the kernel has counted any', (t) => {
  const rows: ReadonlyArray<
    readonly [
      name: string,
      gaps: ReadonlyArray<readonly [from: number, to: number]>,
      drops: number | undefined,
      expected: { lost: number; foreignGaps: number; overruns: number },
    ]
  > = [
    ['no gap, no drop', [], 0, { lost: 0, foreignGaps: 0, overruns: 0 }],
    ['a gap without a drop is another namespace', [[8, 9]], 0, { lost: 0, foreignGaps: 1, overruns: 0 }],
    ['a gap with its drops', [[8, 9]], 2, { lost: 2, foreignGaps: 0, overruns: 1 }],
    ['drops at the end of a storm leave no gap', [], 3, { lost: 3, foreignGaps: 0, overruns: 1 }],
    [
      'no count: every gap is a loss',
      [
        [8, 9],
        [12, 12],
      ],
      undefined,
      { lost: 3, foreignGaps: 0, overruns: 1 },
    ],
  ];
  for (const [name, gaps, drops, expected] of rows) {
    const told: number[] = [];
    const rig = deaf(t, (lost) => told.push(lost));
    for (const [from, to] of gaps) rig.gap(from, to);
    rig.drops(drops);
    t.equal(rig.hearing.compareDrops(), expected.lost, `${name}: answered`);
    t.match(rig.hearing, expected, name);
    t.same(told, expected.lost === 0 ? [] : [expected.lost], `${name}: told`);
    t.equal(rig.hearing.compareDrops(), 0, `${name}: once`);
  }
  t.end();
});

t.test('a drop may be counted before its gap comes', (t) => {
  const rig = deaf(t);
  rig.drops(2);
  t.equal(rig.hearing.compareDrops(), 2);
  rig.gap(8, 9);
  t.equal(rig.hearing.compareDrops(), 0);
  t.equal(rig.hearing.foreignGaps, 0, 'it is explained');
  rig.gap(12, 12);
  t.equal(rig.hearing.compareDrops(), 0);
  t.equal(rig.hearing.foreignGaps, 1, 'this one is not');
  t.end();
});

t.test('uevents that have not come', (t) => {
  const rig = deaf(t);
  t.equal(rig.hearing.behind(), 0, 'those before the socket are no concern');
  rig.kernel(12);
  t.equal(rig.hearing.behind(), 5);
  rig.came(10);
  t.equal(rig.hearing.behind(), 2);
  rig.hearing.answer(11);
  t.equal(rig.hearing.behind(), 1, 'up to there sysfs has answered');
  rig.hearing.answer(3);
  t.equal(rig.hearing.behind(), 1, 'an older answer takes nothing back');
  rig.drops(0);
  t.equal(rig.hearing.compareDrops(1), 0, 'the kernel has lost none: they are foreign');
  rig.drops(undefined);
  t.equal(rig.hearing.compareDrops(1), 1, 'where it does not count they may be lost');
  rig.drops(0, 4096);
  t.equal(rig.hearing.queued(), true);
  t.end();
});

t.test('without a socket', (t) => {
  const folder = t.testdir({ proc: {}, sys: { kernel: { uevent_seqnum: '7\n' } } });
  const host = openHost({ root: folder, kernel: '0', sysfs: join(folder, 'sys'), proc: join(folder, 'proc') });
  const refuse = (code: 'unsupported' | 'system') => () => {
    throw new PlugdError(code, 'no');
  };
  const listener = { uevent: () => {}, fault: () => {} };
  t.throws(() => new Hearing(host, listener, { open: refuse('unsupported') }), /no/);
  t.throws(() => new Hearing(host, listener, { open: refuse('system'), optional: true }), /no/);
  const hearing = new Hearing(host, listener, { open: refuse('unsupported'), optional: true });
  t.match(hearing, { live: false, seqnum: 0, receiveBuffer: 0, counters: { received: 0 } });
  t.equal(hearing.behind(), 0, 'nothing will come');
  t.equal(hearing.compareDrops(), 0);
  t.equal(hearing.fault(), undefined);
  hearing.close();
  t.end();
});
