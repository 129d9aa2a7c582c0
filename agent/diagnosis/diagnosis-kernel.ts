/** Refusals because of the kernel's state, its command line, or what this process may do. */
import { placeText } from '../base/words.ts';
import { errnoIs, said, type Explanation, type KnownFacts } from './diagnosis-facts.ts';
import type { ImaMark } from '../facts/kernel/file-guards.ts';
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
export function distrustedFile(facts: KnownFacts): Explanation | undefined {
  return unpinnedFile(facts) ?? unappraisedFile(facts);
}

/** LoadPin: it says so, or the file is on another file system than the first one. */
function unpinnedFile({ kernel, module, refusal, logged }: KnownFacts): Explanation | undefined {
  const denied = logged(/^LoadPin: .*denied/);
  const first = kernel?.guards?.pinned;
  const place = module.standing?.place;
  const isElsewhere =
    kernel?.guards?.loadPin === true && first !== undefined && place !== undefined && first.device !== place.device;
  if (denied === undefined && (!isElsewhere || errnoIs(refusal, 'EACCES'))) return undefined;
  return {
    evidence: [
      'LoadPin takes modules only from the file system of the first file that was loaded',
      ...(first === undefined ? [] : [`that was ${first.path} (${first.mount})`]),
      ...(place === undefined || !isElsewhere ? [] : [`${place.path} is on another one: ${place.mount}`]),
      ...said(denied),
    ],
    remedy: 'put the module on that file system; or start the kernel with loadpin.enforce=0',
  };
}

/** IMA: it says so, or its policy demands a signature that the file does not have. */
function unappraisedFile({ kernel, module, refusal, logged }: KnownFacts): Explanation | undefined {
  const appraised = logged(/op=appraise_data|^ima: /);
  const policy = kernel?.guards?.appraisal;
  const mark = module.standing?.imaMark;
  const isForeseen = refusal === undefined && policy !== undefined && lacksSignature(policy, module.path, mark);
  if (appraised === undefined && !isForeseen && (policy === undefined || !errnoIs(refusal, 'EACCES'))) return undefined;
  return {
    evidence: [
      policy === undefined
        ? 'IMA appraises modules: a file needs a signature of its own'
        : `IMA appraises modules, so a file needs a signature of its own: ${policy} on the kernel command line`,
      ...(mark === undefined ? [] : [markText(mark)]),
      ...said(appraised),
    ],
    remedy: 'sign the file for IMA (evmctl ima_sign --key KEY.pem MODULE.ko), or start the kernel without that policy',
  };
}

/**
 * Whether the file cannot pass. appraise_tcb takes a hash, too, and leaves out some file systems; a compressed module may be handed over
 * unpacked, without its file.
 */
function lacksSignature(policy: string, path: string, mark: ImaMark | undefined): boolean {
  return policy.includes('secure_boot') && path.endsWith('.ko') && (mark?.kind === 'none' || mark?.kind === 'hash');
}

function markText(mark: ImaMark): string {
  if (mark.kind === 'none') return 'the file has no attribute security.ima, where that signature would be';
  if (mark.kind === 'hash') return `security.ima of the file has only a hash (${mark.algorithm}), no signature`;
  return mark.kind === 'signature'
    ? `security.ima of the file has a signature by key ${mark.keyId}: IMA does not trust that key, or the file has changed`
    : `whether the file has such a signature is not known: ${mark.why}`;
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
