import t from 'tap';
import {
  distrustedFile,
  forbidden,
  kernelBlacklisted,
  lackOfPrivilege,
  modulesDisabled,
} from '../../agent/diagnosis/diagnosis-kernel.ts';
import type { KernelEvidence } from '../../agent/diagnosis/evidence.ts';
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
];
for (const [rule, given, says, remedy] of DISTRUSTED) {
  t.test(`a file that is not trusted: ${rule}`, (t) => {
    const explanation = distrustedFile(knownFactsGiven(given));
    if (says === undefined) t.equal(explanation, undefined);
    else t.match(explanation, { evidence: [says], ...(remedy === undefined ? {} : { remedy }) });
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
