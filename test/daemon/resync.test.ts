import t from 'tap';
import type { RescanResult } from '../../agent/daemon/rescan.ts';
import { Resync } from '../../agent/daemon/resync.ts';
import { nextTurn } from '../../agent/load/turns.ts';
import { MovedClock } from '../base/moved-clock.ts';

const FOUND: RescanResult = { devices: 9, appeared: 2, disappeared: 1, modulesCame: 0, modulesGone: 0, ms: 12.6 };

/** A resync by a clock that the test moves. `lastMs`: when the last uevent came; `found`: ends the rescan under way. */
function bench() {
  const clock = new MovedClock();
  const state = { lastMs: 0, begunAt: [] as number[], found: async () => {} };
  const lines: string[] = [];
  const fields: unknown[] = [];
  const resync = new Resync({
    clock,
    log: {
      debugging: false,
      line: (level, message, rest) => {
        lines.push(`${level} ${message}`);
        fields.push(rest);
      },
    },
    silentMs: () => clock.now() - state.lastMs,
    rescan: async () => {
      state.begunAt.push(clock.now());
      return new Promise((resolve) => {
        state.found = async () => {
          resolve(FOUND);
          await nextTurn();
        };
      });
    },
  });
  return { clock, state, lines, fields, resync };
}

t.test('a loss has sysfs read once it has been silent for a moment', async (t) => {
  const { clock, state, lines, fields, resync } = bench();
  t.equal(resync.due, false);
  resync.lost(3);
  resync.lost(4);
  t.equal(resync.due, true);
  clock.move(49);
  t.same(state.begunAt, []);
  clock.move(1);
  t.same(state.begunAt, [50]);
  t.equal(resync.due, false, 'it is under way');
  t.same(lines, []);
  await state.found();
  const words = 'overrun: the socket lost 7 uevents; 9 devices read again, 2 of them new, 1 gone';
  t.same(lines, [`warn ${words}`]);
  t.match(fields, [{ event: 'resync', lost: 7, appeared: 2, ms: 13 }]);
  clock.move(60_000);
  t.equal(resync.count, 1, 'one for all of them');
});

t.test('a storm is waited for, but not longer than a second', (t) => {
  for (const [name, stormMs, begun] of [
    ['a short storm', 220, 300],
    ['a long one', 60_000, 1000],
  ] as const) {
    const { clock, state, resync } = bench();
    resync.lost(1);
    while (clock.now() < 2000) {
      if (clock.now() <= stormMs) state.lastMs = clock.now();
      clock.move(10);
    }
    t.same(state.begunAt, [begun], name);
  }
  t.end();
});

t.test('what is lost while sysfs is read is answered by the next', async (t) => {
  const { clock, state, lines, resync } = bench();
  resync.lost(1);
  clock.move(50);
  resync.lost(5);
  t.equal(resync.due, false);
  await state.found();
  t.equal(resync.due, true);
  clock.move(50);
  t.same(state.begunAt, [50, 100]);
  await state.found();
  t.match(lines, [/lost 1 uevent;/, /lost 5 uevents/]);
  t.equal(resync.due, false);
});

t.test('an agent that ends begins none', async (t) => {
  const { clock, state, resync } = bench();
  resync.lost(1);
  resync.close();
  t.equal(resync.due, false);
  t.same(clock.pending, []);
  resync.lost(1);
  clock.move(60_000);
  t.same(state.begunAt, []);
  const second = bench();
  second.resync.lost(1);
  second.clock.move(50);
  second.resync.lost(1);
  second.resync.close();
  await second.state.found();
  t.same(second.clock.pending, [], 'nor one after that which is under way');
});
