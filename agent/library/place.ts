/** The machine that a library call is about. Chooses paths only; never this machine's /proc for another machine. */
import { openHost, type Host, type HostOptions } from '../base/host.ts';

/**
 * The host that a library call is about. With a `root`, the running machine says nothing about it: neither its loaded modules nor its
 * kernel command line count, unless `proc` points to others. Errors: those of openHost.
 */
export function placeOf(options: HostOptions): Host {
  const host = openHost(options);
  return options.proc !== undefined || host.root === '' ? host : { ...host, proc: `${host.root}/proc` };
}
