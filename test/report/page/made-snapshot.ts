/** A snapshot with every kind of text in it, for the page. */
import type { Devpath, Modalias, ModuleName } from '../../../agent/base/names.ts';
import type { Snapshot, SnapshotDevice } from '../../../agent/explain/snapshot/snapshot.ts';
import type { CandidateReport } from '../../../agent/records/investigation.ts';
import { record, virtio } from '../run-records.ts';

const PLACE = { file: '/etc/modprobe.d/a.conf', line: 3 };

/** What a device's MODALIAS leads to; `rest` replaces members. */
export function candidate(module: string, rest: Partial<CandidateReport> = {}): CandidateReport {
  return {
    module: module as ModuleName,
    source: 'modules.alias',
    pattern: `pci:v0000*${module}`,
    priority: 1,
    place: PLACE,
    rules: [{ kind: 'blacklist', text: `blacklist ${module}`, place: PLACE, applied: true, remark: 'it decides' }],
    steps: [
      {
        module: 'mii' as ModuleName,
        path: '/lib/mii.ko',
        params: '',
        origins: [],
        why: 'depends',
        for: module as ModuleName,
        required: true,
        state: 'live',
      },
      {
        module: module as ModuleName,
        path: '/lib/x.ko',
        params: 'a=1',
        origins: [{ text: 'a=1', place: PLACE }],
        why: 'target',
        required: true,
        state: 'absent',
      },
    ],
    notes: [{ kind: 'softdep-ignored', message: `a note on ${module}`, place: PLACE } as never],
    verdict: 'would-insert',
    cause: undefined,
    reason: `${module} would be inserted`,
    evidence: [`evidence on ${module}`],
    remedy: `remedy for ${module}`,
    ...rest,
  };
}

/** A device at a path; `rest` replaces members. */
export function device(devpath: string, rest: Partial<SnapshotDevice> = {}): SnapshotDevice {
  const name = devpath.slice(devpath.lastIndexOf('/') + 1);
  return {
    devpath: devpath as Devpath,
    name,
    subsystem: 'pci',
    modaliases: ['pci:v1d1' as Modalias],
    driver: 'drv',
    driverModule: 'drv',
    modules: [],
    verdict: 'loaded',
    reason: 'drv is loaded',
    kind: 'Ethernet',
    requests: [],
    evidence: [],
    ...rest,
  };
}

const ASKED = candidate('e1000e');

/** A whole machine. */
export const SNAPSHOT: Snapshot = {
  title: 'Acme Rocket 9',
  kernel: '6.1.0-test',
  root: '/mnt/image',
  architecture: 'x86_64',
  made: '2026-11-28T12:00:00Z',
  recorded: { file: 'rocket.jsonl', kernel: '6.0.0', date: '2026-11-27T12:00:00Z' },
  noTree: undefined,
  checks: [
    { id: 'a', title: 'modules', state: 'ok', summary: 'all there', evidence: ['4 modules'] },
    { id: 'b', title: 'keys', state: 'wrong', summary: 'no key', evidence: ['none in .machine'], remedy: 'enrol one' },
    { id: 'c', title: 'lockdown', state: 'unknown', summary: 'who knows' },
    { id: 'd', title: 'rules', state: 'warning', summary: 'an idle rule' },
  ],
  devices: [
    device('/devices/pci0000:00/0000:00:01.0', {
      hardware: 'Acme 9000',
      requests: [
        {
          name: 'pci:v1d1',
          rule: PLACE,
          candidates: [ASKED, candidate('e1000', { verdict: 'failed', cause: 'vermagic' })],
          verdict: 'would-insert',
          cause: undefined,
        },
        { name: 'pci:[', malformed: "the '[' has no ']'", candidates: [], verdict: 'no-match', cause: undefined },
      ],
      fate: 'kept',
    }),
    device('/devices/pci0000:00/0000:00:01.0/virtio0', {
      subsystem: 'virtio',
      driver: undefined,
      driverModule: undefined,
      verdict: 'failed',
      cause: 'signature',
      reason: 'the kernel would refuse it',
      evidence: ['no key signed it'],
      remedy: 'sign it',
      fate: 'lost',
      because: 'this tree has no module virtio_x',
    }),
    ...['cpu0', 'cpu1', 'cpu2', 'cpu10'].map((cpu) =>
      device(`/devices/system/cpu/${cpu}`, { subsystem: 'cpu', driver: 'processor', driverModule: undefined }),
    ),
  ],
  modules: [
    {
      module: 'mii' as ModuleName,
      state: 'live',
      users: 2,
      rules: [{ kind: 'options', place: PLACE }],
      devices: [0],
      neededBy: ['e1000e' as ModuleName],
    },
    {
      module: 'kvm' as ModuleName,
      state: 'planned',
      rules: [],
      devices: [],
      neededBy: [],
      ledger: { time: '2026-11-28T11:00:00Z', module: 'kvm' as ModuleName, by: 'kernel', name: 'kvm-x' },
    },
  ],
  run: {
    kernel: '6.1.0-test',
    moduleDir: '/lib/modules/6.1.0-test',
    jobs: 4,
    dryRun: false,
    wallMs: 1500,
    phases: [{ name: 'start', startedMs: 0, endedMs: 40 }],
    devices: 2,
    modaliases: [],
    modules: [
      record('mii', 90, 100, { why: 'depends' }),
      record('e1000e', 101, 1400, { waitedFor: ['mii' as ModuleName], params: 'a=1' }),
      record('virtio_net', 320, 400, { requester: virtio, result: 'failed', cause: 'signature', detail: 'why' }),
    ],
    present: [],
    blocked: [],
    problems: [],
    uevents: { received: 0, used: 0, gaps: 0, rescans: 0, dropped: 0 },
  },
  outOfTree: [
    {
      module: { name: 'nvidia', version: '1.0' },
      modules: ['nvidia' as ModuleName],
      readiness: 'failed',
      log: '/var/make.log',
      elsewhere: ['5.0'],
    },
  ],
  keys: [
    {
      subject: 'Acme signing key',
      id: 'abcdef0123456789',
      trust: { state: 'untrusted', why: 'it is in .platform only' } as never,
      rings: ['.platform'],
      places: ['MokListRT'],
      kind: 'RSA 2048',
      to: '2030-01-01T00:00:00Z',
      revokedBy: ['dbx'],
      waits: 'enroll',
    },
  ],
};
