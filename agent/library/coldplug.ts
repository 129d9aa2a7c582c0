/** The library's coldplug. planColdplug changes nothing; coldplug inserts modules. Importing this file loads no addon. */
import { openHost, type HostOptions } from '../base/host.ts';
import { defaultJobs } from '../insert/scheduler.ts';
import type { ColdplugRun } from '../records/coldplug-run.ts';

/** Options of a coldplug. */
export interface ColdplugRunOptions extends HostOptions {
  /** Insertions at a time. Default: two for each processor, and ten. */
  readonly jobs?: number;
  /** When to give up waiting, in ms; insertions under way then continue. Default: two minutes. */
  readonly timeoutMs?: number;
}

/**
 * Plans a coldplug for the devices of a sysfs: every module with its device, its rule and its position. It changes nothing and needs
 * no privileges.
 *
 *     const { modules, blocked } = await planColdplug({ root: '/mnt/image', sysfs: '/sys' });
 *
 * Errors (PlugdError): `no-modules-directory`, `usage`.
 */
export async function planColdplug(options: HostOptions = {}): Promise<ColdplugRun> {
  return run(options, true);
}

/**
 * Loads the drivers of all present devices, and of those that appear during the run, until there is nothing more to do. Failed
 * modules are records of the result, not errors. Errors (PlugdError): `no-module-support`, `no-permission`, `unsupported`,
 * `no-modules-directory`, `usage`.
 */
export async function coldplug(options: ColdplugRunOptions = {}): Promise<ColdplugRun> {
  return run(options, false);
}

async function run(options: ColdplugRunOptions, dryRun: boolean): Promise<ColdplugRun> {
  // It has the uevent socket, whose addon is loaded with it.
  const load = await import('../load/coldplug.ts');
  const { jobs = defaultJobs(), timeoutMs = 120_000 } = options;
  const host = openHost({ ...options, offline: dryRun });
  return load.coldplug({
    host,
    jobs,
    timeoutMs,
    dryRun,
    explain: async (sources, records) =>
      (await import('../explain/failure.ts')).explainFailures(host, sources, records),
  });
}
