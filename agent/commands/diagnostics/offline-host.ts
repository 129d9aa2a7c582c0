/** Which machine a diagnosis is about. Chooses paths only; never this machine's /proc for another machine. */
import type { Host } from '../../base/host.ts';
import { hostOf, OPTION, type Arguments } from '../command.ts';

/** A path without a procfs: reads below it find nothing. */
const NOWHERE = '/dev/null';

/**
 * The host of a diagnosis. With `--root`, or for devices `recorded` on another machine, the running machine says nothing: neither its
 * loaded modules nor its kernel command line count, unless `--proc` points to others.
 */
export function offlineHost(parsed: Arguments, recorded = false): Host {
  const host = hostOf(parsed);
  if (parsed.value(OPTION.proc) !== undefined || (host.root === '' && !recorded)) return host;
  return { ...host, proc: host.root === '' ? NOWHERE : `${host.root}/proc` };
}
