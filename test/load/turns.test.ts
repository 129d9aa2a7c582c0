import t from 'tap';
import type { Device } from '../../agent/facts/devices/device.ts';
import { byRank, inTurns, sinceStart, TURN_MS, Turns, within } from '../../agent/load/turns.ts';

/** A clock that the test moves, and how often the turn was given up. */
function clock() {
  const time = { ms: 0, looks: 0, yielded: 0 };
  const options = {
    now: () => {
      time.looks++;
      return time.ms;
    },
    yieldTurn: async () => {
      time.yielded++;
    },
  };
  return { time, options };
}

const device = (name: string, modalias: string): Device =>
  ({ name, devpath: `/devices/${name}`, modaliases: [modalias] }) as unknown as Device;

t.test('a slice ends when its time is over', async (t) => {
  const rows: ReadonlyArray<readonly [name: string, eachMs: number, items: number, yields: number]> = [
    ['quick items share a slice', 0, 100, 0],
    ['each item may take a quarter of it', TURN_MS / 4, 8, 2],
    ['an item that takes longer than a slice ends it', 3 * TURN_MS, 3, 3],
  ];
  for (const [name, eachMs, items, yields] of rows) {
    const { time, options } = clock();
    await inTurns(Array.from({ length: items }), () => (time.ms += eachMs), options);
    t.equal(time.yielded, yields, name);
  }
});

t.test('cheap items hardly look at the clock', (t) => {
  const { time, options } = clock();
  const turns = new Turns(options);
  time.looks = 0;
  for (let i = 0; i < 80; i++) turns.over(true);
  t.equal(time.looks, 10);
  for (let i = 0; i < 80; i++) turns.over(false);
  t.equal(time.looks, 90);
  time.ms = TURN_MS;
  t.equal(turns.over(true), false, 'one more cheap item does no harm');
  t.equal(turns.over(false), true);
  t.end();
});

t.test('the time of the others is not the next slice’s', async (t) => {
  const { time } = clock();
  const turns = new Turns({
    now: () => time.ms,
    yieldTurn: async () => void (time.ms += 1000),
    between: () => (time.ms += 500),
  });
  time.ms += TURN_MS;
  t.equal(turns.over(false), true);
  await turns.next();
  t.equal(turns.over(false), false);
});

t.test('controllers first in each batch, the rest as it came, batch after batch', async (t) => {
  const { options } = clock();
  const order: string[] = [];
  const batches = [
    Promise.resolve([device('a', 'cpu:x'), device('usb', 'pci:v1bc0Csc03i30'), device('disk', 'pci:v1bc01sc06i01')]),
    Promise.resolve([device('b', 'acpi:x'), device('virtio', 'pci:v00001AF4d1')]),
  ];
  await byRank(batches, ({ name }) => order.push(name) > 0, options);
  t.same(order, ['usb', 'disk', 'a', 'virtio', 'b']);
});

t.test('between the slices', async (t) => {
  const { time, options } = clock();
  const order: string[] = [];
  const work = ({ name }: Device) => {
    order.push(name);
    time.ms += TURN_MS;
    return false;
  };
  await byRank([Promise.resolve([device('a', ''), device('b', '')])], work, {
    ...options,
    between: () => order.push('between'),
  });
  t.same(order, ['a', 'between', 'b', 'between']);
});

t.test('within', async (t) => {
  t.equal(await within(sinceStart() + 60_000, Promise.resolve()), true);
  t.equal(await within(sinceStart() - 1, new Promise(() => {})), false, 'a deadline that is over');
  await t.rejects(within(sinceStart() + 60_000, Promise.reject(new Error('x'))), /x/);
});

t.test('sinceStart counts from the start of the process', (t) => {
  const upMs = process.uptime() * 1000;
  const ns = process.hrtime.bigint();
  // However long the machine stood still in between: it is no smaller, and not counted from the machine's start.
  t.ok(sinceStart(ns) >= upMs - 1, `${sinceStart(ns)}, ${upMs}`);
  t.ok(sinceStart(ns) < Number(ns) / 1e6);
  t.equal(Math.round(sinceStart(ns + 5_000_000n) - sinceStart(ns)), 5);
  t.end();
});
