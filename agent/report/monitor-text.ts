/** Lines of `plugd monitor`: kernel uevents and plugd's decisions as they come. */
import { placeText } from '../base/words.ts';
import type { Decision, MonitoredUevent, MonitoredDecision, MonitorItem } from '../records/monitor-item.ts';
import { causeText } from '../diagnosis/cause.ts';
import { clockText, droppedLine } from './ledger-text.ts';
import { cell } from './layout.ts';
import { duration, fit, paint, readable, type Style, type Terminal } from './terminal.ts';

const STYLES: Readonly<Record<Decision['event'], Style>> = {
  inserted: 'green',
  'already-loaded': 'dim',
  command: 'green',
  failed: 'red',
  skipped: 'yellow',
  blocked: 'yellow',
  'would-insert': 'green',
  'would-fail': 'red',
};

/**
 * `09:12:44.120 kernel   add      pci  /devices/pci0000:00/0000:00:02.0  pci:v00008086d…`, or
 * `09:12:44.161 inserted e1000e   41 ms  pci:v00008086d…`; at most as wide as the terminal.
 */
export function monitorLine(item: MonitorItem, terminal: Terminal): string {
  if ('dropped' in item) return droppedLine(item, terminal);
  const [word, style, text, time] = 'kernel' in item ? ueventParts(item.kernel) : decisionParts(item.decision);
  const line = `${clockText(time)} ${word.padEnd(14)} ${text}`;
  return fit(line, terminal.width).replace(word, paint(terminal, style, word));
}

type Parts = readonly [word: string, style: Style, text: string, time: string];

function ueventParts({ time, action, subsystem, devpath, modaliases }: MonitoredUevent): Parts {
  const named = modaliases.length === 0 ? '' : `  ${modaliases.map(readable).join(' ')}`;
  return ['kernel', 'dim', `${action.padEnd(7)} ${cell(readable(subsystem), 11)}${readable(devpath)}${named}`, time];
}

function decisionParts({ time, event, record }: MonitoredDecision): Parts {
  const { module, requester } = record;
  const asked = readable(requester.name);
  if (event === 'blocked') {
    const at = record.place === undefined ? '' : ` (${readable(placeText(record.place))})`;
    return [event, STYLES[event], `${cell(readable(module), 19)}${readable(record.reason)}${at}  ${asked}`, time];
  }
  const took = record.startedMs === undefined ? 0 : (record.endedMs ?? record.startedMs) - record.startedMs;
  const why = record.cause === undefined ? '' : `  ${causeText(record.cause, record.errno)}`;
  const foreseen = event === 'would-insert' || event === 'would-fail';
  // An init that found no device is no failure.
  const style = record.cause === 'no-device' ? 'dim' : STYLES[event];
  return [
    record.cause === 'no-device' ? 'no device' : event,
    style,
    `${cell(readable(module), 19)}${foreseen ? ''.padStart(7) : duration(took).padStart(7)}${why}  ${asked}`,
    time,
  ];
}
