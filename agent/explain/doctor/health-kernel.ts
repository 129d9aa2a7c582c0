/** Checks of the running kernel and this process. Pure: facts in, findings out. */
import type { Check, Finding, HealthFacts } from './health.ts';
import { kernelRequests, undrivenDevices, whoLoads } from './health-loading.ts';
import { lockdown, pendingOwnerKeys, secureBootState, signatures, trustedKeys } from './health-signing.ts';

/** Whether the kernel can load modules at all. */
function moduleSupport({ live, config }: HealthFacts): Finding | undefined {
  if (live === undefined) {
    if (config === undefined) return undefined;
    return config.value('CONFIG_MODULES') === 'y'
      ? { state: 'ok', summary: `${config.file} has CONFIG_MODULES=y` }
      : {
          state: 'wrong',
          summary: `this kernel is built without modules (${config.file})`,
          remedy: 'build it with CONFIG_MODULES=y',
        };
  }
  if (live.moduleSupport) return { state: 'ok', summary: 'the kernel loads modules' };
  return {
    state: 'wrong',
    summary: 'this kernel has no module support: all its drivers are built in, nothing can be loaded',
    evidence: ['there is no /proc/modules'],
    remedy: 'nothing to do if its drivers are enough; else run a kernel with CONFIG_MODULES=y',
  };
}

/** Whether loading has been switched off until reboot. */
function modulesDisabled({ live }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true) return undefined;
  if (!live.modulesDisabled) return { state: 'ok', summary: 'kernel.modules_disabled is 0' };
  return {
    state: 'wrong',
    summary: 'kernel.modules_disabled is 1: nothing can be loaded or removed until reboot',
    remedy: 'reboot; look in /etc/sysctl.d for what sets it, if it should not',
  };
}

/** Whether this process may load modules. */
function privileges({ live }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  const { uid, capabilities, sysModuleBounded, initialUserNamespace, seccomp } = live.privileges;
  const evidence = seccomp === 'filter' ? ['a seccomp filter is set; it may refuse system calls'] : [];
  if (uid !== 0)
    return {
      state: 'unknown',
      summary: 'not root: some facts cannot be read, and root may be allowed more',
      evidence,
      remedy: 'run it as root',
    };
  if (initialUserNamespace === false) {
    return {
      state: 'wrong',
      summary: 'in a user namespace of its own: its root may not load modules',
      evidence,
      remedy: 'run plugd on the host',
    };
  }
  if (capabilities.SYS_MODULE) return { state: 'ok', summary: 'root with CAP_SYS_MODULE', evidence };
  const bounded = sysModuleBounded ? '' : ', nor can it get it: it is not in the bounding set';
  return {
    state: 'wrong',
    summary: `root without CAP_SYS_MODULE${bounded}`,
    evidence,
    remedy: 'run plugd on the host, or grant the capability',
  };
}

/** Whether the kernel sends uevents here. */
function uevents({ live }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  const { initialUserNamespace, initialNetworkNamespace } = live.privileges;
  if (initialUserNamespace === false) {
    return {
      state: 'wrong',
      summary: "the kernel sends no device's uevents to a user namespace of its own (a rootless container)",
      remedy: 'run the agent on the host',
    };
  }
  if (initialNetworkNamespace === false) {
    return {
      state: 'warning',
      summary: "a network namespace of its own: other namespaces' network interfaces announce themselves elsewhere",
      remedy: 'run the agent in the first network namespace (a container: --network=host)',
    };
  }
  if (initialNetworkNamespace === undefined || initialUserNamespace === undefined)
    return { state: 'unknown', summary: 'which network namespace this is cannot be told from here' };
  return { state: 'ok', summary: 'the first user and network namespaces' };
}

/** What has tainted the kernel. */
function taint({ live, taints }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  if (taints === undefined) return { state: 'unknown', summary: '/proc/sys/kernel/tainted cannot be read' };
  if (taints.length === 0) return { state: 'ok', summary: 'the kernel is not tainted' };
  const evidence = taints.map(
    ({ letter, meaning, modules }) => `${letter}: ${meaning}${modules.length === 0 ? '' : ` (${modules.join(', ')})`}`,
  );
  const grave = taints.filter(({ letter }) => 'FRMBDL'.includes(letter));
  return {
    state: grave.length > 0 ? 'warning' : 'ok',
    summary: `tainted: ${taints.map(({ letter }) => letter).join('')}`,
    evidence,
    remedy: grave.length > 0 ? 'look at dmesg for what happened; reboot before anything else is blamed' : undefined,
  };
}

/** Checks of the running kernel and of this process's privileges. Not for another root. */
export const KERNEL_CHECKS: readonly Check[] = [
  { id: 'module-support', title: 'module support', run: moduleSupport },
  { id: 'modules-disabled', title: 'modules_disabled', run: modulesDisabled },
  { id: 'privileges', title: 'privileges', run: privileges },
  { id: 'uevents', title: 'uevents', run: uevents },
  { id: 'lockdown', title: 'lockdown', run: lockdown },
  { id: 'secure-boot', title: 'Secure Boot', run: secureBootState },
  { id: 'sig-enforce', title: 'signatures', run: signatures },
  { id: 'keyrings', title: 'keys', run: trustedKeys },
  { id: 'mok-pending', title: 'owner keys', run: pendingOwnerKeys },
  { id: 'taint', title: 'taint', run: taint },
  { id: 'kernel-requests', title: 'kernel requests', run: kernelRequests },
  { id: 'udevd', title: 'who loads', run: whoLoads },
  { id: 'devices', title: 'undriven devices', run: undrivenDevices },
];
