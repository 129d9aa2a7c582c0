import t, { type Test } from 'tap';
import { openHost } from '../../agent/base/host.ts';
import type { Devpath, Modalias, ModuleName } from '../../agent/base/names.ts';
import { Settling, type SettlingOptions } from '../../agent/daemon/settling.ts';
import type { ModuleRecord } from '../../agent/records/coldplug-run.ts';
import type { Waiting } from '../../agent/records/waiting.ts';
import { waitingTexts } from '../../agent/report/loading-text.ts';

const nic = 'nic' as ModuleName;
const other = 'other' as ModuleName;
const MODALIAS = 'pci:v1' as Modalias;

/** A settling over facts that the test sets; `each` is called at every look, when the clock has moved on. */
function bench(t: Test) {
  const facts = {
    tasks: [] as Waiting[],
    due: undefined as Waiting | undefined,
    behind: 0,
    silentMs: 1000,
    queued: false,
    expecting: undefined as Waiting | undefined,
    live: new Set<ModuleName>(),
    builtin: new Set<ModuleName>(),
    record: undefined as Partial<ModuleRecord> | undefined,
    known: new Map<Devpath, readonly Modalias[]>(),
    answers: new Map<Modalias, { readonly modules: readonly ModuleName[] }>(),
    ms: 0,
    each: () => {},
  };
  const folder = t.testdir({
    sys: { bus: { pci: { devices: { '0000:00:02.0': { uevent: '' } } } }, devices: {} },
    proc: {},
  });
  const loader = {
    modules: {
      waitingFor: (modules?: readonly ModuleName[]) =>
        facts.tasks.filter((task) => modules === undefined || ('module' in task && modules.includes(task.module))),
      record: () => facts.record,
    },
    known: facts.known,
    answers: facts.answers,
    sources: { matcher: { isBuiltin: (module: ModuleName) => facts.builtin.has(module) } },
  };
  const options = {
    host: openHost({ root: folder, kernel: '0', sysfs: `${folder}/sys`, proc: `${folder}/proc` }),
    loader,
    hearing: {
      behind: () => facts.behind,
      get silentMs() {
        return facts.silentMs;
      },
      queued: () => facts.queued,
      buses: { expecting: () => facts.expecting },
    },
    loaded: { state: (module: ModuleName) => (facts.live.has(module) ? 'live' : undefined) },
    due: () => facts.due,
    now: () => facts.ms,
    pause: async (ms: number) => {
      facts.ms += ms;
      facts.each();
    },
  };
  return { facts, settling: new Settling(options as unknown as SettlingOptions) };
}

type Facts = ReturnType<typeof bench>['facts'];

const ALL: Record<string, readonly [set: (facts: Facts) => void, expected: string]> = {
  'nothing left': [() => {}, ''],
  'a module in flight': [
    (f) => f.tasks.push({ kind: 'insertion', module: nic, ms: 1200 }),
    'nic (in finit_module for 1.2 s)',
  ],
  'a module whose turn has not come': [(f) => f.tasks.push({ kind: 'queued', module: nic }), 'nic (not begun)'],
  'a rescan that is due': [(f) => (f.due = { kind: 'rescan' }), 'a rescan of sysfs'],
  'uevents on their way': [(f) => Object.assign(f, { behind: 2, silentMs: 10 }), '2 uevents of the kernel'],
  'uevents that stay away are not for this namespace': [(f) => Object.assign(f, { behind: 2, silentMs: 150 }), ''],
  'unless something lies in the queue': [
    (f) => Object.assign(f, { behind: 2, silentMs: 150, queued: true }),
    '2 uevents of the kernel',
  ],
  'a hub at work': [(f) => (f.expecting = { kind: 'bus' }), 'a bus that is still finding devices'],
};
for (const [name, [set, expected]] of Object.entries(ALL)) {
  t.test(`waits for: ${name}`, (t) => {
    const { facts, settling } = bench(t);
    set(facts);
    t.equal(waitingTexts(settling.waiting()), expected);
    t.end();
  });
}

const NAMED: Record<
  string,
  readonly [set: (facts: Facts) => void, target: Parameters<Settling['waiting']>[0], expected: string]
> = {
  'a module that is loaded': [(f) => f.live.add(nic), { module: 'nic' }, ''],
  'a module that is built in': [(f) => f.builtin.add(nic), { module: 'nic' }, ''],
  'a module nobody asked for': [() => {}, { module: 'nic' }, 'nic (nobody has asked for it)'],
  'a module that failed': [
    (f) => (f.record = { result: 'failed', cause: 'missing-file' }),
    { module: 'nic' },
    'nic (missing-file: its file is not there)',
  ],
  'a module in flight': [(f) => f.tasks.push({ kind: 'queued', module: nic }), { module: 'nic' }, 'nic (not begun)'],
  'other modules are no concern': [
    (f) => {
      f.live.add(nic);
      f.tasks.push({ kind: 'queued', module: other });
    },
    { module: 'nic' },
    '',
  ],
  'a device that is not there': [() => {}, { device: 'eth9' }, 'device eth9 (not there)'],
  'a modalias nothing has': [() => {}, { modalias: 'usb:*' }, 'a device with modalias usb:* (not there)'],
  'the modules of a modalias': [
    (f) => {
      f.known.set('/devices/a' as Devpath, [MODALIAS]);
      f.answers.set(MODALIAS, { modules: [nic] });
      f.tasks.push({ kind: 'queued', module: nic }, { kind: 'queued', module: other });
    },
    { modalias: 'pci:*' },
    'nic (not begun)',
  ],
  'a modalias without a module': [(f) => f.known.set('/devices/a' as Devpath, [MODALIAS]), { modalias: 'pci:*' }, ''],
};
for (const [name, [set, target, expected]] of Object.entries(NAMED)) {
  t.test(`only waits for: ${name}`, (t) => {
    const { facts, settling } = bench(t);
    set(facts);
    t.equal(waitingTexts(settling.waiting(target)), expected);
    t.end();
  });
}

t.test('changes are reported, passing time is not', async (t) => {
  const { facts, settling } = bench(t);
  const told: string[] = [];
  facts.each = () => {
    if (facts.ms < 100) facts.tasks = [{ kind: 'insertion', module: nic, ms: facts.ms }];
    else if (facts.ms < 200) facts.tasks = [{ kind: 'queued', module: other }];
    else facts.tasks = [];
  };
  facts.each();
  const end = await settling.settle(
    {},
    undefined,
    (waiting) => told.push(waitingTexts(waiting)),
    () => false,
  );
  t.same(end, { settled: true, waiting: [] });
  t.same(told, ['nic (in finit_module for 0.0 s)', 'other (not begun)']);
});

t.test('the end of its time, to the millisecond, and a caller that stops it', async (t) => {
  const { facts, settling } = bench(t);
  facts.due = { kind: 'reading' };
  t.same(
    await settling.settle(
      {},
      100,
      () => {},
      () => false,
    ),
    { settled: false, waiting: [{ kind: 'reading' }] },
  );
  t.equal(facts.ms, 100);
  t.match(
    await settling.settle(
      {},
      0,
      () => {},
      () => false,
    ),
    { settled: false },
  );
  t.equal(facts.ms, 100, 'a timeout of 0 only looks');
  t.match(
    await settling.settle(
      {},
      undefined,
      () => {},
      () => facts.ms >= 130,
    ),
    { settled: false },
  );
  t.equal(facts.ms, 130);
});
