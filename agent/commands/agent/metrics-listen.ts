/** The option that has the agent serve its figures over HTTP, and where those about devices come from. */
import { PlugdError, reason } from '../../base/error.ts';
import { listenAddress } from '../../daemon/metrics/listen-address.ts';
import type { AgentOptions } from '../../daemon/agent.ts';
import { HOST_OPTIONS, type Arguments, type Option } from '../command.ts';

/** Where to listen. */
export const METRICS_LISTEN: Option = {
  long: 'metrics-listen',
  value: 'ADDRESS',
  help: 'serve the figures to Prometheus: HOST:PORT, or the path of a unix socket',
};

/** Naming what each of a thousand devices needs takes a second on a slow machine. */
const MOST_MS = 15_000;
const MOST_BYTES = 1 << 22;

/**
 * What --metrics-listen asks for; undefined without it. The verdicts come from `plugd devices`, in a process of its own: reading all of
 * sysfs must not keep the agent from its uevents. Errors: `usage`.
 */
export function metricsOf(parsed: Arguments): AgentOptions['metrics'] {
  const text = parsed.value(METRICS_LISTEN);
  if (text === undefined) return undefined;
  const host = HOST_OPTIONS.flatMap((option) => {
    const value = parsed.value(option);
    return value === undefined ? [] : [`--${option.long}`, value];
  });
  return { address: listenAddress(text), readDevices: async () => deviceFigures(host) };
}

async function deviceFigures(host: readonly string[]): Promise<string> {
  const { execFile } = await import('node:child_process');
  const args = [process.argv[1] ?? '', 'devices', '--metrics', '--quiet', ...host];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: MOST_MS, maxBuffer: MOST_BYTES }, (error, stdout, stderr) => {
      // Status 1: there are no devices.
      if (error === null || (error.code === 1 && stdout !== '')) resolve(stdout);
      else reject(new PlugdError('system', `plugd devices: ${stderr.trim() || reason(error)}`, { cause: error }));
    });
  });
}
