import t from 'tap';
import type { Devpath, Modalias, ModuleName } from '../../agent/base/names.ts';
import { chart, criticalPath } from '../../agent/report/chart.ts';
import { hasFailures, type ColdplugRun, type ModuleRecord } from '../../agent/records/coldplug-run.ts';
import { blockedLine, endLine, planText, summarize } from '../../agent/report/coldplug-summary.ts';
import { progressLine } from '../../agent/report/loading-text.ts';

const plain = { colour: false, width: 80 };
const name = (text: string) => text as ModuleName;
const pci = { devpath: '/devices/pci0000:00/0000:00:02.0' as Devpath, subsystem: 'pci', name: 'pci:v1' };
const virtio = {
  devpath: '/devices/pci0000:00/0000:00:02.0/virtio0' as Devpath,
  subsystem: 'virtio',
  name: 'virtio:d1',
};

function record(module: string, from: number, to: number, rest: Partial<ModuleRecord> = {}): ModuleRecord {
  return {
    module: name(module),
    path: `/lib/modules/6.1/${module}.ko`,
    params: '',
    why: 'target',
    requester: pci,
    result: 'inserted',
    waitedFor: [],
    addedMs: from - 5,
    readyMs: from - 2,
    startedMs: from,
    endedMs: to,
    ...rest,
  };
}

const RUN: ColdplugRun = {
  kernel: '6.1.0-1-amd64',
  moduleDir: '/lib/modules/6.1.0-1-amd64',
  jobs: 2,
  dryRun: false,
  wallMs: 1500,
  firstInsertMs: 90,
  devices: 412,
  modaliases: [
    { modalias: 'pci:v1' as Modalias, verdict: 'matched', modules: [name('virtio_pci')] },
    { modalias: 'acpi:x' as Modalias, verdict: 'builtin', modules: [name('button')] },
    { modalias: 'acpi:y' as Modalias, verdict: 'no-match', modules: [] },
  ],
  modules: [
    record('virtio', 90, 100, { why: 'depends' }),
    record('virtio_pci', 101, 300, { waitedFor: [name('virtio')] }),
    record('virtio_net', 320, 1400, { requester: virtio }),
    record('kvm_amd', 110, 140, { result: 'failed', cause: 'no-device', errno: 19 }),
    record('bad<&>', 150, 160, { result: 'failed', cause: 'signature', errno: 129 }),
    record('above', 160, 160, { result: 'skipped', cause: 'missing-dependency', detail: 'bad' }),
  ],
  present: [name('loop')],
  blocked: [
    {
      module: name('nvme'),
      kind: 'blacklisted',
      reason: 'blacklist nvme',
      place: { file: '/etc/modprobe.d/test.conf', line: 3 },
      requester: pci,
    },
  ],
  problems: [
    {
      file: '/etc/modprobe.d/a.conf',
      line: 2,
      column: 1,
      severity: 'error',
      code: 'unknown-directive',
      message: "unknown directive 'blaklist'",
    },
  ],
  uevents: { received: 10, used: 5, gaps: 1, rescans: 1, dropped: 0 },
};

t.test('the summary tells everything and fits 80 columns', (t) => {
  const text = summarize(RUN, plain);
  for (const line of [
    /^Linux 6\.1\.0-1-amd64: 3 modules inserted in 1\.50 s$/m,
    /devices +412 +with 3 distinct modaliases/,
    /matched +1 +modaliases; 1 built in, 1 no match/,
    /inserted +3 .*2 at a time, first at 90 ms/,
    /already there +1/,
    /blocked +1/,
    /nvme +blacklist nvme {2}\/etc\/modprobe\.d\/test\.conf:3/,
    /failed +3/,
    /kvm_amd +no-device \(ENODEV\): found no device that it drives/,
    /slowest inits\n {4}virtio_net +1\.08 s +virtio virtio0\n {4}virtio_pci/,
    /a\.conf:2:1: unknown directive 'blaklist'/,
    /1 gaps/,
  ]) {
    t.match(text, line);
  }
  t.same(
    text.split('\n').filter((line) => line.length > 80),
    [],
  );
  t.notMatch(text, /\u001B/, 'no colour where there is none');
  t.match(summarize(RUN, { colour: true, width: 80 }), /\u001B\[/);
  t.match(
    summarize({ ...RUN, unsettled: [{ kind: 'insertion', module: 'ahci' as ModuleName, ms: 14_000 }] }, plain),
    /not settled; still waiting for: ahci/,
  );
  t.end();
});

t.test('a dry run shows its plan', (t) => {
  const run = {
    ...RUN,
    dryRun: true,
    modules: [record('virtio', 0, 0, { result: 'planned', why: 'depends', params: 'a=1' })],
  };
  t.match(summarize(run, plain), /1 modules would be inserted \(nothing was changed\)/);
  t.match(planText(run, plain), /^virtio a=1 +depends of pci 0000:00:02\.0$/m);
  t.equal(planText({ ...run, modules: [] }, plain), '');
  t.end();
});

t.test('live lines', (t) => {
  t.match(endLine(record('ahci', 100, 1100), plain), /^ {2}1\.100 inserted {2}ahci +1\.00 s {2}pci 0000:00:02\.0$/);
  t.match(
    endLine(record('x', 1, 2, { result: 'failed', cause: 'busy', errno: 16 }), plain),
    /failed.*busy \(EBUSY\): something else ho…$/,
  );
  t.match(blockedLine(RUN.blocked[0] as never, 1234, plain), /^ {2}1\.234 blocked {3}nvme +blacklist nvme/);
  const line = progressLine(
    { devices: 9, done: 5, total: 10, running: [{ module: 'ahci', ms: 812 }], blocked: 1, failed: 2 },
    plain,
  );
  t.equal(line, '[########........] 5/10  9 devices, 1 blocked, 2 failed   ahci 812 ms');
  t.ok(
    progressLine(
      {
        devices: 9,
        done: 0,
        total: 0,
        running: Array.from({ length: 20 }, () => ({ module: 'x'.repeat(9), ms: 1 })),
        blocked: 0,
        failed: 0,
      },
      plain,
    ).length < 80,
  );
  t.end();
});

t.test('failures that count', (t) => {
  t.equal(hasFailures(RUN.modules), true);
  t.equal(hasFailures(RUN.modules.filter((one) => one.cause !== 'signature')), false, 'no hardware is no failure');
  t.end();
});

t.test('the critical path goes through needs and through devices that appeared', (t) => {
  t.same(
    criticalPath(RUN.modules).map((one) => one.module),
    ['virtio', 'virtio_pci', 'virtio_net'],
  );
  t.same(criticalPath([]), []);
  t.end();
});

t.test('the chart is well-formed XML with a row a module', (t) => {
  const svg = chart(RUN);
  t.match(svg, /critical path: virtio → virtio_pci → virtio_net/);
  t.match(svg, /bad&lt;&amp;&gt;/);
  t.equal(svg.match(/<g>/g)?.length, 6);
  const open: string[] = [];
  for (const [, close, tag, self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (close === '/') t.equal(open.pop(), tag);
    else if (self !== '/') open.push(tag ?? '');
  }
  t.same(open, []);
  t.match(chart({ ...RUN, modules: [] }), /critical path: none/);
  t.end();
});
