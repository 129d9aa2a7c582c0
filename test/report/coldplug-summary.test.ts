import t from 'tap';
import type { Modalias, ModuleName } from '../../agent/base/names.ts';
import { hasFailures, withoutDevice, type ColdplugRun } from '../../agent/records/coldplug-run.ts';
import { blockedLine, endLine, planText, summarize } from '../../agent/report/coldplug-summary.ts';
import { name, pci, record, virtio } from './run-records.ts';
import { progressLine } from '../../agent/report/loading-text.ts';

const plain = { colour: false, width: 80 };
const RUN: ColdplugRun = {
  kernel: '6.1.0-1-amd64',
  moduleDir: '/lib/modules/6.1.0-1-amd64',
  jobs: 2,
  dryRun: false,
  wallMs: 1500,
  firstInsertMs: 90,
  phases: [],
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
    record('above', 160, 160, { result: 'skipped', cause: 'missing-dependency', detail: 'bad<&>' }),
    record('kvm_plus', 160, 160, { result: 'skipped', cause: 'missing-dependency', detail: 'kvm_amd' }),
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
    /failed +2 *\n/,
    /no device +2 *\n/,
    /kvm_amd +no-device \(ENODEV\): found no device that it drives/,
    /slowest inits\n {4}virtio_net +1\.08 s +virtio virtio0\n {4}virtio_pci/,
    /a\.conf:2:1: unknown directive 'blaklist'/,
    /1 gap in the uevents, answered by 1 rescan/,
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
    modules: [
      record('virtio', 0, 0, { result: 'planned', why: 'depends', for: name('virtio_pci'), params: 'a=1' }),
      record('vmw_vsock_virtio_transport', 0, 0, { result: 'planned' }),
    ],
  };
  t.match(summarize(run, plain), /2 modules would be inserted \(nothing was changed\)/);
  t.equal(
    planText(run, plain),
    'virtio a=1                  pci 0000:00:02.0, needed by virtio_pci\n' +
      'vmw_vsock_virtio_transport  pci 0000:00:02.0\n',
  );
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

t.test('modules that found no device, and their dependants, differ from failures', (t) => {
  const text = summarize(RUN, { colour: true, width: Infinity });
  const lines = text.split('\n');
  const at = (name: string) => lines.findIndex((line) => line.includes(`    ${name} `));
  const noDevice = lines.findIndex((line) => /^ {2}no device +2/.test(line));
  t.ok(noDevice > 0, 'not painted');
  t.ok(at('bad<&>') < noDevice && at('above') < noDevice, 'failures before it');
  t.ok(at('kvm_amd') > noDevice && at('kvm_plus') > noDevice);
  t.match(endLine(record('x', 1, 2, { result: 'skipped', detail: 'y' }), { colour: true, width: 80 }), /\u001B\[31m/);
  t.notMatch(endLine(record('x', 1, 2, { result: 'failed' }), { colour: true, width: 80 }, true), /\u001B\[31m/);
  t.same(withoutDevice(RUN.modules), new Set(['kvm_amd', 'kvm_plus']));
  const chain = ['c', 'b', 'a'].map((module, i) =>
    record(module, 1, 1, { result: 'skipped', detail: ['b', 'a', 'z'][i] ?? '' }),
  );
  t.same(
    [...withoutDevice([...chain, record('z', 1, 1, { result: 'failed', cause: 'no-device' })])].toSorted(),
    ['a', 'b', 'c', 'z'],
    'through several, in any order',
  );
  t.end();
});

t.test('a long reason is broken, and says at its end which module it was', (t) => {
  const skipped = record('amd64_edac', 1, 1, {
    result: 'skipped',
    cause: 'missing-dependency',
    detail: 'edac_mce_amd',
    requester: { ...pci, devpath: '/devices/system/cpu/cpu0' as never, subsystem: 'cpu' },
  });
  const text = summarize({ ...RUN, modules: [skipped], blocked: [], problems: [] }, plain);
  t.match(
    text,
    /amd64_edac +missing-dependency: a module that it needs could\s+not\s+be\s+loaded; edac_mce_amd\n {26}for cpu cpu0\n/,
  );
  t.same(
    text.split('\n').filter((line) => line.length > 80),
    [],
  );
  t.end();
});

t.test('nothing is cut in a pipe, and no name runs into the next column', (t) => {
  const long = 'a_module_with_a_very_long_name_indeed';
  const endless = { colour: false, width: Infinity };
  const detail = 'the reason '.repeat(20).trim();
  const failed = record(long, 1, 2, { result: 'failed', cause: 'other', detail });
  const run = { ...RUN, modules: [failed, record(`${long}2`, 1, 9)], blocked: [] };
  for (const terminal of [plain, endless]) {
    const text = summarize(run, terminal);
    t.match(text, new RegExp(`    ${long}  \\S`));
    t.match(text, new RegExp(`    ${long}2 +8\\.0 ms`));
    t.match(endLine(failed, terminal), new RegExp(` ${long}  `));
  }
  t.match(summarize(run, endless), detail);
  t.notMatch(summarize(run, endless), '…');
  t.end();
});

t.test('names that a terminal would obey', (t) => {
  const nasty = 'a\u001b[2J\u009b\u00e2\u0080\u00ae';
  const requester = { ...pci, subsystem: nasty, name: nasty };
  const modules = [
    record(nasty, 1, 2, { requester, params: nasty }),
    record(nasty, 1, 2, { requester, result: 'failed', detail: nasty, evidence: [nasty], remedy: nasty }),
  ];
  const blocked = [{ module: name(nasty), kind: 'denied' as const, reason: nasty, requester }];
  const run = { ...RUN, modules, blocked, unsettled: [{ kind: 'queued' as const, module: name(nasty) }] };
  const texts = [
    summarize(run, plain),
    planText(run, plain),
    endLine(modules[1] ?? modules[0]!, plain),
    blockedLine(blocked[0]!, 1, plain),
    progressLine(
      { devices: 1, done: 0, total: 1, running: [{ module: name(nasty), ms: 1 }], blocked: 0, failed: 0 },
      plain,
    ),
  ];
  for (const text of texts) t.notMatch(text, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  t.end();
});
