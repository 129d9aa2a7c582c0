import { openHost, type HostOptions } from '../base/host.ts';
import { defaultJobs } from '../insert/scheduler.ts';
import type { ColdplugRun } from '../records/coldplug-run.ts';
import { placeOf } from './place.ts';

/** How a coldplug is to be run. */
export interface ColdplugRunOptions extends HostOptions {
  /** Insertions at a time; two for each processor, and ten, unless told. */
  readonly jobs?: number;
  /** When to give up waiting, ms; what runs then is left alone. Two minutes unless told. */
  readonly timeoutMs?: number;
}

/**
 * What a coldplug would do for the devices of a sysfs: every module with its device, its rule and its place in the order. Nothing
 * is done, no right is needed.
 *
 *     const { modules, blocked } = await planColdplug({ root: '/mnt/image', sysfs: '/sys' });
 *
 * Errors (PlugdError): `no-modules-directory`, `usage`.
 */
export async function planColdplug(options: HostOptions = {}): Promise<ColdplugRun> {
  return run(options, true);
}

/**
 * Loads the drivers of all devices that are there, and of those that appear meanwhile, until there is nothing more to do. Failed
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
  const host = dryRun ? placeOf(options) : openHost(options);
  return load.coldplug({
    host,
    jobs,
    timeoutMs,
    dryRun,
    explain: async (sources, records) =>
      (await import('../explain/failure.ts')).explainFailures(host, sources, records),
  });
}
