/** The ledger's entries as lines for people: when a module came, how long it took, and who asked for it. Builds text. */
import { placeText } from '../base/words.ts';
import type { Asker, LedgerEntry } from '../records/ledger.ts';
import type { ModuleRecord } from '../records/coldplug-run.ts';
import type { DroppedItems } from '../records/monitor-item.ts';
import { cell } from './layout.ts';
import { duration, fit, paint, readable, type Terminal } from './terminal.ts';

const WHY: Readonly<Record<ModuleRecord['why'], string>> = {
  target: '',
  depends: 'dependency of',
  'softdep-pre': 'softdep (pre) of',
  'softdep-post': 'softdep (post) of',
};

/** Who asked, in words: `dependency of mii ← pci 0000:00:02.0 pci:v00008086d…`. */
export function askedText(entry: LedgerEntry): string {
  const parts: string[] = [];
  if (entry.dependencyOf !== undefined) parts.push(`${WHY[entry.why ?? 'depends']} ${readable(entry.dependencyOf)}`);
  const at = entry.rule === undefined ? '' : ` (${readable(placeText(entry.rule))})`;
  const name = readable(entry.name ?? '');
  const device = entry.device?.slice(entry.device.lastIndexOf('/') + 1) ?? '';
  const who: Readonly<Record<Asker, string>> = {
    device: `${readable(entry.subsystem ?? '')} ${readable(device)} ${name}${at}`.trim(),
    kernel: `kernel request ${name}`,
    person: `a person asked for ${name}`,
    'boot-list': `boot list ${name}${at}`,
    command: `modprobe ${name}`,
    outside: 'not by plugd',
  };
  const early = entry.early === undefined ? '' : `; by ${entry.early} before the agent`;
  return `${[...parts, who[entry.by]].join(' ← ')}${early}`;
}

/** `3 events were dropped: they came faster than they were read`, for the place where they are missing. */
export function droppedLine({ dropped }: DroppedItems, terminal: Terminal): string {
  return paint(terminal, 'red', `${dropped} events were dropped: they came faster than they were read`);
}

/** `09:12:44.120  e1000e              41 ms  pci 0000:00:02.0 pci:v00008086d…`; at most as wide as the terminal. */
export function ledgerLine(entry: LedgerEntry | DroppedItems, terminal: Terminal): string {
  if ('dropped' in entry) return droppedLine(entry, terminal);
  const time = clockText(entry.time);
  const took = entry.ms === undefined ? '' : duration(entry.ms);
  const line = `${time}  ${cell(readable(entry.module), 21)}${took.padStart(8)}  ${askedText(entry)}`;
  return fit(line, terminal.width).replace(time, paint(terminal, 'dim', time));
}

/** The local time of day of an ISO 8601 text: `09:12:44.120`. */
export function clockText(time: string): string {
  const at = new Date(time);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${clock.join(':')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
