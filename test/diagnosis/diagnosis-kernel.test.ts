import t from 'tap';
import {
  distrustedFile,
  forbidden,
  kernelBlacklisted,
  lackOfPrivilege,
  modulesDisabled,
} from '../../agent/diagnosis/diagnosis-kernel.ts';
import type { KernelEvidence } from '../../agent/diagnosis/evidence.ts';
import type { ImaMark } from '../../agent/facts/kernel/file-guards.ts';
import { FULL_PRIVILEGES } from '../fixtures/confinement/privileges.ts';
import { knownFactsGiven, type Given } from './diagnosis-rig.ts';

/** The first sentence that the explanation must have; undefined: it explains nothing. */
type Rows = ReadonlyArray<readonly [rule: string, given: Given, says: RegExp | undefined, remedy?: RegExp]>;

const kernel = (privileges: Partial<KernelEvidence['privileges']>): Given => ({
  kernel: { privileges: { ...FULL_PRIVILEGES, ...privileges } },
});
const UNABLE = { capabilities: { ...FULL_PRIVILEGES.capabilities, SYS_MODULE: false } };
const OUTSIDE = { initialUserNamespace: false };

const DISABLED: Rows = [
  ['modules are allowed', {}, undefined],
  ['no module support', { kernel: { moduleSupport: false } }, /without loadable modules/, /CONFIG_MODULES/],
  [
    'no module support, and EPERM',
    { kernel: { moduleSupport: false }, errno: 'EPERM' },
    /without loadable modules/,
    /CONFIG_MODULES/,
  ],
  ['modules_disabled', { kernel: { modulesDisabled: true } }, /modules_disabled is 1/, /^reboot;/],
  [
    'modules_disabled, and EPERM',
    { kernel: { modulesDisabled: true }, errno: 'EPERM' },
    /modules_disabled is 1/,
    /^reboot;/,
  ],
  ['modules_disabled does not explain ENOSYS', { kernel: { modulesDisabled: true }, errno: 'ENOSYS' }, undefined],
  [
    'a kernel without modules is one whatever the switch says',
    { kernel: { moduleSupport: false, modulesDisabled: true } },
    /without loadable modules/,
  ],
  ['of another machine nothing is known', { kernel: null }, undefined],
];
const PRIVILEGE: Rows = [
  ['root with everything', {}, undefined],
  ['not root', kernel({ ...UNABLE, uid: 1000 }), /^only root may load modules$/, /run it as root/],
  ['not root, with the capability', kernel({ uid: 1000 }), undefined],
  ['root without the capability', kernel(UNABLE), /^root here lacks CAP_SYS_MODULE$/, /--cap-add SYS_MODULE/],
  [
    'root that can never have it',
    kernel({ ...UNABLE, sysModuleBounded: false }),
    /^root here lacks CAP_SYS_MODULE, and it is not in the bounding set$/,
    /CapabilityBoundingSet=/,
  ],
  ['in a user namespace a capability counts for nothing', kernel(OUTSIDE), /user namespace of its own/, /on the host/],
  ['which is said before the rest', kernel({ ...OUTSIDE, ...UNABLE, uid: 1000 }), /user namespace of its own/],
  ['where /proc does not say, the capability decides', kernel({ initialUserNamespace: undefined }), undefined],
  ['of another machine nothing is known', { kernel: null }, undefined],
];
const BLACKLIST: Rows = [
  ['no rule', {}, undefined],
  ['a rule', { blacklisted: true }, /^module_blacklist=m in \/proc\/cmdline$/, /reboot/],
  ['a name that is not ASCII', { blacklisted: true, module: 'm\xe9' }, /^module_blacklist=m\xe9 in/],
  [
    'the kernel alone says so',
    { errno: 'EPERM', log: ['Module m is blacklisted'] },
    /^the kernel said: Module m is blacklisted$/,
    /reboot/,
  ],
  ['another line does not', { errno: 'EPERM', log: ['Lockdown: modprobe: restricted'] }, undefined],
];
const TABLES = { modulesDisabled, lackOfPrivilege, kernelBlacklisted };
for (const [name, rows] of Object.entries({
  modulesDisabled: DISABLED,
  lackOfPrivilege: PRIVILEGE,
  kernelBlacklisted: BLACKLIST,
})) {
  for (const [rule, given, says, remedy] of rows) {
    t.test(`${name}: ${rule}`, (t) => {
      const explanation = TABLES[name as keyof typeof TABLES](knownFactsGiven(given));
      if (says === undefined) t.equal(explanation, undefined);
      else t.match(explanation?.evidence[0], says);
      if (remedy !== undefined) t.match(explanation?.remedy, remedy);
      t.end();
    });
  }
}

t.test('a rule and what the kernel logged are both evidence', (t) => {
  const facts = knownFactsGiven({ blacklisted: true, errno: 'EPERM', log: ['Module m is blacklisted'] });
  t.same(kernelBlacklisted(facts)?.evidence, [
    'module_blacklist=m in /proc/cmdline',
    'the kernel said: Module m is blacklisted',
  ]);
  t.end();
});

const SECCOMP = 'a seccomp filter is set on this process';
const NO_NEW = 'no_new_privs is set on this process';
const FORBIDDEN: ReadonlyArray<readonly [rule: string, given: Given, evidence: readonly string[]]> = [
  ['nothing else is known', { errno: 'EPERM' }, []],
  ['seccomp', kernel({ seccomp: 'filter' }), [SECCOMP]],
  ['no_new_privs', kernel({ noNewPrivileges: true }), [NO_NEW]],
  ['both', kernel({ seccomp: 'strict', noNewPrivileges: true }), [SECCOMP, NO_NEW]],
  ['of another machine nothing is known', { kernel: null }, []],
  ['any line is better than none', { errno: 'EPERM', log: ['m: no'] }, ['the kernel said: m: no']],
  [
    'a line of a security module is better than one before it',
    { errno: 'EPERM', log: ['m: no', 'LoadPin: kernel-module denied obj="/m.ko"'] },
    ['the kernel said: LoadPin: kernel-module denied obj="/m.ko"'],
  ],
  [
    'a line of IMA too',
    { errno: 'EACCES', log: ['m: no', 'audit: op=appraise_data cause=missing-hash'] },
    ['the kernel said: audit: op=appraise_data cause=missing-hash'],
  ],
];
for (const [rule, given, evidence] of FORBIDDEN) {
  t.test(`forbidden: ${rule}`, (t) => {
    const explanation = forbidden(knownFactsGiven(given));
    t.same(explanation.evidence.slice(1), evidence);
    t.match(explanation, { evidence: [/^none of the usual reasons holds/], remedy: /audit log/ });
    t.end();
  });
}

const DENIED = 'LoadPin: kernel-module denied obj="/tmp/m.ko" pid=1 cmdline="insmod m.ko"';
const APPRAISED =
  'audit: type=1800 audit(1.0:2): pid=1 uid=0 op=appraise_data cause=IMA-signature-required comm="insmod" name="/m.ko" res=0';
const guarded = (guards: NonNullable<KernelEvidence['guards']>): Given => ({ kernel: { guards } });
const IMA = { loadPin: false, appraisal: 'ima_policy=secure_boot' };
const TCB = { loadPin: false, appraisal: 'ima_policy=appraise_tcb' };
const ROOT = { path: '/lib/modules/first.ko', device: '8:1', mount: '/dev/sda1 on /' };
const OTHER = { path: '/mnt/m.ko', device: '8:17', mount: '/dev/sdb1 on /mnt' };
const PINNED = { loadPin: true, pinned: ROOT, appraisal: undefined };
const marked = (imaMark: ImaMark, place?: typeof OTHER): Given => ({ standing: { imaMark, place } });
const NONE = { kind: 'none' } as const;
const DISTRUSTED: Rows = [
  ['LoadPin says so', { errno: 'EPERM', log: [DENIED] }, /LoadPin takes modules only from/, /loadpin\.enforce=0/],
  [
    'it reports what it lets through, too',
    { errno: 'EPERM', log: [DENIED.replace('denied', 'pinning-ignored')] },
    undefined,
  ],
  ['IMA says so', { errno: 'EACCES', log: [APPRAISED] }, /IMA appraises modules: a file needs/, /evmctl/],
  [
    'IMA says so, and the command line why',
    { errno: 'EACCES', log: [APPRAISED], ...guarded(IMA) },
    /ima_policy=secure_boot on the/,
  ],
  ['the command line alone', { errno: 'EACCES', ...guarded(IMA) }, /ima_policy=secure_boot/],
  ['EPERM is not what IMA answers', { errno: 'EPERM', ...guarded(IMA) }, undefined],
  ['EACCES of something else', { errno: 'EACCES' }, undefined],
  ['before the call nobody knows', guarded(IMA), undefined],
  ['before the call: no attribute', { ...guarded(IMA), ...marked(NONE) }, /has no attribute security\.ima/, /evmctl/],
  [
    'before the call: only a hash',
    { ...guarded(IMA), ...marked({ kind: 'hash', algorithm: 'sha256' }) },
    /has only a hash \(sha256\), no signature/,
  ],
  [
    'before the call: a signature may do',
    { ...guarded(IMA), ...marked({ kind: 'signature', keyId: 'ab' }) },
    undefined,
  ],
  ['before the call: not known', { ...guarded(IMA), ...marked({ kind: 'unknown', why: 'no addon' }) }, undefined],
  ['a policy that takes hashes, and leaves out file systems', { ...guarded(TCB), ...marked(NONE) }, undefined],
  ['no policy', marked(NONE), undefined],
  [
    'a compressed file may be handed over unpacked',
    { ...guarded(IMA), ...marked(NONE), path: '/lib/modules/m.ko.xz' },
    undefined,
  ],
  [
    'refused in spite of a signature',
    { errno: 'EACCES', ...guarded(IMA), ...marked({ kind: 'signature', keyId: '1a2b3c4d' }) },
    /signature by key 1a2b3c4d: IMA does not trust that key, or the file has changed/,
  ],
  [
    'refused, and the attribute cannot be read',
    { errno: 'EACCES', ...guarded(IMA), ...marked({ kind: 'unknown', why: 'its file system has no such attributes' }) },
    /is not known: its file system has no such attributes/,
  ],
  [
    'LoadPin: another file system',
    { ...guarded(PINNED), ...marked(NONE, OTHER) },
    /\/mnt\/m\.ko is on another one: \/dev\/sdb1/,
  ],
  [
    'LoadPin: which was the first',
    { ...guarded(PINNED), ...marked(NONE, OTHER) },
    /that was \/lib\/modules\/first\.ko/,
  ],
  ['LoadPin: refused there', { errno: 'EPERM', ...guarded(PINNED), ...marked(NONE, OTHER) }, /on another one/],
  ['LoadPin: the same file system', { ...guarded(PINNED), ...marked(NONE, { ...OTHER, device: '8:1' }) }, undefined],
  [
    'LoadPin: nobody knows the first',
    { ...guarded({ ...PINNED, pinned: undefined }), ...marked(NONE, OTHER) },
    undefined,
  ],
  ['LoadPin: it only warns', { ...guarded({ ...PINNED, loadPin: false }), ...marked(NONE, OTHER) }, undefined],
];
for (const [rule, given, says, remedy] of DISTRUSTED) {
  t.test(`a file that is not trusted: ${rule}`, (t) => {
    const explanation = distrustedFile(knownFactsGiven(given));
    if (says === undefined) t.equal(explanation, undefined);
    else t.match(explanation, remedy === undefined ? {} : { remedy });
    if (says !== undefined) t.match(explanation?.evidence.join('\n'), says);
    t.end();
  });
}

t.test('LoadPin that logs nothing is named where nothing else explains', (t) => {
  const { evidence } = forbidden(
    knownFactsGiven({ errno: 'EPERM', ...guarded({ loadPin: true, appraisal: undefined }) }),
  );
  t.match(evidence.join('\n'), /LoadPin is on/);
  t.end();
});
