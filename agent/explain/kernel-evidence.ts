import { release } from 'node:os';
import type { Host } from '../base/host.ts';
import { readKernelCommandLine } from '../facts/config/config-text.ts';
import { readKeyrings } from '../facts/kernel/keyring.ts';
import { readInsertionFacts } from '../facts/kernel/kernel-state.ts';
import { readLockdown, readSecureBoot, readSignatureEnforcement, type Lockdown } from '../facts/kernel/lockdown.ts';
import { readPrivileges } from '../facts/kernel/privileges.ts';
import type { KernelEvidence } from '../diagnosis/evidence.ts';

/** Whether the host is the machine that runs: another root or another release says nothing about this kernel's state. */
export function isLive(host: Host): boolean {
  return host.root === '' && host.kernel === release();
}

/** The kernel's and this process's state; undefined for a host that is another machine. */
export function readKernelEvidence(host: Host): KernelEvidence | undefined {
  if (!isLive(host)) return undefined;
  const facts = readInsertionFacts(host);
  return {
    release: host.kernel,
    moduleSupport: facts.moduleSupport,
    modulesDisabled: facts.modulesDisabled,
    lockdown: readLockdown(host) ?? commandedLockdown(host),
    signatureEnforced: readSignatureEnforcement(host),
    secureBoot: readSecureBoot(host).state,
    keyrings: readKeyrings(host),
    privileges: readPrivileges(host),
  };
}

/** Where securityfs is not mounted, the kernel command line still tells of a lockdown that was asked for there. */
function commandedLockdown(host: Host): Lockdown | undefined {
  const word = /(^| )lockdown=(integrity|confidentiality)( |$)/.exec(readKernelCommandLine(host).text)?.[2];
  return word as Lockdown | undefined;
}
