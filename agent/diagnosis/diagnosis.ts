/**
 * Why the kernel refuses a module, from facts: one table for what happened (an errno, the kernel's log) and for what would
 * happen (neither yet). Rows stand in the order in which the kernel checks; the first that explains decides.
 *
 * Source: kernel/module/main.c and signing.c, Linux 5.10 to 6.12: finit_module → may_init_module (CAP_SYS_MODULE,
 * modules_disabled) → read the file → module_sig_check → elf_validity_check → module_blacklist → module_layout's version,
 * vermagic → symbols → parameters → init.
 */
import { errnoName, errnoText } from '../base/errno.ts';
import type { Cause } from './cause.ts';
import { errnoIs, factsOf, said, type DiagnosisInput, type Explanation, type Facts } from './diagnosis-facts.ts';
import { badParameter, otherKernel, otherVersions, unknownSymbols } from './diagnosis-image.ts';
import { lockedDown, refusedSignature } from './diagnosis-signature.ts';
import type { KernelEvidence, Refusal } from './evidence.ts';
import { placeText } from '../base/words.ts';

/** One answer. */
export interface Diagnosis extends Explanation {
  readonly cause: Cause;
  /** Of a refusal that happened. */
  readonly errno: number | undefined;
}

interface Row {
  readonly cause: Cause;
  /** The errors that it may explain; `*` for any. */
  readonly errnos: readonly string[] | '*';
  /** Whether the facts alone, before any call, say that the kernel will refuse. */
  readonly predicts: boolean;
  explain(input: Facts): Explanation | undefined;
}

const SIGNATURE_ERRNOS = ['EKEYREJECTED', 'ENOKEY', 'EKEYEXPIRED', 'EKEYREVOKED', 'ENOPKG', 'EBADMSG', 'EPERM'];

const ROWS: readonly Row[] = [
  {
    cause: 'missing-file',
    errnos: ['ENOENT', 'ENOTDIR', 'ELOOP'],
    predicts: true,
    explain: ({ refusal, file, module }) => {
      if (file.kind !== 'missing' || (refusal !== undefined && refusal.during !== 'open')) return undefined;
      const elsewhere = file.elsewhere === undefined ? [] : [`a file of that name is at ${file.elsewhere}`];
      return {
        evidence: [`there is no file ${module.path}`, ...elsewhere],
        remedy:
          elsewhere.length > 0
            ? 'the indexes are older than the modules: run depmod'
            : 'install the package that holds it again, then run depmod',
      };
    },
  },
  {
    cause: 'permission',
    errnos: '*',
    predicts: false,
    explain: ({ refusal, module }) =>
      refusal?.during !== 'open'
        ? undefined
        : {
            evidence: [`${module.path} could not be opened: ${errnoText(refusal.errno)}`],
            remedy: 'run it as root; if it is, look at the file and its folders',
          },
  },
  {
    cause: 'compression',
    errnos: '*',
    predicts: true,
    explain: ({ refusal, file }) => {
      if (refusal !== undefined && refusal.during !== 'decompress') return undefined;
      const why = refusal?.why ?? (file.kind === 'unusable' && file.compressed ? file.why : undefined);
      return why === undefined ? undefined : { evidence: [why], remedy: 'install the package that holds it again' };
    },
  },
  {
    cause: 'modules-disabled',
    errnos: ['ENOSYS', 'EPERM'],
    predicts: true,
    explain: ({ kernel, refusal }) => {
      if (kernel?.moduleSupport === false) {
        return {
          evidence: ['this kernel was built without loadable modules: there is no /proc/modules'],
          remedy: 'run a kernel with CONFIG_MODULES',
        };
      }
      if (kernel?.modulesDisabled !== true || errnoIs(refusal, 'ENOSYS')) return undefined;
      return {
        evidence: ['/proc/sys/kernel/modules_disabled is 1: nothing can be loaded until reboot'],
        remedy: 'reboot; find what sets kernel.modules_disabled (sysctl.d) if it should not',
      };
    },
  },
  { cause: 'permission', errnos: ['EPERM'], predicts: true, explain: ({ kernel }) => lackOfPrivilege(kernel) },
  { cause: 'signature', errnos: SIGNATURE_ERRNOS, predicts: true, explain: (facts) => refusedSignature(facts) },
  { cause: 'lockdown', errnos: ['EPERM'], predicts: true, explain: (facts) => lockedDown(facts) },
  {
    cause: 'kernel-blacklist',
    errnos: ['EPERM'],
    predicts: true,
    explain: ({ module, logged }) => {
      const line = logged(/is blacklisted|blacklisted module/i);
      if (module.kernelBlacklist === undefined && line === undefined) return undefined;
      const where =
        module.kernelBlacklist === undefined
          ? []
          : [`module_blacklist=${module.module} in ${placeText(module.kernelBlacklist)}`];
      return {
        evidence: [...where, ...said(line)],
        remedy: "remove the name from module_blacklist= on the kernel's command line and reboot",
      };
    },
  },
  {
    cause: 'corrupt',
    errnos: '*',
    predicts: true,
    explain: ({ file, refusal, module }) =>
      file.kind !== 'unusable' ||
      (refusal !== undefined &&
        !/^(ENOEXEC|EINVAL|EFBIG|ELIBBAD|EKEYREJECTED|EBADMSG|ENODATA|EIO)$/.test(errnoName(refusal.errno)))
        ? undefined
        : { evidence: [`${module.path}: ${file.why}`], remedy: 'install the package that holds it again' },
  },
  { cause: 'vermagic', errnos: ['ENOEXEC'], predicts: true, explain: (facts) => otherKernel(facts) },
  {
    cause: 'vermagic',
    errnos: ['EINVAL', 'ENOEXEC', 'ESRCH', 'ENOENT'],
    predicts: true,
    explain: (facts) => otherVersions(facts),
  },
  { cause: 'unknown-symbol', errnos: ['ENOENT', 'EINVAL'], predicts: true, explain: (facts) => unknownSymbols(facts) },
  {
    cause: 'unknown-parameter',
    errnos: ['EINVAL', 'ERANGE', 'ENOSPC', 'EPERM'],
    predicts: true,
    explain: (facts) => badParameter(facts),
  },
  {
    cause: 'corrupt',
    errnos: ['ENOEXEC', 'EFBIG', 'ELIBBAD', 'EBADMSG'],
    predicts: false,
    explain: ({ logged, module }) => ({
      evidence: [`the kernel does not take ${module.path} for a module`, ...said(logged(/./))],
      remedy: 'install the package that holds it again, or build it again',
    }),
  },
  {
    cause: 'no-device',
    errnos: ['ENODEV', 'ENXIO'],
    predicts: false,
    explain: ({ logged }) => ({
      evidence: ['its init found no device that it drives', ...said(logged(/./))],
      remedy: undefined,
    }),
  },
  {
    cause: 'busy',
    errnos: ['EBUSY', 'ETXTBSY', 'EEXIST', 'EADDRINUSE'],
    predicts: false,
    explain: ({ logged }) => ({
      evidence: ['its init found something that it needs in use', ...said(logged(/./))],
      remedy:
        'look which other driver holds the device, its addresses (/proc/iomem, /proc/ioports) or the name it registers',
    }),
  },
  {
    cause: 'permission',
    errnos: ['EPERM', 'EACCES'],
    predicts: false,
    explain: ({ kernel, logged }) => ({
      evidence: [
        'none of the usual reasons holds: modules_disabled, CAP_SYS_MODULE, module_blacklist=, lockdown',
        ...fences(kernel),
        ...said(logged(/LoadPin|denied|IMA|integrity|appraise/i) ?? logged(/./)),
      ],
      remedy:
        'a security module, a policy of IMA, a seccomp filter or its own init refused it: look at the audit log (ausearch -m avc, journalctl _AUDIT_TYPE_NAME=SECCOMP)',
    }),
  },
  {
    cause: 'other',
    errnos: ['ENOMEM'],
    predicts: false,
    explain: ({ logged }) => ({
      evidence: ['the kernel or its init could not get memory', ...said(logged(/./))],
      remedy: 'look at /proc/meminfo and /proc/vmallocinfo; a parameter may ask for less',
    }),
  },
  {
    cause: 'other',
    errnos: '*',
    predicts: false,
    explain: ({ refusal, logged }) => ({
      evidence: [
        ...(refusal === undefined
          ? []
          : [`the kernel or its init answered ${errnoName(refusal.errno)}: ${errnoText(refusal.errno)}`]),
        ...said(logged(/./)),
      ],
      remedy: 'look at what the module itself logged (dmesg), and at the parameters, files and firmware that it needs',
    }),
  },
];

/** Why a module was refused. There is always an answer: `other` when no row explains the errno. */
export function diagnose(input: DiagnosisInput & { readonly refusal: Refusal }): Diagnosis {
  const facts = factsOf(input);
  const name = errnoName(input.refusal.errno);
  for (const row of ROWS) {
    if (row.errnos !== '*' && !row.errnos.includes(name)) continue;
    const explanation = row.explain(facts);
    if (explanation !== undefined) return { cause: row.cause, errno: input.refusal.errno, ...explanation };
  }
  return { cause: 'other', errno: input.refusal.errno, evidence: [], remedy: undefined };
}

/** Why a module would be refused; undefined when the facts know of no reason. Its init may still answer what it likes. */
export function predict(input: Omit<DiagnosisInput, 'refusal'>): Diagnosis | undefined {
  const facts = factsOf({ ...input, refusal: undefined });
  for (const row of ROWS) {
    if (!row.predicts) continue;
    const explanation = row.explain(facts);
    if (explanation !== undefined) return { cause: row.cause, errno: undefined, ...explanation };
  }
  return undefined;
}

function lackOfPrivilege(kernel: KernelEvidence | undefined): Explanation | undefined {
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

/** What may stand in the way of a call without saying so. */
function fences(kernel: KernelEvidence | undefined): readonly string[] {
  if (kernel === undefined) return [];
  const privileges = kernel.privileges;
  return [
    ...(privileges.seccomp === 'none' ? [] : ['a seccomp filter is set on this process']),
    ...(privileges.noNewPrivileges ? ['no_new_privs is set on this process'] : []),
  ];
}
