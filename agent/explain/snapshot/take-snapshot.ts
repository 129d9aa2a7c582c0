/** Gathers what `plugd report` shows. Reads the machine; changes nothing. */
import { machine as architecture } from 'node:os';
import { basename } from 'node:path';
import type { Host } from '../../base/host.ts';
import { toMachineText } from '../../base/machine-text.ts';
import type { ModuleName } from '../../base/names.ts';
import { readBoundDevices, type BoundDevice } from '../../facts/devices/bound-device.ts';
import { hardwareNamesFor } from '../../facts/devices/hardware-names.ts';
import { readRecording, recordingName } from '../../facts/devices/recording-file.ts';
import { readHeader } from '../../facts/devices/recording-header.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import { findSources } from '../../load/sources.ts';
import type { ColdplugRun } from '../../records/coldplug-run.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import { listKeys } from '../../trust/key-list.ts';
import { listDevices, type ListedDevice } from '../device-list.ts';
import { examineHealth, examineTree, told, type AgentFacts } from '../doctor/health-facts.ts';
import { readOutOfTree } from '../dkms/out-of-tree.ts';
import type { Tell } from '../doctor/health.ts';
import { judge } from '../judgement.ts';
import { deviceKind } from '../replay/device-kind.ts';
import { Replayer } from '../replay/replayed-devices.ts';
import { keyRow } from '../signatures/key-row.ts';
import { readTrustFacts } from '../signatures/trust-facts.ts';
import { snapshotModules } from './snapshot-modules.ts';
import type { Snapshot, SnapshotDevice } from './snapshot.ts';

/** What the caller knows besides the machine's files. */
export interface SnapshotOptions {
  readonly host: Host;
  /** The moment of the snapshot. */
  readonly made: Date;
  /** What a running agent says; undefined when none runs. */
  readonly agent?: AgentFacts | undefined;
  /** The agent's entries; undefined when none runs, or it may not be asked. */
  readonly ledger?: readonly LedgerEntry[] | undefined;
  /** Hears how far the work is. */
  readonly tell?: Tell | undefined;
  /** A coldplug whose timeline belongs to it. */
  readonly run?: ColdplugRun | undefined;
}

/** What is known of devices, before modules are counted. */
type Devices = Pick<Snapshot, 'devices' | 'noTree'>;

/** This machine, or the tree and the devices that the host names. */
export function takeSnapshot(options: SnapshotOptions): Snapshot {
  const { host, made, tell = () => {} } = options;
  const header = readHeader(host.sysfs, made);
  const found = [...readBoundDevices(host.sysfs)].filter(isListed);
  const list = listDevices(told(found, tell), { host, recorded: false, deep: true });
  const names = hardwareNamesFor(host);
  const devices = found.map((device, i): SnapshotDevice => {
    const { row, requests } = list.devices[i] as ListedDevice;
    // Reasons why no driver is bound are looked for where there is none.
    const full = device.driver === undefined && row.modaliases.length > 0 && list.sources.kind === 'sources';
    const end = full ? judge(host, device, requests) : { ...row, ...foremostWords({ row, requests }) };
    return {
      ...row,
      verdict: end.verdict,
      cause: end.cause,
      reason: end.reason,
      evidence: end.evidence,
      remedy: end.remedy,
      hardware: names(row.modaliases),
      kind: deviceKind(row),
      requests,
    };
  });
  return whole(options, {
    title: header.machine ?? 'This machine',
    architecture: header.architecture,
    devices,
    noTree: list.sources.kind === 'no-tree' ? list.sources.reason : undefined,
  });
}

/**
 * A recording against the host's tree; without a tree the devices as they were. Errors: `unreadable`; `usage` for what is no recording,
 * or one of another architecture than the tree's.
 */
export function takeRecordedSnapshot(options: SnapshotOptions, file: string): Snapshot {
  const { host } = options;
  const { header, devices: all } = readRecording(file);
  const found = all.filter(isListed);
  const name = recordingName(file);
  return whole(options, {
    title: header.machine ?? toMachineText(basename(name).replace(/\.[a-z]+$/, '')),
    architecture: header.architecture,
    recorded: { file: toMachineText(name), kernel: header.kernel, date: header.date },
    ...recordedDevices(host, found, name, header.kernel),
  });
}

function recordedDevices(host: Host, found: readonly BoundDevice[], name: string, ranOn: string | undefined): Devices {
  const names = hardwareNamesFor(host);
  const more = ({ modaliases, subsystem }: BoundDevice) => ({
    hardware: names(modaliases),
    kind: deviceKind({ modaliases, subsystem }),
  });
  const sources = findSources(host);
  if (sources.kind === 'no-tree') {
    const list = listDevices(found, { host, recorded: true, deep: false });
    return {
      noTree: sources.reason,
      devices: list.devices.map(({ row }, i) => ({
        ...row,
        verdict: row.driver === undefined ? 'no-match' : row.driverModule === undefined ? 'builtin' : 'loaded',
        cause: undefined,
        reason: row.driver === undefined ? 'no driver was bound to it' : 'as it was recorded',
        ...more(found[i] as BoundDevice),
        requests: [],
        evidence: [],
      })),
    };
  }
  const { replay, requests } = new Replayer(host).explained({ devices: found, name, ranOn });
  return {
    noTree: undefined,
    devices: replay.devices.map((row, i) => {
      const own = requests[i] ?? [];
      const words = foremostWords({ row, requests: own });
      return {
        ...row,
        ...more(found[i] as BoundDevice),
        requests: own,
        evidence: words.evidence,
        remedy: row.remedy ?? words.remedy,
      };
    }),
  };
}

/** What devices does without --all: what neither asks for a driver nor has one tells nothing. */
function isListed({ modaliases, driver }: BoundDevice): boolean {
  return modaliases.length > 0 || driver !== undefined;
}

/** Evidence and remedy of the candidate that decided; none for a device that is served. */
function foremostWords({ row, requests }: ListedDevice): Pick<SnapshotDevice, 'evidence' | 'remedy'> {
  if (isServed(row.verdict)) return { evidence: [], remedy: undefined };
  const decided = requests.flatMap(({ candidates }) => candidates).find(({ verdict }) => verdict === row.verdict);
  return { evidence: decided?.evidence ?? [], remedy: decided?.remedy };
}

type Known = Pick<Snapshot, 'title' | 'architecture' | 'recorded' | 'devices' | 'noTree'>;

function whole({ host, made, agent, ledger = [], run, tell }: SnapshotOptions, known: Known): Snapshot {
  const here = known.recorded === undefined;
  const latest = new Map<ModuleName, LedgerEntry>(ledger.map((entry) => [entry.module, entry]));
  return {
    ...known,
    architecture: known.architecture ?? (here && host.root === '' ? architecture() : undefined),
    kernel: host.kernel,
    root: host.root === '' ? '/' : toMachineText(host.root),
    made: `${made.toISOString().slice(0, 19)}Z`,
    // Of a recording this machine's kernel, rights and keys say nothing.
    checks: here ? examineHealth(host, agent, tell) : known.noTree === undefined ? examineTree(host, tell) : [],
    modules: snapshotModules(host, known, latest),
    run,
    outOfTree: here ? readOutOfTree(host) : [],
    keys: here ? listKeys(host, readTrustFacts(host), { image: false }).map((key) => keyRow(key, new Map())) : [],
  };
}
