import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { coldplugEnd, type ColdplugEnd, type ColdplugEndOptions } from '../../agent/load/coldplug-end.ts';
import type { Waiting } from '../../agent/records/waiting.ts';

const SLOW: Waiting = { kind: 'insertion', module: 'slow' as ModuleName, ms: 1 };
const HUB: Waiting = { kind: 'workers', workers: ['usb_hub_wq'] };
const TIMEOUT_MS = 30_000;

/** A coldplug whose facts and clock are the test's. */
function bench() {
  const facts = {
    ms: 0,
    /** Insertions in flight. */
    open: 0,
    devices: 3,
    live: true,
    /** The kernel's last SEQNUM, and the last one heard. */
    numbered: 10,
    heard: 10,
    /** Uevents that the kernel has counted as lost and that are not told of yet; undefined where it does not count. */
    drops: 0 as number | undefined,
    queued: false,
    expecting: undefined as Waiting | undefined,
    rescansAt: [] as number[],
    /** Things that happen at a time, in order. */
    later: [] as Array<readonly [ms: number, work: () => void]>,
    /** What sysfs shows when it is read again. */
    readAgain: () => {},
  };
  /** Goes on to `until`, or to the first thing that happens before. */
  const move = (until: number) => {
    const next = facts.later[0];
    if (next === undefined || next[0] > until) {
      facts.ms = until;
      return;
    }
    facts.later.shift();
    facts.ms = Math.max(facts.ms, next[0]);
    next[1]();
  };
  const options: ColdplugEndOptions = {
    timeoutMs: TIMEOUT_MS,
    loader: {
      get devices() {
        return facts.devices;
      },
      modules: {
        get open() {
          return facts.open;
        },
        waitingFor: () => [SLOW],
        whenIdle: async () => {},
      },
    },
    hearing: {
      get live() {
        return facts.live;
      },
      behind: () => (facts.live ? facts.numbered - facts.heard : 0),
      numbered: () => facts.numbered,
      queued: () => facts.queued,
      compareDrops: (stayedAway?: number) => {
        const lost = facts.drops ?? stayedAway ?? 0;
        if (facts.drops !== undefined) facts.drops = 0;
        return lost;
      },
      answer: (seqnum?: number) => {
        facts.heard = Math.max(facts.heard, seqnum ?? facts.numbered);
      },
      buses: { expecting: () => facts.expecting },
    },
    readAgain: async () => {
      facts.rescansAt.push(facts.ms);
      facts.readAgain();
    },
    time: {
      now: () => facts.ms,
      pause: async (ms) => move(facts.ms + ms),
      within: async (deadline) => {
        while (facts.open > 0 && facts.ms < deadline) move(deadline);
        return facts.open === 0;
      },
    },
  };
  return { facts, run: async () => coldplugEnd(options) };
}

type Facts = ReturnType<typeof bench>['facts'];

const settled = (rescans = 0): ColdplugEnd => ({ unsettled: undefined, rescans });
const ROWS: Record<string, readonly [set: (facts: Facts) => void, end: ColdplugEnd, ms: number]> = {
  'nothing to do ends at once': [() => {}, settled(), 0],
  'what is in flight is waited for': [
    (f) => {
      f.open = 1;
      f.later = [[700, () => (f.open = 0)]];
    },
    settled(),
    700,
  ],
  'an init that lasts ends the wait, not the init': [
    (f) => (f.open = 1),
    { unsettled: [SLOW], rescans: 0 },
    TIMEOUT_MS,
  ],
  'a uevent on its way is waited for': [
    (f) => {
      f.numbered = 11;
      f.later = [[40, () => (f.heard = 11)]];
    },
    settled(),
    40,
  ],
  'what that uevent brings is waited for too': [
    (f) => {
      f.numbered = 11;
      f.later = [
        [40, () => Object.assign(f, { heard: 11, open: 1 })],
        [900, () => (f.open = 0)],
      ];
    },
    settled(),
    900,
  ],
  'a number that stays away and is no loss belongs to another namespace': [(f) => (f.numbered = 15), settled(), 100],
  'a number that stays away is a loss where the kernel does not count': [
    (f) => Object.assign(f, { numbered: 15, drops: undefined }),
    settled(1),
    100,
  ],
  'a number stays away only when the queue is empty': [
    (f) => {
      Object.assign(f, { numbered: 11, queued: true });
      f.later = [[5000, () => Object.assign(f, { heard: 11, queued: false })]];
    },
    settled(),
    5000,
  ],
  'a queue that nobody empties is left at the end of the time': [
    (f) => Object.assign(f, { numbered: 11, queued: true }),
    settled(),
    TIMEOUT_MS,
  ],
  'a loss without a number that stays away': [(f) => (f.drops = 2), settled(1), 0],
  'a loss during the rescan has another': [
    (f) => {
      f.drops = 2;
      f.readAgain = () => {
        if (f.rescansAt.length === 1) f.drops = 1;
      };
    },
    settled(2),
    0,
  ],
  'what the rescan finds is waited for': [
    (f) => {
      f.drops = 1;
      f.readAgain = () => (f.open = 1);
      f.later = [[300, () => (f.open = 0)]];
    },
    settled(1),
    300,
  ],
  'a hub at work is waited for, and what it finds is served': [
    (f) => {
      f.expecting = HUB;
      f.later = [
        [305, () => Object.assign(f, { numbered: 11, heard: 11, open: 1 })],
        [400, () => (f.open = 0)],
        [600, () => (f.expecting = undefined)],
      ];
    },
    settled(),
    600,
  ],
  'a hub that never ends is named at the end of the time': [
    (f) => (f.expecting = HUB),
    { unsettled: [HUB], rescans: 0 },
    TIMEOUT_MS,
  ],
  'without a socket sysfs is read until it shows nothing new': [
    (f) => {
      f.live = false;
      f.readAgain = () => {
        if (f.rescansAt.length === 1) f.devices++;
      };
    },
    settled(2),
    0,
  ],
};
for (const [name, [set, end, ms]] of Object.entries(ROWS)) {
  t.test(name, async (t) => {
    const { facts, run } = bench();
    set(facts);
    t.same(await run(), end);
    t.equal(facts.ms, ms);
    t.equal(facts.rescansAt.length, end.rescans);
  });
}

t.test('what a rescan answers is not waited for', async (t) => {
  const { facts, run } = bench();
  facts.drops = 1;
  // This one is numbered just before sysfs is read.
  Object.defineProperty(facts, 'expecting', {
    get: () => {
      if (facts.rescansAt.length === 0) facts.numbered = 12;
    },
  });
  t.same(await run(), settled(1));
  t.equal(facts.ms, 0);
});

t.test('by the machine’s clock, a time that is over leaves what is done settled', async (t) => {
  const end = coldplugEnd({
    timeoutMs: 0,
    loader: { devices: 0, modules: { open: 0, waitingFor: () => [], whenIdle: async () => {} } },
    hearing: {
      live: true,
      behind: () => 0,
      numbered: () => 0,
      queued: () => false,
      compareDrops: () => 0,
      answer: () => {},
      buses: { expecting: () => undefined },
    },
    readAgain: async () => {},
  });
  t.same(await end, settled());
});
