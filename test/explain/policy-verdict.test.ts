import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { Host } from '../../agent/base/host.ts';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import { policyDenials, readPolicy, underPolicy, type Asker } from '../../agent/explain/policy-verdict.ts';
import type { Device } from '../../agent/facts/devices/device.ts';
import { ending } from '../../agent/records/ending.ts';
import type { CandidateReport, RequestReport, StepReport } from '../../agent/records/investigation.ts';
import { withCandidates } from '../../agent/records/investigation.ts';
import { parsePolicy } from '../../agent/rules/policy/policy-text.ts';
import type { Policy } from '../../agent/rules/policy/policy.ts';

const FILE = '/etc/plugd/policy.conf';
function policy(text: string): Policy {
  const read = parsePolicy({ file: FILE, text });
  if (read.kind === 'malformed') throw new Error(read.problems.map(({ message }) => message).join());
  return read.policy;
}
const name = (text: string) => text as ModuleName;
const step = (module: string, required = true): StepReport => ({
  module: name(module),
  path: `/${module}.ko`,
  params: '',
  origins: [],
  why: module === 'm' ? 'target' : 'depends',
  required,
  state: 'absent',
});
const candidate = (more: Partial<CandidateReport> = {}): CandidateReport => ({
  module: name('m'),
  source: 'modules.alias',
  pattern: 'usb:v1*',
  priority: 0,
  rules: [],
  steps: [step('need'), step('soft', false), step('m')],
  notes: [],
  ...ending('would-insert', 'm would be inserted', { evidence: ['it is unsigned'] }),
  ...more,
});
const request = (one: CandidateReport): RequestReport => withCandidates({ name: 'usb:v1p2' }, [one]);
const USB: Device = {
  devpath: '/devices/usb1/1-1' as Devpath,
  name: '1-1',
  subsystem: 'usb',
  modaliases: [],
  properties: new Map(),
};

interface Row {
  readonly text: string;
  readonly candidate?: Partial<CandidateReport>;
  readonly device?: Device;
  /** The verdict afterwards, the reason or the evidence that the policy adds, and its rule. */
  readonly verdict: string;
  readonly says?: string;
  readonly rule?: object;
}

const ROWS: Readonly<Record<string, Row>> = {
  'an empty policy allows everything': { text: '', verdict: 'would-insert' },
  'a rule about another subsystem': { text: 'deny subsystem=pci', verdict: 'would-insert' },
  'a rule about its subsystem': {
    text: '# none\ndeny subsystem=usb',
    verdict: 'denied',
    says: `the agent's policy denies it: deny subsystem=usb (${FILE}:2)`,
    rule: { kind: 'policy', text: 'deny subsystem=usb', place: { file: FILE, line: 2 }, applied: true },
  },
  'without a device there is no subsystem': {
    text: 'deny subsystem=usb',
    device: undefined as never,
    verdict: 'would-insert',
  },
  'a rule about its path': { text: 'deny device=/devices/usb1/*', verdict: 'denied' },
  'a rule about its MODALIAS': { text: 'deny modalias=usb:v1p*', verdict: 'denied' },
  'the default': {
    text: 'default deny',
    verdict: 'denied',
    says: `the agent's policy denies it: default deny (${FILE}:1)`,
  },
  'a rule that names modules says which': {
    text: 'deny module=m*',
    verdict: 'denied',
    says: `the agent's policy denies it: deny module=m* (${FILE}:1), for m`,
  },
  'one that it needs': {
    text: 'deny module=need',
    verdict: 'denied',
    says: `the agent's policy denies it: deny module=need (${FILE}:1), for need`,
  },
  'one that it only would like': { text: 'deny module=soft', verdict: 'would-insert' },
  'after boot only': {
    text: 'after boot deny subsystem=usb',
    verdict: 'would-insert',
    says: `after boot the agent's policy denies it: after boot deny subsystem=usb (${FILE}:1)`,
    rule: { kind: 'policy', applied: false, remark: 'holds after boot only' },
  },
  'at boot only, by a rule': {
    text: 'after boot allow subsystem=usb\ndefault deny',
    verdict: 'denied',
    says: "after boot the agent's policy allows it",
  },
  'at boot only, by the default': {
    text: 'default deny\nafter boot default allow',
    verdict: 'denied',
    says: "after boot the agent's policy allows it",
  },
  'after boot only, by the default': {
    text: 'default allow\nafter boot default deny',
    verdict: 'would-insert',
    says: `after boot the agent's policy denies it: default deny (${FILE}:2)`,
    rule: { kind: 'policy', applied: false },
  },
  'what is loaded stays': {
    text: 'default deny',
    candidate: ending('loaded', 'm is loaded'),
    verdict: 'loaded',
    rule: { kind: 'policy', applied: true },
  },
  'what is built in stays': {
    text: 'default deny',
    candidate: ending('builtin', 'it is built in'),
    verdict: 'builtin',
  },
  'what the kernel would refuse is denied before': {
    text: 'default deny',
    candidate: ending('failed', 'it would be refused', { cause: 'signature', remedy: 'sign it' }),
    verdict: 'denied',
  },
  'what has no steps is not asked about': {
    text: 'default deny',
    candidate: { ...ending('blacklisted', 'blacklist m'), steps: [] },
    verdict: 'blacklisted',
  },
};
for (const [rule, { text, verdict, says, rule: expected, ...row }] of Object.entries(ROWS)) {
  t.test(rule, (t) => {
    const before = candidate(row.candidate);
    const device = 'device' in row ? row.device : USB;
    const after = underPolicy(policy(text), request(before), device);
    const [one] = after.candidates;
    t.equal(one?.verdict, verdict);
    t.equal(after.verdict, verdict, 'the request is judged by it');
    if (says !== undefined)
      t.ok([one?.reason, ...(one?.evidence ?? [])].includes(says), `${one?.reason}; ${one?.evidence.join('; ')}`);
    if (expected !== undefined) t.match(one?.rules, [expected]);
    else if (verdict !== 'denied' && verdict !== 'builtin') t.same(one, before, 'nothing is changed');
    if (verdict === 'denied') {
      t.equal(one?.cause, undefined, 'nothing of the ending before is left');
      t.notOk(one?.evidence.includes('it is unsigned'));
      t.match(one?.remedy, /plugd reload; modprobe m still loads it$/);
      t.equal(one?.rules.length, 1);
    }
    t.end();
  });
}

t.test('what was worth a warning before still is, beside what holds after boot', (t) => {
  const [one] = underPolicy(policy('after boot deny module=m'), request(candidate()), USB).candidates;
  t.same(one?.evidence, [
    'it is unsigned',
    `after boot the agent's policy denies it: after boot deny module=m (${FILE}:1), for m`,
  ]);
  t.end();
});

const ASKERS: readonly Asker[] = [
  { modalias: 'usb:v1', subsystem: 'usb', devpath: '/devices/usb1/1-1' },
  { modalias: 'pci:v1', subsystem: 'pci', devpath: '/devices/pci0' },
  { modalias: 'fs-ext4' },
];
const DENIALS: ReadonlyArray<
  readonly [rule: string, text: string, askers: readonly Asker[], denied: readonly [number, string] | undefined]
> = [
  ['nobody asks', 'default deny', [], undefined],
  ['nobody is denied', 'deny subsystem=scsi', ASKERS, undefined],
  ['one of three', 'deny subsystem=usb', ASKERS, [1, 'deny subsystem=usb']],
  ['all', 'default deny', ASKERS, [3, 'default deny']],
  [
    'the first that is denied names the line',
    'deny subsystem=pci\ndeny subsystem=usb',
    ASKERS,
    [2, 'deny subsystem=usb'],
  ],
  ['the kernel has no subsystem', 'deny modalias=fs-*', ASKERS, [1, 'deny modalias=fs-*']],
  ['a module that it needs', 'deny module=need', ASKERS, [3, 'deny module=need']],
  ['what holds after boot does not count', 'after boot deny module=m', ASKERS, undefined],
  ['nor does the default after boot', 'default allow\nafter boot default deny', ASKERS, undefined],
];
for (const [rule, text, askers, denied] of DENIALS) {
  t.test(`a way in: ${rule}`, (t) => {
    const found = policyDenials(policy(text), name('m'), [name('need')], askers);
    t.same(found && [found.denied, found.text], denied);
    if (found !== undefined) t.match(found.place, { file: FILE });
    t.end();
  });
}

t.test('a policy is read from below the root; without a file there is none, and a bad line spoils it', (t) => {
  const root = t.testdir({});
  const host = { root } as Host;
  t.equal(readPolicy(host), undefined);
  mkdirSync(`${root}/etc/plugd`, { recursive: true });
  writeFileSync(`${root}${FILE}`, '');
  t.match(readPolicy(host), { kind: 'policy', policy: { rules: [] } });
  writeFileSync(`${root}${FILE}`, 'deny module=m\nfrobnicate\n');
  t.match(readPolicy(host), { kind: 'malformed', problems: [{ file: `${root}${FILE}`, line: 2 }] });
  t.end();
});
