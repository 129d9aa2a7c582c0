import type { Host } from '../../base/host.ts';
import { hostOf, OPTION, type Arguments } from '../command.ts';

/** No procfs is here: reading below it finds nothing. */
const NOWHERE = '/dev/null';

/**
 * The host of a diagnosis. With `--root`, or for devices that were `recorded` on another machine, what runs here says nothing:
 * neither the loaded modules nor the kernel command line of this machine count, unless `--proc` says where others are.
 */
export function offlineHost(parsed: Arguments, recorded = false): Host {
  const host = hostOf(parsed);
  if (parsed.value(OPTION.proc) !== undefined || (host.root === '' && !recorded)) return host;
  return { ...host, proc: host.root === '' ? NOWHERE : `${host.root}/proc` };
}
