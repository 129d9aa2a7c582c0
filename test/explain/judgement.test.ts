import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { Host } from '../../agent/base/host.ts';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import { judge, judgeParts, withoutTree } from '../../agent/explain/judgement.ts';
import type { BoundDevice } from '../../agent/facts/devices/bound-device.ts';
import { ending, type Ending } from '../../agent/records/ending.ts';
import { withCandidates, type CandidateReport, type RequestReport } from '../../agent/records/investigation.ts';

const USB = '/devices/usb1/1-1';

/** A host whose sysfs has these files. */
function hostWith(t: Test, files: Readonly<Record<string, string>> = {}): Host {
  const sysfs = t.testdir({});
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(sysfs, path)), { recursive: true });
    writeFileSync(join(sysfs, path), `${text}\n`);
  }
  return { root: '/image', kernel: '6.1', moduleDir: '/image/lib/modules/6.1', sysfs, proc: '/nowhere' };
}

const device = (more: Partial<BoundDevice> = {}): BoundDevice =>
  ({
    devpath: USB as Devpath,
    name: '1-1',
    subsystem: 'usb',
    modaliases: ['usb:v1'],
    driver: undefined,
    driverModule: undefined,
    ...more,
  }) as BoundDevice;

const candidate = (end: Ending, module = 'm'): CandidateReport => ({
  module: module as ModuleName,
  source: 'modules.alias',
  pattern: 'usb:v1*',
  priority: 0,
  rules: [],
  steps: [],
  notes: [],
  ...end,
});
const request = (candidates: readonly CandidateReport[], more: Partial<RequestReport> = {}): RequestReport => ({
  ...withCandidates({ name: 'usb:v1' }, candidates),
  ...more,
});
const WOULD = ending('would-insert', 'm would be inserted', { evidence: ['it is unsigned'] });
const LOADED = ending('loaded', 'm is loaded');
const BLACKLISTED = ending('blacklisted', 'blacklist m (a.conf:1)', { remedy: 'remove that line' });
const FAILED = ending('failed', 'it would be refused', { cause: 'signature', remedy: 'sign it' });

interface Row {
  /** Undefined: a name was asked for, and no device. */
  readonly device: BoundDevice | undefined;
  readonly requests?: readonly RequestReport[];
  readonly sysfs?: Readonly<Record<string, string>>;
  readonly brief?: true;
  /** Members of the ending; SYS stands for sysfs. */
  readonly expected: Readonly<Record<string, unknown>>;
}

const bound = device({ driver: 'd', driverModule: 'dm' });
const initstate = { 'module/dm/initstate': 'live' };
const UNAUTHORIZED =
  'it is not authorized (authorized is 0): somebody, or a policy such as USBGuard, has locked it out';
const OVERRIDE = "driver_override is 'vfio-pci': only that driver is bound";
const NO_ALIAS = 'it has no MODALIAS: the kernel does not say what it is, so no module can claim it';

const ROWS: Readonly<Record<string, Row>> = {
  'a name that nothing answers to': {
    device: undefined,
    expected: {
      verdict: 'no-match',
      reason: 'no alias, module or builtin of this kernel matches',
      remedy: /modules-extra/,
    },
  },
  'a name that nothing can answer to': {
    device: undefined,
    requests: [request([]), request([], { malformed: "the '[' has no ']'" })],
    expected: { verdict: 'no-match', reason: "nothing can match: the '[' has no ']'", remedy: undefined },
  },
  'a name is judged by its foremost candidate': {
    device: undefined,
    requests: [request([candidate(BLACKLISTED), candidate(FAILED)]), request([candidate(LOADED)])],
    expected: { ...FAILED },
  },
  'a device without a driver, which nothing matches': { device: device(), expected: { verdict: 'no-match' } },
  'a device with a driver, which nothing matches': {
    device: bound,
    sysfs: initstate,
    expected: {
      verdict: 'loaded',
      reason: "'d' of module dm drives it",
      evidence: ['no module of this tree claims it'],
    },
  },
  'a driver whose module was never loaded is inside the kernel': {
    device: bound,
    expected: { verdict: 'builtin', reason: "'d' drives it, from inside the kernel" },
  },
  'a driver without a module is inside the kernel': {
    device: device({ driver: 'd\xe9' }),
    sysfs: initstate,
    expected: { verdict: 'builtin', reason: "'d\xe9' drives it, from inside the kernel" },
  },
  'a driver that is there counts more than a module that is kept out': {
    device: bound,
    sysfs: initstate,
    requests: [request([candidate(BLACKLISTED), candidate(FAILED, 'n')])],
    expected: {
      verdict: 'loaded',
      reason: "'d' of module dm drives it",
      cause: undefined,
      remedy: undefined,
      evidence: [
        'm is for it too, blacklisted: blacklist m (a.conf:1)',
        'n is for it too, failed (signature): it would be refused',
      ],
    },
  },
  'loaded, and something drives it': {
    device: bound,
    requests: [request([candidate(LOADED)])],
    expected: { verdict: 'loaded', reason: "m is loaded; 'd' drives the device" },
  },
  'another module would be inserted beside its driver': {
    device: bound,
    requests: [request([candidate(WOULD)])],
    expected: { verdict: 'would-insert', evidence: ["'d' drives the device now", 'it is unsigned'] },
  },
  'which a brief answer leaves out': {
    device: bound,
    brief: true,
    requests: [request([candidate(WOULD)])],
    expected: { ...WOULD },
  },
  'would be inserted, and nothing stands in its way': {
    device: device(),
    requests: [request([candidate(WOULD)])],
    expected: { ...WOULD },
  },
  'would be inserted, and something stands in its way': {
    device: device(),
    sysfs: { [`${USB}/authorized`]: '0' },
    requests: [request([candidate(WOULD)])],
    expected: {
      verdict: 'would-insert',
      evidence: [UNAUTHORIZED, 'it is unsigned'],
      remedy: `echo 1 > SYS${USB}/authorized`,
    },
  },
  'the remedy of a candidate comes before that of an obstacle': {
    device: device(),
    sysfs: { [`${USB}/authorized`]: '0' },
    requests: [request([candidate({ ...WOULD, remedy: 'sign it' })])],
    expected: { remedy: 'sign it' },
  },
  'obstacles do not matter to what is kept out': {
    device: device(),
    sysfs: { [`${USB}/authorized`]: '0' },
    requests: [request([candidate(BLACKLISTED)])],
    expected: { ...BLACKLISTED },
  },
  'loaded, and no driver is bound: try again': {
    device: device(),
    requests: [request([candidate(LOADED)])],
    expected: {
      verdict: 'loaded',
      reason: 'm is loaded, but no driver is bound to the device',
      evidence: [],
      remedy: 'try again: echo 1-1 > SYS/bus/usb/drivers_probe; then look at dmesg',
    },
  },
  'loaded, no driver is bound, and something stands in its way': {
    device: device(),
    sysfs: { [`${USB}/driver_override`]: 'vfio-pci' },
    requests: [request([candidate(LOADED)])],
    expected: {
      evidence: [OVERRIDE],
      remedy: `echo > SYS${USB}/driver_override; then: echo 1-1 > SYS/bus/usb/drivers_probe`,
    },
  },
  'built in, and something drives it': {
    device: bound,
    requests: [request([candidate(ending('builtin', 'm is built in'))])],
    expected: { verdict: 'builtin', reason: "m is built in; 'd' drives the device" },
  },
  'built in, and no driver is bound: try again': {
    device: device(),
    requests: [request([candidate(ending('builtin', 'm is built in'))])],
    expected: { reason: 'm is built in, but no driver is bound to the device', remedy: /^try again: echo 1-1 >/ },
  },
  'a brief answer does not look why': {
    device: device(),
    brief: true,
    sysfs: { [`${USB}/driver_override`]: 'vfio-pci' },
    requests: [request([candidate(LOADED)])],
    expected: { ...LOADED },
  },
  'all that stands in the way is named, and the first remedy': {
    device: device({ subsystem: 'acpi' }),
    sysfs: {
      [`${USB}/authorized`]: '0',
      [`${USB}/driver_override`]: 'vfio-pci',
      [`${USB}/status`]: '0',
      'bus/acpi/drivers_autoprobe': '0',
      'kernel/debug/devices_deferred': '1-10\n1-1\twait for supplier x\n',
    },
    requests: [request([candidate(WOULD)])],
    expected: {
      evidence: [
        UNAUTHORIZED,
        OVERRIDE,
        'drivers_autoprobe of bus acpi is 0: nothing is bound by itself',
        'its firmware says that it is not there, or switched off (ACPI status 0)',
        'its probe is deferred: it waits for something else (wait for supplier x)',
        'it is unsigned',
      ],
      remedy: `echo 1 > SYS${USB}/authorized`,
    },
  },
  'a bus that binds nothing by itself': {
    device: device(),
    sysfs: { 'bus/usb/drivers_autoprobe': '0' },
    requests: [request([candidate(WOULD)])],
    expected: { remedy: 'echo 1 > SYS/bus/usb/drivers_autoprobe' },
  },
  'a probe that waits without a reason': {
    device: device(),
    sysfs: { 'kernel/debug/devices_deferred': '1-1\n' },
    requests: [request([candidate(WOULD)])],
    expected: { evidence: ['its probe is deferred: it waits for something else', 'it is unsigned'], remedy: undefined },
  },
  'an override of what is bound already needs no remedy': {
    device: bound,
    sysfs: { [`${USB}/driver_override`]: 'vfio-pci' },
    requests: [request([candidate(WOULD)])],
    expected: { evidence: ["'d' drives the device now", OVERRIDE, 'it is unsigned'], remedy: undefined },
  },
  'no MODALIAS': {
    device: device({ modaliases: [] }),
    expected: { verdict: 'no-modalias', reason: NO_ALIAS, evidence: [], remedy: /^nothing to do, unless/ },
  },
  'no MODALIAS, and a driver': {
    device: { ...bound, modaliases: [] },
    sysfs: initstate,
    expected: { verdict: 'loaded', reason: "'d' of module dm drives it", evidence: [NO_ALIAS] },
  },
  'no MODALIAS, a driver, and nobody may use it': {
    device: { ...bound, modaliases: [] },
    sysfs: { ...initstate, [`${USB}/authorized`]: '0' },
    expected: {
      verdict: 'no-modalias',
      reason: NO_ALIAS,
      evidence: [UNAUTHORIZED],
      remedy: `echo 1 > SYS${USB}/authorized`,
    },
  },
  'which a brief answer does not look at': {
    device: { ...bound, modaliases: [] },
    brief: true,
    sysfs: { ...initstate, [`${USB}/authorized`]: '0' },
    expected: { verdict: 'loaded' },
  },
};
for (const [rule, { device, requests = [], sysfs = {}, brief, expected }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const host = hostWith(t, sysfs);
    const end = judge(host, device, requests, brief);
    const shown = { ...end, remedy: end.remedy?.replaceAll(host.sysfs, 'SYS') };
    for (const [member, value] of Object.entries(expected)) {
      if (value instanceof RegExp) t.match(shown[member as keyof Ending], value, member);
      else t.same(shown[member as keyof Ending], value, member);
    }
    t.end();
  });
}

t.test('the parts of a USB device', (t) => {
  const host = hostWith(t);
  const whole = device({ modaliases: [] });
  const part = (name: string, more: Partial<BoundDevice> = {}) => device({ name, ...more });
  const asks = (of: string, end: Ending) => request([candidate(end)], { of });
  t.test('without any it is judged as a whole', (t) => {
    t.equal(judgeParts(host, whole, [], []).verdict, 'no-modalias');
    t.end();
  });
  t.test('one is judged as it is', (t) => {
    t.same(judgeParts(host, whole, [part('1-1:1.0')], [asks('1-1:1.0', BLACKLISTED)]), BLACKLISTED);
    t.end();
  });
  t.test('each by its own requests; the foremost speaks, and says for which', (t) => {
    const end = judgeParts(
      host,
      whole,
      [part('1-1:1.0', { driver: 'hid' }), part('1-1:1.1'), part('1-1:1.2')],
      [asks('1-1:1.0', LOADED), asks('1-1:1.1', FAILED)],
    );
    t.match(end, {
      verdict: 'failed',
      cause: 'signature',
      reason: 'interface 1-1:1.1: it would be refused',
      remedy: 'sign it',
    });
    t.same(end.evidence, [
      "interface 1-1:1.0: loaded: m is loaded; 'hid' drives the device",
      'interface 1-1:1.2: no-match: no alias, module or builtin of this kernel matches',
    ]);
    t.end();
  });
  t.test('the first of equals speaks', (t) => {
    const parts = [part('1-1:1.0'), part('1-1:1.1')];
    const end = judgeParts(host, whole, parts, [asks('1-1:1.0', WOULD), asks('1-1:1.1', WOULD)]);
    t.equal(end.reason, 'interface 1-1:1.0: m would be inserted');
    t.same(end.evidence, ['it is unsigned', 'interface 1-1:1.1: would-insert: m would be inserted']);
    t.end();
  });
  t.end();
});

const NO_TREE = {
  kind: 'no-tree',
  why: 'absent',
  reason: 'there are no modules for kernel 6.1',
  remedy: 'install them',
} as const;
const TREELESS: ReadonlyArray<readonly [rule: string, device: BoundDevice | undefined, expected: Partial<Ending>]> = [
  [
    'a name, or a device without a driver, fails',
    undefined,
    { verdict: 'failed', cause: 'no-modules-directory', reason: NO_TREE.reason, remedy: NO_TREE.remedy },
  ],
  ['a device without a driver fails', device(), { verdict: 'failed', cause: 'no-modules-directory' }],
  [
    'a device with a driver still has it',
    device({ driver: 'd' }),
    { verdict: 'builtin', cause: undefined, evidence: [NO_TREE.reason] },
  ],
  ['a device without a MODALIAS needs no tree', device({ modaliases: [] }), { verdict: 'no-modalias' }],
];
t.test('without a tree: a device that nobody may use says so', (t) => {
  const host = hostWith(t, { [`${USB}/authorized`]: '0' });
  t.same(withoutTree(host, NO_TREE, device({ modaliases: [] })).evidence, [UNAUTHORIZED]);
  t.end();
});
for (const [rule, device, expected] of TREELESS) {
  t.test(`without a tree: ${rule}`, (t) => {
    t.match(withoutTree(hostWith(t), NO_TREE, device), expected);
    t.end();
  });
}
