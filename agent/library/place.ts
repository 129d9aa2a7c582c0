import { openHost, type Host, type HostOptions } from '../base/host.ts';

/**
 * The host that a library call is about. With a `root`, what runs here says nothing about it: neither the loaded modules nor the
 * kernel command line of this machine count, unless `proc` says where others are. Errors: those of openHost.
 */
export function placeOf(options: HostOptions): Host {
  const host = openHost(options);
  return options.proc !== undefined || host.root === '' ? host : { ...host, proc: `${host.root}/proc` };
}
