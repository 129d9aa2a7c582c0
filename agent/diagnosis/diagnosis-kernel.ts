/** Refusals because of the kernel's state, its command line, or what this process may do. */
import { placeText } from '../base/words.ts';
import { errnoIs, said, type Explanation, type KnownFacts } from './diagnosis-facts.ts';
import type { KernelState } from '../facts/kernel/kernel-state.ts';

/** The kernel loads no modules: never, or not until it is started again. */
export function modulesDisabled({ kernel, refusal }: Pick<KnownFacts, 'kernel' | 'refusal'>): Explanation | undefined {
  if (kernel?.moduleSupport === false) {
    return {
      evidence: ['this kernel was built without loadable modules: there is no /proc/modules'],
      remedy: 'nothing to do if its built-in drivers are enough; else run a kernel with CONFIG_MODULES=y',
    };
  }
  if (kernel?.modulesDisabled !== true || errnoIs(refusal, 'ENOSYS')) return undefined;
  return {
    evidence: ['/proc/sys/kernel/modules_disabled is 1: nothing can be loaded until reboot'],
    remedy: 'reboot; find what sets kernel.modules_disabled (sysctl.d) if it should not',
  };
}

/** This process may not load modules. */
export function lackOfPrivilege({ kernel }: Pick<KnownFacts, 'kernel'>): Explanation | undefined {
  const privileges = kernel?.privileges;
  if (privileges === undefined) return undefined;
  if (privileges.initialUserNamespace === false) {
    return {
      evidence: [
        'this process is in a user namespace of its own: no capability of such a namespace counts for modules',
      ],
      remedy: 'load it outside, on the host',
    };
  }
  if (privileges.capabilities.SYS_MODULE) return undefined;
  if (privileges.uid !== 0) return { evidence: ['only root may load modules'], remedy: 'run it as root' };
  return {
    evidence: [
      `root here lacks CAP_SYS_MODULE${privileges.sysModuleBounded ? '' : ', and it is not in the bounding set'}`,
    ],
    remedy:
      'load it on the host, or grant the capability to this container or service (CapabilityBoundingSet=, --cap-add SYS_MODULE)',
  };
}

/** The kernel's own module_blacklist= names it. */
export function kernelBlacklisted({ module, logged }: KnownFacts): Explanation | undefined {
  const line = logged(/is blacklisted|blacklisted module/i);
  const rule = module.kernelBlacklist;
  if (rule === undefined && line === undefined) return undefined;
  return {
    evidence: [
      ...(rule === undefined ? [] : [`module_blacklist=${module.module} in ${placeText(rule)}`]),
      ...said(line),
    ],
    remedy: "remove the name from module_blacklist= on the kernel's command line and reboot",
  };
}

/** What the kernel demands of the file itself, before it looks at the module. */
export function distrustedFile({ kernel, refusal, logged }: KnownFacts): Explanation | undefined {
  const pinned = logged(/^LoadPin: .*denied/);
  if (pinned !== undefined)
    return {
      evidence: ['LoadPin takes modules only from the file system of the first file that was loaded', ...said(pinned)],
      remedy: 'put the module on that file system; or start the kernel with loadpin.enforce=0',
    };
  const appraised = logged(/op=appraise_data|^ima: /);
  const policy = kernel?.guards?.appraisal;
  if (appraised === undefined && (policy === undefined || !errnoIs(refusal, 'EACCES'))) return undefined;
  return {
    evidence: [
      policy === undefined
        ? 'IMA appraises modules: a file needs a signature of its own'
        : `IMA appraises modules, so a file needs a signature of its own: ${policy} on the kernel command line`,
      ...said(appraised),
    ],
    remedy: 'sign the file for IMA (evmctl ima_sign --key KEY.pem MODULE.ko), or start the kernel without that policy',
  };
}

/** Something forbids it that does not say so. */
export function forbidden({ kernel, logged }: KnownFacts): Explanation {
  return {
    evidence: [
      'none of the usual reasons holds: modules_disabled, CAP_SYS_MODULE, module_blacklist=, lockdown',
      ...fences(kernel),
      ...said(logged(/LoadPin|denied|IMA|integrity|appraise/i) ?? logged(/./)),
    ],
    remedy:
      'a security module, a policy of IMA, a seccomp filter or its own init refused it: look at the audit log (ausearch -m avc, journalctl _AUDIT_TYPE_NAME=SECCOMP)',
  };
}

/** What may stand in the way of a call without saying so. */
function fences(kernel: KernelState | undefined): readonly string[] {
  if (kernel === undefined) return [];
  const { seccomp, noNewPrivileges } = kernel.privileges;
  return [
    ...(kernel.guards?.loadPin === true
      ? ['LoadPin is on: modules load only from the file system of the first file that was loaded']
      : []),
    ...(seccomp === 'none' ? [] : ['a seccomp filter is set on this process']),
    ...(noNewPrivileges ? ['no_new_privs is set on this process'] : []),
  ];
}
