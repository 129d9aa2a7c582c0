/**
 * The verdicts about devices in Prometheus' text format (exposition format 0.0.4):
 *
 *     plugd_devices_by_verdict{verdict="loaded"} 31
 *     plugd_device_attention{subsystem="pci",device="0000:02:00.0",verdict="failed",modules="r8125"} 1
 */
import type { DeviceRow } from '../../records/device-row.ts';
import { VERDICTS } from '../../diagnosis/verdict.ts';
import { readable } from '../terminal.ts';
import { isFurniture, needsAttention } from './device-order.ts';

/** Every verdict with its count, also those of 0, so that a graph has no holes; then each device that needs attention. */
export function deviceMetricsText(rows: readonly DeviceRow[]): string {
  const counted = VERDICTS.map((verdict) => {
    const count = rows.filter((row) => row.verdict === verdict).length;
    return `plugd_devices_by_verdict{verdict="${verdict}"} ${count}`;
  });
  const attention = rows
    .filter((row) => needsAttention(row) && !isFurniture(row))
    .map(({ subsystem, name, verdict, modules }) => {
      const labels = { subsystem, device: name, verdict, modules: modules.join(',') };
      const words = Object.entries(labels).map(([label, value]) => `${label}="${labelValue(value)}"`);
      return `plugd_device_attention{${words.join(',')}} 1`;
    });
  return [
    '# HELP plugd_devices_by_verdict Devices, by what plugd says of their drivers.',
    '# TYPE plugd_devices_by_verdict gauge',
    ...counted,
    '# HELP plugd_device_attention 1 for each device whose driver is missing or failed.',
    '# TYPE plugd_device_attention gauge',
    ...attention,
    '',
  ].join('\n');
}

/** Machine text as a label's value: UTF-8, with `\`, `"` and line ends escaped as the format wants it. */
function labelValue(text: string): string {
  return readable(text)
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`);
}
