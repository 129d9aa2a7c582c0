/** Who asked for each module: the agent's ledger, as data and as text. */
import type { ModuleName, Place } from '../base/names.ts';
import type { ModuleRecord } from '../records/coldplug-run.ts';
import { duration, fit, paint, readable, type Terminal } from './terminal.ts';

/** Who asked: a device, the kernel, a person, a line of modules-load.d; `outside`: not plugd, and nobody told it who. */
export type Asker = 'device' | 'kernel' | 'person' | 'boot-list' | 'outside';

/** One module that came to be loaded since the agent began. */
export interface LedgerEntry {
  /** When its insertion ended, ISO 8601. */
  readonly time: string;
  readonly module: ModuleName;
  readonly by: Asker;
  /** What was asked for: the modalias, `fs-ext4`, a module's name; undefined for `outside`. */
  readonly name?: string | undefined;
  readonly device?: string | undefined;
  readonly subsystem?: string | undefined;
  /** The udev rule or the line of modules-load.d. */
  readonly rule?: Place | undefined;
  /** The module that needs it, and how; undefined for the one that was asked for. */
  readonly dependencyOf?: ModuleName | undefined;
  readonly why?: ModuleRecord['why'] | undefined;
  readonly path?: string | undefined;
  readonly params?: string | undefined;
  /** How long its insertion took, ms. */
  readonly ms?: number | undefined;
}

/** The entry of an inserted module. */
export function ledgerEntry(record: ModuleRecord, time: string): LedgerEntry {
  const { requester } = record;
  return {
    time,
    module: record.module,
    by: requester.by ?? 'device',
    name: requester.name,
    ...(requester.devpath === '' ? {} : { device: requester.devpath }),
    ...(requester.subsystem === '' ? {} : { subsystem: requester.subsystem }),
    ...(requester.rule === undefined ? {} : { rule: requester.rule }),
    ...(record.for === undefined ? {} : { dependencyOf: record.for }),
    why: record.why,
    path: record.path,
    ...(record.params === '' ? {} : { params: record.params }),
    ...(record.startedMs === undefined || record.endedMs === undefined
      ? {}
      : { ms: Math.round((record.endedMs - record.startedMs) * 100) / 100 }),
  };
}

const WHY: Readonly<Record<ModuleRecord['why'], string>> = {
  target: '',
  depends: 'dependency of',
  'softdep-pre': 'softdep (pre) of',
  'softdep-post': 'softdep (post) of',
};

/** Who asked, in words: `dependency of mii ← pci 0000:00:02.0 pci:v00008086d…`. */
export function askedText(entry: LedgerEntry): string {
  const parts: string[] = [];
  if (entry.dependencyOf !== undefined) parts.push(`${WHY[entry.why ?? 'depends']} ${entry.dependencyOf}`);
  const at = entry.rule === undefined ? '' : ` (${entry.rule.file}:${entry.rule.line})`;
  const name = readable(entry.name ?? '');
  const device = entry.device?.slice(entry.device.lastIndexOf('/') + 1) ?? '';
  const who: Readonly<Record<Asker, string>> = {
    device: `${entry.subsystem ?? ''} ${readable(device)} ${name}${at}`.trim(),
    kernel: `kernel request ${name}`,
    person: `a person asked for ${name}`,
    'boot-list': `boot list ${name}${at}`,
    outside: 'not by plugd',
  };
  return [...parts, who[entry.by]].join(' ← ');
}

/** `09:12:44.120  e1000e              41 ms  pci 0000:00:02.0 pci:v00008086d…`; `cut`: at most as wide as the terminal. */
export function ledgerLine(entry: LedgerEntry, terminal: Terminal, cut: boolean): string {
  const time = clockText(entry.time);
  const took = entry.ms === undefined ? '' : duration(entry.ms);
  const line = `${time}  ${entry.module.padEnd(20)} ${took.padStart(8)}  ${askedText(entry)}`;
  return (cut ? fit(line, terminal.width) : line).replace(time, paint(terminal, 'dim', time));
}

/** The local time of day of an ISO 8601 text: `09:12:44.120`. */
export function clockText(time: string): string {
  const at = new Date(time);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${clock.join(':')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
