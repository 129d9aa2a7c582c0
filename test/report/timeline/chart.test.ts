import t from 'tap';
import type { ColdplugRun, ModuleRecord } from '../../../agent/records/coldplug-run.ts';
import { name, record, virtio } from '../run-records.ts';
import { chart } from '../../../agent/report/timeline/chart.ts';
import { criticalPath } from '../../../agent/report/timeline/critical-path.ts';
import { traceFaults } from './trace-format.ts';
import { trace } from '../../../agent/report/timeline/trace.ts';

function untried(module: string, at: number | undefined, rest: Partial<ModuleRecord>): ModuleRecord {
  const { startedMs: _, readyMs: __, endedMs: ___, ...base } = record(module, 100, 100, rest);
  return at === undefined ? base : { ...base, endedMs: at };
}

const LONG = 'a_module_whose_name_is_longer_than_any_that_the_kernel_has';
const RUN: ColdplugRun = {
  kernel: '6.1.0',
  moduleDir: '/lib/modules/6.1.0',
  jobs: 2,
  dryRun: false,
  wallMs: 1500,
  phases: [
    { name: 'start', startedMs: 0, endedMs: 40 },
    { name: 'rules', startedMs: 40, endedMs: 60 },
    { name: 'devices', startedMs: 60, endedMs: 90 },
    { name: 'settle', startedMs: 90, endedMs: 1500 },
  ],
  devices: 1,
  modaliases: [],
  modules: [
    record('virtio', 90, 100, { why: 'depends' }),
    record('virtio_pci', 101, 300, { waitedFor: [name('virtio')] }),
    record('virtio_net', 320, 1400, { requester: virtio }),
    record('kvm_amd', 110, 140, { result: 'failed', cause: 'no-device', errno: 19 }),
    record('bad<&>"', 150, 160, { result: 'failed', cause: 'signature', errno: 129 }),
    untried('above', 160, { result: 'skipped', cause: 'missing-dependency', detail: 'bad<&>"' }),
    untried('kvm_more', 141, { result: 'skipped', cause: 'missing-dependency', detail: 'kvm_amd' }),
    untried('never_begun', undefined, { result: 'unfinished' }),
    { ...untried('stuck', undefined, { result: 'unfinished' }), startedMs: 200 },
    untried('planned', undefined, { result: 'planned' }),
    record(LONG, 400, 410),
  ],
  present: [],
  blocked: [],
  problems: [],
  uevents: { received: 0, used: 0, gaps: 0, rescans: 0, dropped: 0 },
};

/** The group that shows a module. */
function groupOf(svg: string, label: string): string {
  return svg.split('<g>').find((group) => group.includes(`>${label}</text>`)) ?? '';
}

t.test('the critical path goes through needs and through devices that appeared', (t) => {
  t.same(
    criticalPath(RUN.modules).map(({ module }) => module),
    ['virtio', 'virtio_pci', 'virtio_net'],
  );
  t.same(criticalPath([]), []);
  t.same(criticalPath(RUN.modules.filter(({ startedMs }) => startedMs === undefined)), []);
  t.end();
});

t.test('the chart is well-formed XML that scales, with a row for each phase and each module that was tried', (t) => {
  const svg = chart(RUN);
  t.match(svg, /<svg [^>]*viewBox="0 0 (\d+) (\d+)"/);
  t.match(svg, /critical path: virtio → virtio_pci → virtio_net/);
  t.equal(svg.match(/<g>/g)?.length, 4 + 10);
  t.equal(groupOf(svg, 'planned'), '');
  const open: string[] = [];
  for (const [, close, tag, self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (close === '/') t.equal(open.pop(), tag);
    else if (self !== '/') open.push(tag ?? '');
  }
  t.same(open, []);
  t.match(chart({ ...RUN, modules: [] }), /critical path: none/);
  t.end();
});

t.test('what each bar means', (t) => {
  const svg = chart(RUN);
  const rows: ReadonlyArray<readonly [label: string, bar: string, note: RegExp]> = [
    ['Node and plugd start', 'phase', /40 ms/],
    ['read devices, plan', 'phase', /30 ms/],
    ['virtio_net', 'run crit', /1\.08 s/],
    ['virtio_pci', 'run crit', /199 ms {2}after virtio</],
    ['kvm_amd', 'none', /30 ms/],
    ['kvm_more', 'none', /skipped: needs kvm_amd/],
    ['bad&lt;&amp;&gt;&quot;', 'bad', /10 ms/],
    ['above', 'bad', /skipped: needs bad/],
    ['never_begun', 'wait', /not begun/],
    ['stuck', 'open', /1\.30 s/],
    [LONG, 'run', /10 ms/],
  ];
  for (const [label, bar, note] of rows) {
    const group = groupOf(svg, label);
    t.match(group, `class="${bar}"`, label);
    t.match(group, note, label);
  }
  t.notMatch(groupOf(svg, 'kvm_amd'), 'class="bad"', 'no device is no failure');
  const [, colours = ''] = /<style>(.*)<\/style>/.exec(svg) ?? [];
  for (const kind of ['phase', 'wait', 'slot', 'run', 'none', 'bad', 'open']) {
    t.match(colours, `.${kind}{fill:`);
    t.match(svg, new RegExp(`<rect class="${kind}" x="\\d+(\\.\\d)?" y="54"`), `${kind} is in the legend`);
  }
  t.end();
});

t.test('no name is clipped', (t) => {
  const svg = chart(RUN);
  const width = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  for (const [, x = '', attributes = '', text = ''] of svg.matchAll(
    /<text x="([\d.]+)" y="[\d.]+" ([^>]*)>([^<]*)</g,
  )) {
    const room = attributes.includes('end') ? Number(x) : width - Number(x);
    if (!attributes.includes('middle')) t.ok(room >= text.length * 5.5, text);
  }
  t.end();
});

t.test('the trace', (t) => {
  t.same(traceFaults(JSON.stringify(trace(RUN))), [], 'the Trace Event Format');
  t.same(traceFaults(JSON.stringify(trace({ ...RUN, modules: [], phases: [] }))), []);
  t.not(traceFaults(JSON.stringify({ traceEvents: [{ name: 'x', ph: 'X', ts: -1 }] })).length, 0);
  const { traceEvents } = trace(RUN);
  t.same(JSON.parse(JSON.stringify(trace(RUN))).displayTimeUnit, 'ms');
  const find = (module: string) => traceEvents.find((event) => event.name === module && event.ph !== 'M');
  t.match(find('virtio_net'), {
    ph: 'X',
    ts: 320_000,
    dur: 1_080_000,
    args: { result: 'inserted', waitedForItsTurnMs: 2 },
  });
  t.match(find('above'), { ph: 'i', ts: 160_000, s: 't', args: { detail: 'bad<&>"' } });
  t.match(find('kvm_more'), { args: { noDevice: true } });
  t.equal(find('planned'), undefined);
  t.same(
    traceEvents.filter(({ cat }) => cat === 'phase').map(({ ts, dur }) => [ts, dur]),
    [
      [0, 40_000],
      [40_000, 20_000],
      [60_000, 30_000],
      [90_000, 1_410_000],
    ],
  );
  const inits = traceEvents.filter(({ cat }) => cat === 'init');
  for (const one of inits)
    for (const other of inits) {
      const apart = one.ts + (one.dur ?? 0) <= other.ts || other.ts + (other.dur ?? 0) <= one.ts;
      t.ok(one === other || one.tid !== other.tid || apart, `${one.name} and ${other.name} share no track`);
    }
  t.end();
});
