/** Checks of the running kernel and this process. Pure: facts in, findings out. */
import type { Explanation } from '../../diagnosis/diagnosis-facts.ts';
import { lackOfPrivilege, modulesDisabled as explainDisabled } from '../../diagnosis/diagnosis-kernel.ts';
import type { Check, Finding, HealthFacts } from './health.ts';
import { kernelRequests, undrivenDevices, whoLoads } from './health-loading.ts';
import { builtHere, lockdown, pendingOwnerKeys, secureBootState, signatures, trustedKeys } from './health-signing.ts';
import { partsOfPlugd } from './installed-parts.ts';

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
  return wrong(explainDisabled({ kernel: live, refusal: undefined }));
}

/** Whether loading has been switched off until reboot. */
function modulesDisabled({ live }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true) return undefined;
  if (!live.modulesDisabled) return { state: 'ok', summary: 'kernel.modules_disabled is 0' };
  return wrong(explainDisabled({ kernel: live, refusal: undefined }));
}

/** An explanation as a finding: the same words as when a module was refused. */
function wrong(explanation: Explanation | undefined, more: readonly string[] = []): Finding | undefined {
  if (explanation === undefined) return undefined;
  const [summary = '', ...evidence] = explanation.evidence;
  return { state: 'wrong', summary, evidence: [...evidence, ...more], remedy: explanation.remedy };
}

/** Whether this process may load modules. */
function privileges({ live }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  const { uid, seccomp } = live.privileges;
  const evidence = seccomp === 'filter' ? ['a seccomp filter is set; it may refuse system calls'] : [];
  if (uid !== 0)
    return {
      state: 'unknown',
      summary: 'not root: some facts cannot be read, and root may be allowed more',
      evidence,
      remedy: 'run it as root',
    };
  return (
    wrong(lackOfPrivilege({ kernel: live }), evidence) ?? { state: 'ok', summary: 'root with CAP_SYS_MODULE', evidence }
  );
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
  { id: 'built-here', title: 'built here', run: builtHere },
  { id: 'taint', title: 'taint', run: taint },
  { id: 'kernel-requests', title: 'kernel requests', run: kernelRequests },
  { id: 'udevd', title: 'who loads', run: whoLoads },
  { id: 'parts', title: 'plugd itself', run: partsOfPlugd },
  { id: 'devices', title: 'undriven devices', run: undrivenDevices },
];
