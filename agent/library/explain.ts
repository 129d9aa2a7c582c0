/** The explanations of `plugd test` and `plugd why`. Both change nothing. */
import { openHost, type HostOptions } from '../base/host.ts';
import { reasonsFor } from '../explain/why/reasons.ts';
import { testDevice } from '../explain/device-test.ts';
import type { Investigation } from '../records/investigation.ts';
import type { Reasons } from '../records/reasons.ts';

/**
 * The full explanation of a device, as in `plugd test`: what it is, what matches it, what rules say, what would be loaded, what the
 * kernel would refuse, and the verdict with its reason, evidence and remedy.
 *
 * `word` is a path (`/sys/devices/…`), a node (`/dev/sda`), an address on a bus, a network interface, a modalias, the name of a module or
 * alias, or a module file. It changes nothing. A missing module tree is a verdict. Errors (PlugdError): `usage` when the word matches
 * nothing, or several devices.
 */
export function explainDevice(word: string, options: HostOptions = {}): Investigation {
  return testDevice(openHost({ ...options, offline: true }), word).investigation;
}

/**
 * Why a module is loaded or not, as in `plugd why`: its state, who asks for it, which rules concern it, and whether each way in is
 * open. It does not ask the agent. Errors (PlugdError): `usage` when `module` is a modalias, `no-modules-directory`.
 */
export function explainModule(module: string, options: HostOptions = {}): Omit<Reasons, 'ledger'> {
  return reasonsFor(openHost({ ...options, offline: true }), module);
}
