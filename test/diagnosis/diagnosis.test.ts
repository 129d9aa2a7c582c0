import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import type { Cause } from '../../agent/diagnosis/cause.ts';
import { diagnose, predict } from '../../agent/diagnosis/diagnosis.ts';
import type { KernelEvidence, SignatureEvidence } from '../../agent/diagnosis/evidence.ts';
import { inputOf, KERNEL, TRUSTED, UNKNOWN, type Given } from './diagnosis-rig.ts';

const without = (privileges: Partial<KernelEvidence['privileges']>): Partial<KernelEvidence> => ({
  privileges: { ...KERNEL.privileges, ...privileges },
});
const NO_CAPABILITY = { ...KERNEL.privileges.capabilities, SYS_MODULE: false };
const provider = 'libata' as ModuleName;

interface Row extends Given {
  /** The cause before the call; undefined: none is foreseen. */
  readonly before?: Cause;
  readonly after?: Cause;
  /** What evidence and remedy of each must say. */
  readonly says?: RegExp;
}

const ROWS: Readonly<Record<string, Row>> = {
  'nothing is wrong': {},
  'no module support': {
    kernel: { moduleSupport: false },
    errno: 'ENOSYS',
    before: 'modules-disabled',
    after: 'modules-disabled',
    says: /without loadable modules/,
  },
  modules_disabled: {
    kernel: { modulesDisabled: true },
    errno: 'EPERM',
    before: 'modules-disabled',
    after: 'modules-disabled',
    says: /until reboot/,
  },
  'modules_disabled explains EPERM before a missing capability does': {
    kernel: { modulesDisabled: true, ...without({ capabilities: NO_CAPABILITY }) },
    errno: 'EPERM',
    before: 'modules-disabled',
    after: 'modules-disabled',
  },
  'no capability': {
    kernel: without({ capabilities: NO_CAPABILITY }),
    errno: 'EPERM',
    before: 'permission',
    after: 'permission',
    says: /root here lacks CAP_SYS_MODULE;|root here lacks CAP_SYS_MODULE/,
  },
  'not root': {
    kernel: without({ uid: 1000, capabilities: NO_CAPABILITY }),
    errno: 'EPERM',
    before: 'permission',
    after: 'permission',
    says: /only root/,
  },
  'a user namespace, whatever its capabilities': {
    kernel: without({ initialUserNamespace: false }),
    errno: 'EPERM',
    before: 'permission',
    after: 'permission',
    says: /user namespace/,
  },
  'EPERM without a reason': { errno: 'EPERM', after: 'permission', says: /none of the usual reasons/ },
  'EPERM under seccomp': {
    kernel: without({ seccomp: 'filter' }),
    errno: 'EPERM',
    after: 'permission',
    says: /seccomp filter is set/,
  },
  'EPERM of LoadPin': {
    errno: 'EPERM',
    log: ['LoadPin: kernel-module denied obj="/x.ko"'],
    after: 'integrity',
    says: /LoadPin: kernel-module denied/,
  },
  'the file is not there': {
    file: { kind: 'missing', elsewhere: undefined },
    errno: 'ENOENT',
    during: 'open',
    before: 'missing-file',
    after: 'missing-file',
    says: /no file .*install the package/s,
  },
  'the file is elsewhere': {
    file: { kind: 'missing', elsewhere: '/x/updates/m.ko' },
    errno: 'ENOENT',
    during: 'open',
    before: 'missing-file',
    after: 'missing-file',
    says: /updates.*depmod/s,
  },
  'the file may not be read': {
    errno: 'EACCES',
    during: 'open',
    after: 'permission',
    says: /could not be opened: Permission denied/,
  },
  'damaged compression': {
    file: { kind: 'unusable', why: 'damaged or truncated xz data', compressed: true },
    errno: 'EBADMSG',
    during: 'decompress',
    why: 'damaged or truncated xz data',
    before: 'compression',
    after: 'compression',
    says: /xz data/,
  },
  'half an ELF file': {
    file: { kind: 'unusable', why: 'truncated', compressed: false },
    errno: 'ENOEXEC',
    before: 'corrupt',
    after: 'corrupt',
    says: /truncated/,
  },
  'no ELF file, says the kernel alone': {
    errno: 'ENOEXEC',
    log: ['Invalid ELF header magic: != \x7fELF'],
    after: 'corrupt',
    says: /Invalid ELF header/,
  },
  'unsigned, enforced': {
    kernel: { signatureEnforced: true },
    errno: 'EKEYREJECTED',
    log: ['Loading of unsigned module is rejected'],
    before: 'signature',
    after: 'signature',
    says: /not signed.*sig_enforce=Y.*sign it/s,
  },
  'unsigned, enforced, the log not readable': {
    kernel: { signatureEnforced: true },
    errno: 'EKEYREJECTED',
    before: 'signature',
    after: 'signature',
    says: /not signed/,
  },
  'unsigned, old kernels say ENOKEY': {
    kernel: { signatureEnforced: true },
    errno: 'ENOKEY',
    before: 'signature',
    after: 'signature',
  },
  'unsigned, not enforced': {},
  'unsigned, locked down': {
    kernel: { lockdown: 'integrity' },
    errno: 'EPERM',
    log: ['Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7'],
    before: 'lockdown',
    after: 'lockdown',
    says: /not signed.*locked down: integrity/s,
  },
  'unsigned, enforced and locked down': {
    kernel: { lockdown: 'integrity', signatureEnforced: true, secureBoot: 'on' },
    errno: 'EKEYREJECTED',
    before: 'signature',
    after: 'signature',
    says: /lockdown=integrity.*Secure Boot is on/s,
  },
  'a key that nobody trusts, enforced': {
    file: { signature: UNKNOWN },
    kernel: { signatureEnforced: true },
    errno: 'EKEYREJECTED',
    log: ['Loading of module with unavailable key is rejected'],
    before: 'signature',
    after: 'signature',
    says: /'DKMS'.*does not trust.*plugd keys enroll/s,
  },
  'a key that nobody trusts, locked down': {
    file: { signature: UNKNOWN },
    kernel: { lockdown: 'confidentiality' },
    errno: 'EPERM',
    before: 'lockdown',
    after: 'lockdown',
    says: /'DKMS'.*confidentiality/s,
  },
  'a trusted key, locked down': {
    file: { signature: TRUSTED },
    kernel: { lockdown: 'integrity', signatureEnforced: true },
  },
  'changed after it was signed': {
    file: { signature: TRUSTED },
    errno: 'EKEYREJECTED',
    after: 'signature',
    says: /does not fit the contents/,
  },
  'a damaged signature': {
    file: { signature: { kind: 'damaged', why: 'cut off' } },
    errno: 'EBADMSG',
    before: 'signature',
    after: 'signature',
    says: /damaged: cut off/,
  },
  'a damaged signature, where none is looked at': {
    file: { signature: { kind: 'damaged', why: 'cut off' } },
    kernel: { signatureEnforced: undefined },
  },
  'module_blacklist=': {
    blacklisted: true,
    errno: 'EPERM',
    log: ['Module m is blacklisted'],
    before: 'kernel-blacklist',
    after: 'kernel-blacklist',
    says: /module_blacklist=m in \/proc\/cmdline/,
  },
  'another architecture': {
    file: { architecture: 'aarch64' },
    errno: 'ENOEXEC',
    before: 'vermagic',
    after: 'vermagic',
    says: /built for aarch64, this kernel is x86_64/,
  },
  'another release': {
    file: { vermagic: '6.0.0 SMP mod_unload ' },
    errno: 'ENOEXEC',
    before: 'vermagic',
    after: 'vermagic',
    says: /found: +'6.0.0 SMP.*wanted: '6.1.0 SMP/s,
  },
  'another release, with versions': { file: { vermagic: '6.0.0 SMP mod_unload ', hasVersions: true } },
  'another configuration, with versions': {
    file: { vermagic: '6.1.0 preempt mod_unload ', hasVersions: true },
    errno: 'ENOEXEC',
    before: 'vermagic',
    after: 'vermagic',
  },
  'another release, as the kernel says': {
    file: { expectedVermagic: undefined },
    errno: 'ENOEXEC',
    log: ["m: version magic '6.1.0 SMP mod_unload ' should be '6.2.0 SMP mod_unload '"],
    after: 'vermagic',
    says: /wanted: '6.2.0/,
  },
  'another layout of struct module': {
    file: { mismatches: [{ symbol: 'module_layout', wanted: 1, found: 2, provider: 'the kernel' }] },
    errno: 'ENOEXEC',
    before: 'vermagic',
    after: 'vermagic',
    says: /0x00000001; here it is 0x00000002/,
  },
  'another version of a symbol': {
    file: { mismatches: [{ symbol: 'a', wanted: 1, found: 2, provider: 'libata' }] },
    errno: 'EINVAL',
    log: ['m: disagrees about version of symbol a', 'm: Unknown symbol a (err -22)'],
    before: 'vermagic',
    after: 'vermagic',
    says: /a: built against 0x00000001, libata has 0x00000002/,
  },
  'a duplicate export': {
    errno: 'ENOEXEC',
    log: ['m: exports duplicate symbol rtl_x (owned by rtlwifi)'],
    after: 'vermagic',
    says: /owned by rtlwifi/,
  },
  'a symbol whose provider is not loaded': {
    file: { missingSymbols: [{ symbol: 'ata_x', provider, inDep: true }] },
    errno: 'ENOENT',
    log: ['m: Unknown symbol ata_x (err -2)'],
    before: 'unknown-symbol',
    after: 'unknown-symbol',
    says: /libata is not loaded; it exports ata_x.*load libata first/s,
  },
  'a symbol whose provider modules.dep does not know': {
    file: { missingSymbols: [{ symbol: 'ata_x', provider, inDep: false }] },
    errno: 'ENOENT',
    before: 'unknown-symbol',
    after: 'unknown-symbol',
    says: /nor among its dependencies.*run depmod/s,
  },
  'a symbol that nothing has': {
    file: { missingSymbols: [{ symbol: 'vid', provider: undefined, inDep: false }] },
    errno: 'ENOENT',
    before: 'unknown-symbol',
    after: 'unknown-symbol',
    says: /no module exports vid, nor does the kernel/,
  },
  'a symbol that only the kernel misses': {
    errno: 'ENOENT',
    log: ['m: Unknown symbol gpl_only (err -2)'],
    after: 'unknown-symbol',
    says: /gpl_only: not available to this module/,
  },
  'a namespace that is not imported': {
    errno: 'EINVAL',
    log: [
      'm: module uses symbol (x) from namespace CRYPTO_INTERNAL, but does not import it.',
      'm: Unknown symbol x (err -22)',
    ],
    after: 'namespace',
    says: /namespace CRYPTO_INTERNAL/,
  },
  'a symbol of a namespace that the file does not import': {
    file: { withheldSymbols: [{ kind: 'namespace', namespace: 'USB', symbol: 'x', provider, file: '/l.ko' }] },
    errno: 'EINVAL',
    log: ['m: Unknown symbol x (err -22)'],
    before: 'namespace',
    after: 'namespace',
    says: /x of libata \(\/l\.ko\), of namespace USB.*MODULE_IMPORT_NS\(USB\)/s,
  },
  'a symbol for named modules': {
    file: { withheldSymbols: [{ kind: 'namespace', namespace: 'module:a', symbol: 'x', provider, file: '/l.ko' }] },
    before: 'namespace',
    says: /only the modules that the namespace names/,
  },
  'an import of a namespace of named modules': {
    file: { withheldSymbols: [{ kind: 'module-import', namespace: 'module:m' }] },
    errno: 'EPERM',
    log: ['m: module tries to import module namespace: module:m'],
    before: 'namespace',
    after: 'namespace',
    says: /imports 'module:m'.*remove that MODULE_IMPORT_NS/s,
  },
  'a GPL-only symbol of the kernel': {
    file: {
      withheldSymbols: [
        {
          kind: 'gpl-only',
          license: 'X',
          inheritedFrom: undefined,
          symbol: 'x',
          provider: undefined,
          file: '/System.map',
        },
      ],
    },
    errno: 'ENOENT',
    log: ['m: Unknown symbol x (err -2)'],
    before: 'license',
    after: 'license',
    says: /x of the kernel \(\/System\.map\).*license is 'X'/s,
  },
  'a GPL-only symbol, and a proprietary module below': {
    file: {
      withheldSymbols: [
        { kind: 'gpl-only', license: 'GPL', inheritedFrom: provider, symbol: 'x', provider, file: '/l.ko' },
      ],
    },
    before: 'license',
    says: /uses symbols of libata, which is proprietary/,
  },
  'symbols of a proprietary module, as the kernel says': {
    errno: 'ENOENT',
    log: ['m: module using GPL-only symbols uses symbols x from proprietary module p.'],
    after: 'license',
    says: /proprietary module p/,
  },
  'more than anyone reads': {
    file: {
      withheldSymbols: ['a', 'b', 'c', 'd', 'e', 'f'].map((symbol) => ({
        kind: 'proprietary' as const,
        symbol,
        provider,
        file: '/l.ko',
      })),
    },
    before: 'license',
    says: /d of libata.*2 more symbols of that kind/s,
  },
  'a signature that is as good as none': { file: { signature: { kind: 'unsupported', why: 'PGP' } } },
  'a signature that is as good as none, enforced': {
    file: { signature: { kind: 'unsupported', why: 'PGP' } },
    kernel: { signatureEnforced: true },
    errno: 'EKEYREJECTED',
    log: ['Loading of module with unsupported crypto is rejected'],
    before: 'signature',
    after: 'signature',
    says: /does not count: PGP/,
  },
  'an init that answers ENOENT': { errno: 'ENOENT', after: 'other', says: /its init answered ENOENT/ },
  'a value that does not fit': {
    file: {
      badParameters: [
        {
          name: 'a',
          value: 'x',
          kind: 'value',
          type: 'int',
          suggestion: undefined,
          place: { file: '/etc/modprobe.d/m.conf', line: 2 },
        },
      ],
    },
    errno: 'EINVAL',
    log: ["m: `x' invalid for parameter `a'"],
    before: 'parameter-value',
    after: 'parameter-value',
    says: /a=x is no value for a parameter of type int \(.*m.conf:2\)/,
  },
  'a value that only the kernel rejects': {
    errno: 'ERANGE',
    log: ["m: `999' invalid for parameter `a'"],
    after: 'parameter-value',
    says: /`999' invalid/,
  },
  'an unknown parameter, which the kernel ignores': {
    file: {
      badParameters: [
        { name: 'a', value: 'x', kind: 'unknown', type: undefined, suggestion: undefined, place: undefined },
      ],
    },
  },
  'an init that answers ENODEV': { errno: 'ENODEV', after: 'no-device' },
  'an init that answers EBUSY': { errno: 'EBUSY', log: ['m: region busy'], after: 'busy', says: /region busy/ },
  'an init that answers ENOMEM': { errno: 'ENOMEM', after: 'other', says: /memory/ },
  'an init that answers EINVAL': { errno: 'EINVAL', after: 'other' },
  'an init that answers EIO': {
    errno: 'EIO',
    log: ['m: chip dead'],
    after: 'other',
    says: /EIO: Input\/output error.*chip dead/s,
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const { module, kernel, refusal } = inputOf(row);
    const before = predict({ module, kernel });
    t.equal(before?.cause, row.before, `foretold: ${before?.evidence.join('; ') ?? 'nothing'}`);
    if (before !== undefined) {
      t.ok(before.evidence.length > 0 && before.remedy !== undefined, 'with evidence and remedy');
      if (row.says !== undefined) t.match([...before.evidence, before.remedy].join('\n'), row.says);
    }
    if (refusal === undefined) {
      t.equal(row.after, undefined);
      t.end();
      return;
    }
    const after = diagnose({ module, kernel, refusal });
    t.equal(after.cause, row.after);
    t.equal(after.errno, refusal.errno);
    t.ok(after.evidence.length > 0, 'there is evidence');
    if (row.says !== undefined) t.match([...after.evidence, after.remedy ?? ''].join('\n'), row.says);
    t.end();
  });
}

t.test('of another machine only the file counts', (t) => {
  t.equal(predict(inputOf({ kernel: null })), undefined);
  t.equal(predict(inputOf({ kernel: null, file: { architecture: 's390' } }))?.cause, 'vermagic');
  t.end();
});

const DAMAGED: SignatureEvidence = { kind: 'damaged', why: 'cut off' };
const FOREIGN = { kind: 'namespace', namespace: 'N', symbol: 'x', provider, file: '/l.ko' } as const;

/** A kernel that does not run, of which only the configuration is known. */
const CONFIGURED: Readonly<
  Record<string, Pick<Given, 'file' | 'config'> & { readonly cause?: Cause; readonly says?: RegExp }>
> = {
  'unsigned, and it takes such': {},
  'unsigned, and CONFIG_MODULE_SIG_FORCE': {
    config: { enforces: true },
    cause: 'signature',
    says: /not signed.*CONFIG_MODULE_SIG_FORCE=y in \/boot\/config-6\.1\.0/s,
  },
  'unsigned, CONFIG_MODULE_SIG_FORCE without CONFIG_MODULE_SIG': { config: { enforces: true, verifies: false } },
  'unsigned, locked down': {
    config: { lockdown: 'integrity' },
    cause: 'lockdown',
    says: /CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY=y/,
  },
  'signed by some key, enforced': {
    file: { signature: { ...TRUSTED, trust: { kind: 'undecided' } } },
    config: { enforces: true, lockdown: 'confidentiality' },
  },
  'damaged, whatever is enforced': { file: { signature: DAMAGED }, cause: 'signature', says: /CONFIG_MODULE_SIG=y/ },
  'damaged, and nothing looks at it': { file: { signature: DAMAGED }, config: { verifies: false } },
  'of an unknown kind': { file: { signature: { kind: 'unsupported', why: 'PGP' } } },
  'of an unknown kind, enforced': {
    file: { signature: { kind: 'unsupported', why: 'PGP' } },
    config: { enforces: true },
    cause: 'signature',
  },
  'a namespace that is not imported': { file: { withheldSymbols: [FOREIGN] }, cause: 'namespace' },
  'a namespace that is not imported is a warning by configuration': {
    file: { withheldSymbols: [FOREIGN] },
    config: { allowsMissingImports: true },
  },
  'an import of a namespace of named modules, by the same configuration': {
    file: { withheldSymbols: [{ kind: 'module-import', namespace: 'module:m' }] },
    config: { allowsMissingImports: true },
    cause: 'namespace',
  },
};

for (const [name, { file, config = {}, cause, says }] of Object.entries(CONFIGURED)) {
  t.test(`configured: ${name}`, (t) => {
    const found = predict(inputOf({ ...(file === undefined ? {} : { file }), kernel: null, config }));
    t.equal(found?.cause, cause, found?.evidence.join('; ') ?? 'nothing');
    if (says !== undefined) t.match(found?.evidence.join('\n'), says);
    t.end();
  });
}
