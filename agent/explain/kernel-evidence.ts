/** State and configuration of the kernel, and this process's privileges, as evidence for diagnosis/. Reads only; judges nothing. */
import { release } from 'node:os';
import type { Host } from '../base/host.ts';
import { readProc } from '../facts/kernel/procfs.ts';
import { readKernelCommandLine } from '../facts/config/config-text.ts';
import { readKeyrings } from '../facts/kernel/keyring.ts';
import { readKernelState } from '../facts/kernel/kernel-state.ts';
import { isLockedDown, readSecureBoot, readSignatureEnforcement, type Lockdown } from '../facts/kernel/lockdown.ts';
import type { ConfigEvidence, KernelEvidence } from '../diagnosis/evidence.ts';
import { readKernelConfig, type KernelConfig } from '../facts/kernel/kernel-config.ts';

/** Whether the host is the running machine: this kernel's state says nothing about another root or release. */
export function isLive(host: Host): boolean {
  return host.root === '' && host.kernel === release();
}

/**
 * Whether the bindings that sysfs shows hold for the host's kernel: they say nothing about another release (`--kernel`, a tree of
 * another machine). A planted procfs may not name its release; then it counts as the host's.
 */
export function isOfThisKernel(host: Host): boolean {
  const running = readProc(host, 'sys/kernel/osrelease')?.trimEnd();
  return running === undefined || running === host.kernel;
}

/** The state of the kernel and this process; undefined for a host that is another machine. */
export function readKernelEvidence(host: Host): KernelEvidence | undefined {
  if (!isLive(host)) return undefined;
  const state = readKernelState(host);
  return {
    ...state,
    release: host.kernel,
    lockdown: state.lockdown ?? commandedLockdown(host),
    signatureEnforced: readSignatureEnforcement(host),
    secureBoot: readSecureBoot(host).state,
    keyrings: readKeyrings(host),
  };
}

/** Whether a kernel in this state, or the next one on the same machine, takes only modules that are signed with a trusted key. */
export function isEnforced(
  kernel: Pick<KernelEvidence, 'signatureEnforced' | 'lockdown' | 'secureBoot'> | undefined,
): boolean {
  if (kernel === undefined) return false;
  return kernel.signatureEnforced === true || isLockedDown(kernel.lockdown) || kernel.secureBoot === 'on';
}

/** The lockdown that the kernel command line requests; the only source when securityfs is not mounted. */
function commandedLockdown(host: Host): Lockdown | undefined {
  const word = /(^| )lockdown=(integrity|confidentiality)( |$)/.exec(readKernelCommandLine(host).text)?.[2];
  return word as Lockdown | undefined;
}

/** What the configuration of the host's kernel decides about modules; undefined when no file says so. */
export function readConfigEvidence(host: Host): ConfigEvidence | undefined {
  const config = readKernelConfig(host);
  if (config === undefined) return undefined;
  const isSet = (name: string) => config.value(name) === 'y';
  return {
    file: config.file,
    verifies: isSet('CONFIG_MODULE_SIG'),
    enforces: isSet('CONFIG_MODULE_SIG_FORCE'),
    lockdown: forcedLockdown(config),
    allowsMissingImports: isSet('CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS'),
  };
}

/** security/lockdown/Kconfig. The lockdown module runs when CONFIG_LSM lists it, or always if it was built to start early. */
function forcedLockdown(config: KernelConfig): ConfigEvidence['lockdown'] {
  const modules = config.value('CONFIG_LSM');
  const early = config.value('CONFIG_SECURITY_LOCKDOWN_LSM_EARLY') === 'y';
  if (!early && modules !== undefined && !modules.split(',').includes('lockdown')) return undefined;
  if (config.value('CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY') === 'y') return 'confidentiality';
  return config.value('CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY') === 'y' ? 'integrity' : undefined;
}
