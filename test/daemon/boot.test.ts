import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { Boot, type BootOptions } from '../../agent/daemon/boot.ts';
import type { Waiting } from '../../agent/records/waiting.ts';

const HANGING: Waiting = { kind: 'insertion', module: 'hang' as ModuleName, ms: 0 };
const PENDING = ['policy.conf:1: after boot deny subsystem=usb'];

/** One check of the settling: the time since the check before, and what it waits for. */
type Look = readonly [ms: number, waiting: readonly Waiting[]];

/** Runs a boot whose settle sees what the looks say, and then the end; tells the phase at each look, and what was logged. */
async function boot(looks: readonly Look[], pending: readonly string[] = PENDING) {
  let nowMs = 0;
  const phases: string[] = [];
  const lines: string[] = [];
  const policy: BootOptions['policy'] = {
    phase: 'boot',
    get pending() {
      return this.phase === 'boot' ? pending : [];
    },
  };
  const settle: BootOptions['settling']['settle'] = async (_, __, changed, stopped) => {
    let told = '';
    for (const [ms, waiting] of looks) {
      nowMs += ms;
      stopped();
      phases.push(policy.phase);
      if (told !== JSON.stringify(waiting)) changed(waiting);
      told = JSON.stringify(waiting);
    }
    return { settled: true, waiting: [] };
  };
  const one = new Boot({
    log: {
      debugging: false,
      line: (level, message, fields) => lines.push(`${level} ${String(fields?.['event'])}: ${message}`),
    },
    loader: { sources: { problems: () => [] } } as unknown as BootOptions['loader'],
    chronicle: {
      counts: { inserted: 1, alreadyLoaded: 0, commands: 0, failed: 0, skipped: 0, noDevice: 0, blocked: 0 },
    },
    policy,
    settling: { settle },
    rescan: async () => ({ devices: 2, appeared: 2, disappeared: 0, modulesCame: 0, modulesGone: 0, ms: 1 }),
    now: () => nowMs,
  });
  const settled = await one.run();
  return { settled, phases, lines, end: policy.phase, state: one.state };
}

const QUIET = 30_000;
const LONGEST = 120_000;

const ROWS: Readonly<Record<string, { readonly looks: readonly Look[]; readonly phases: readonly string[] }>> = {
  'nothing hangs: the phase turns when it has settled': {
    looks: [
      [0, [{ kind: 'reading' }]],
      [10, [HANGING]],
      [10, [{ kind: 'bus' }]],
    ],
    phases: ['boot', 'boot', 'boot'],
  },
  'a command hangs: it turns once nothing else has happened for a while': {
    looks: [
      [0, [HANGING]],
      [QUIET - 1, [HANGING]],
      [1, [HANGING]],
    ],
    phases: ['boot', 'boot', 'after-boot'],
  },
  'what begins or ends meanwhile may bring devices: it waits again': {
    looks: [
      [0, [HANGING]],
      [QUIET - 1, [HANGING, { kind: 'queued', module: 'x' as ModuleName }]],
      [QUIET - 1, [HANGING]],
      [QUIET, [HANGING]],
    ],
    phases: ['boot', 'boot', 'boot', 'after-boot'],
  },
  'devices that are still being found are of the boot': {
    looks: [
      [0, [HANGING, { kind: 'workers', workers: ['usb_hub_wq'] }]],
      [QUIET + 1, [HANGING, { kind: 'workers', workers: ['usb_hub_wq'] }]],
      [LONGEST - QUIET - 2, []],
    ],
    phases: ['boot', 'boot', 'boot'],
  },
  'after the longest time it turns whatever goes on, a read of sysfs included': {
    looks: [
      [0, [{ kind: 'reading' }]],
      [LONGEST - 1, [{ kind: 'reading' }]],
      [1, [{ kind: 'reading' }]],
    ],
    phases: ['boot', 'boot', 'after-boot'],
  },
};

for (const [rule, { looks, phases }] of Object.entries(ROWS)) {
  t.test(rule, async (t) => {
    const run = await boot(looks);
    t.same(run.phases, phases);
    t.match(run, { settled: true, end: 'after-boot', state: 'serving' });
    const early = phases.includes('after-boot');
    t.equal(run.lines.filter((line) => line.startsWith('warn policy: ')).length, early ? 1 : 0);
  });
}

t.test(
  'the log names the rules that do not hold yet, and what the coldplug waits for when they begin to',
  async (t) => {
    const { lines } = await boot([
      [0, [HANGING]],
      [QUIET, [HANGING]],
      [QUIET, [HANGING]],
    ]);
    t.match(lines, [
      'info policy: 1 rule of the policy holds only after boot: policy.conf:1: after boot deny subsystem=usb',
      /^warn policy: the policy's rules for after boot hold from now on, although the coldplug waits for hang/,
      /^info settled: /,
    ]);
  },
);

t.test('without such rules nothing is said of them', async (t) => {
  const { lines } = await boot(
    [
      [0, [HANGING]],
      [QUIET, [HANGING]],
    ],
    [],
  );
  t.match(lines, [/^info settled: /]);
  t.equal(lines.length, 1);
});
