import t from 'tap';
import type { ModuleName } from '../../../agent/base/names.ts';
import type { KernelEvidence } from '../../../agent/diagnosis/evidence.ts';
import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import { RULE_CHECKS } from '../../../agent/explain/doctor/health-rules.ts';
import { healthText } from '../../../agent/report/health-text.ts';
import { FIRMWARE_CHECK, TREE_CHECKS } from '../../../agent/explain/doctor/health-tree.ts';
import type { HealthFacts, HealthState } from '../../../agent/explain/doctor/health.ts';
import { FULL_PRIVILEGES } from '../../fixtures/privileges.ts';

const LIVE: KernelEvidence = {
  release: '6.1.3',
  moduleSupport: true,
  modulesDisabled: false,
  lockdown: 'none',
  signatureEnforced: false,
  secureBoot: 'off',
  keyrings: [
    {
      name: '.builtin_trusted_keys',
      count: 1,
      keys: [{ subject: 'Debian', id: 'aabbccddeeff00112233', type: 'X509.rsa' }],
    },
  ],
  privileges: FULL_PRIVILEGES,
};
const WELL: HealthFacts = {
  root: '',
  kernel: '6.1.3',
  moduleDir: '/lib/modules/6.1.3',
  live: LIVE,
  running: '6.1.3',
  releases: ['6.1.3'],
  config: undefined,
  secureBoot: { state: 'off', validationDisabled: false, mokPending: [] },
  taints: [],
  helper: { path: '/sbin/modprobe', there: true },
  tree: { modules: 4023, missing: [], unlisted: [], newer: [], unreadable: [], problems: [] },
  configuration: [],
  idleRules: [],
  loose: [],
  udevd: { running: true, loads: { file: '/lib/udev/rules.d/80-drivers.rules', line: 5 } },
  agent: false,
  firmwareFolders: ['/lib/firmware'],
  firmware: [],
  waiting: [],
  securityfs: true,
};
const ALL = [...KERNEL_CHECKS, ...TREE_CHECKS, FIRMWARE_CHECK, ...RULE_CHECKS];
const live = (change: Partial<KernelEvidence>): Partial<HealthFacts> => ({ live: { ...LIVE, ...change } });
const mayOnly = (change: Partial<KernelEvidence['privileges']>) =>
  live({ privileges: { ...LIVE.privileges, ...change } });
const NO_MODULE = { ...LIVE.privileges.capabilities, SYS_MODULE: false };
const config = (value: string | undefined) => ({ file: '/boot/config', value: () => value });
const secure = (change: Partial<HealthFacts['secureBoot']>) => ({ secureBoot: { ...WELL.secureBoot, ...change } });
const firmware = (missing: string[], failed: string[] = []) => ({
  firmware: [{ module: 'iwlwifi' as ModuleName, named: 2, missing, failed }],
});

/** The check, what is different, the state (undefined: it does not apply), what it says. */
const ROWS: ReadonlyArray<
  readonly [check: string, facts: Partial<HealthFacts>, state: HealthState | undefined, says?: RegExp]
> = [
  ['module-support', live({ moduleSupport: false }), 'wrong', /no module support/],
  ['module-support', { live: undefined }, undefined],
  ['module-support', { live: undefined, config: config('y') }, 'ok', /CONFIG_MODULES=y/],
  ['module-support', { live: undefined, config: config(undefined) }, 'wrong', /built without modules/],
  ['modules-disabled', live({ modulesDisabled: true }), 'wrong', /until reboot/],
  ['modules-disabled', live({ moduleSupport: false }), undefined],
  ['privileges', mayOnly({ uid: 1000, capabilities: NO_MODULE }), 'unknown', /not root/],
  ['privileges', mayOnly({ capabilities: NO_MODULE }), 'wrong', /without CAP_SYS_MODULE$/m],
  ['privileges', mayOnly({ capabilities: NO_MODULE, sysModuleBounded: false }), 'wrong', /bounding set/],
  ['privileges', mayOnly({ initialUserNamespace: false }), 'wrong', /user namespace/],
  ['privileges', mayOnly({ seccomp: 'filter' }), 'ok', /seccomp/],
  ['uevents', mayOnly({ initialUserNamespace: false }), 'wrong', /rootless/],
  ['uevents', mayOnly({ initialNetworkNamespace: false }), 'warning', /network namespace/],
  ['uevents', mayOnly({ initialNetworkNamespace: undefined }), 'unknown'],
  ['lockdown', live({ lockdown: 'integrity' }), 'ok', /^integrity: only modules signed/],
  ['lockdown', live({ lockdown: undefined }), 'ok', /has no lockdown/],
  ['lockdown', { ...live({ lockdown: undefined }), securityfs: false }, 'unknown', /mount -t securityfs/],
  ['secure-boot', secure({ state: 'on' }), 'ok', /^on$/m],
  ['secure-boot', secure({ state: 'on', validationDisabled: true }), 'ok', /not to verify/],
  ['secure-boot', secure({ state: 'setup-mode' }), 'warning', /setup mode/],
  ['secure-boot', secure({ state: 'unknown' }), 'unknown', /efivarfs/],
  ['secure-boot', secure({ state: 'no-efi' }), 'ok', /not started by EFI/],
  ['sig-enforce', live({ signatureEnforced: true }), 'ok', /only modules signed/],
  ['sig-enforce', live({ signatureEnforced: undefined }), 'ok', /does not check signatures/],
  ['keyrings', {}, 'ok', /^\.builtin_trusted_keys 1\n.*Debian \(aabbccddeeff0011\)/],
  [
    'keyrings',
    live({ signatureEnforced: true, keyrings: [{ name: '.platform', count: 3, keys: undefined }] }),
    'wrong',
    /no key can be seen: \.platform 3/,
  ],
  [
    'mok-pending',
    secure({ state: 'on', mokPending: ['enroll', 'delete'] }),
    'warning',
    /enrolled and a key to be deleted/,
  ],
  ['mok-pending', secure({ state: 'no-efi' }), undefined],
  ['taint', { taints: undefined }, 'unknown'],
  [
    'taint',
    { taints: [{ bit: 12, letter: 'O', meaning: 'out of tree', modules: ['zfs' as ModuleName] }] },
    'ok',
    /^tainted: O\nO: out of tree \(zfs\)/,
  ],
  ['taint', { taints: [{ bit: 7, letter: 'D', meaning: 'died', modules: [] }] }, 'warning', /tainted: D/],
  ['kernel-requests', { helper: undefined }, 'unknown'],
  ['kernel-requests', { helper: { path: '', there: false } }, 'wrong', /switched off/],
  [
    'kernel-requests',
    { helper: { path: '/sbin/gone', there: false } },
    'wrong',
    /would start \/sbin\/gone, which is not there/,
  ],
  ['udevd', {}, 'ok', /^udevd \(.*80-drivers.rules:5\); plugd's agent does not run/],
  ['udevd', { agent: true }, 'warning', /asked for twice/],
  ['udevd', { agent: true, udevd: { running: true, loads: undefined } }, 'ok', /^plugd's agent/],
  ['udevd', { udevd: { running: true, loads: undefined } }, 'warning', /nobody/],
  ['devices', { waiting: ['pci 0000:00:02.0: e1000e'] }, 'warning', /^1 device for which/],
  [
    'module-tree',
    { tree: undefined, releases: ['6.1.4'] },
    'wrong',
    /^running 6\.1\.3, on disk only 6\.1\.4: nothing can load until reboot/,
  ],
  [
    'module-tree',
    { tree: undefined, releases: ['6.1.4', '6.2'], root: '/image', running: undefined, live: undefined },
    'wrong',
    /only for 6\.1\.4 and 6\.2/,
  ],
  ['module-tree', { tree: undefined, releases: [] }, 'wrong', /nor for any other/],
  ['module-tree', { ...live({ moduleSupport: false }), tree: undefined, releases: [] }, 'ok', /none could be loaded/],
  [
    'tree-complete',
    { tree: { ...(WELL.tree as NonNullable<HealthFacts['tree']>), missing: ['a', 'b', 'c', 'd', 'e', 'f'] } },
    'wrong',
    /^6 modules of modules.dep have no file\na\nb\nc\nd\ne\nand 1 more/,
  ],
  ['tree-complete', { tree: undefined }, undefined],
  [
    'indexes',
    { tree: { ...(WELL.tree as NonNullable<HealthFacts['tree']>), unlisted: ['extra/x.ko'] } },
    'wrong',
    /1 module is not in modules.dep[^]*depmod 6\.1\.3/,
  ],
  [
    'indexes',
    { root: '/image', tree: { ...(WELL.tree as NonNullable<HealthFacts['tree']>), newer: ['x.ko'] } },
    'warning',
    /depmod -b \/image 6\.1\.3/,
  ],
  [
    'indexes',
    {
      tree: {
        ...(WELL.tree as NonNullable<HealthFacts['tree']>),
        problems: [
          { file: 'modules.dep.bin', line: 0, column: 0, severity: 'error', code: 'damaged', message: 'cut off' },
        ],
      },
    },
    'wrong',
    /modules.dep.bin: cut off/,
  ],
  ['firmware', firmware([]), 'ok', /1 module in use/],
  ['firmware', firmware(['a.bin']), 'ok', /at least one of its own/],
  ['firmware', firmware(['a.bin', 'b.bin']), 'warning', /iwlwifi: a.bin, b.bin/],
  ['firmware', firmware(['a.bin'], ['a.bin']), 'wrong', /the kernel did not find a.bin/],
  ['firmware', { ...firmware(['a.bin', 'b.bin']), firmwareFolders: [] }, 'warning', /there is no \/lib\/firmware/],
  [
    'configuration',
    {
      configuration: [
        { file: 'a.conf', line: 3, column: 1, severity: 'error', code: 'malformed', message: 'a word is missing' },
      ],
    },
    'wrong',
    /a.conf:3:1: a word is missing/,
  ],
  [
    'idle-rules',
    {
      idleRules: [
        {
          place: { file: 'a.conf', line: 1 },
          text: 'blacklist x',
          why: 'there is no module x',
          suggestion: undefined,
          harmless: true,
        },
      ],
    },
    'ok',
    /none; 1 rule for modules/,
  ],
  ['idle-rules', { tree: undefined }, undefined],
  ['permissions', { loose: [{ path: '/etc/modprobe.d', who: 'owner', uid: 7 }] }, 'warning', /\(user 7\)/],
  ['permissions', { root: '/image', loose: [{ path: '/image/etc/modprobe.d', who: 'owner', uid: 7 }] }, 'ok'],
];

ROWS.forEach(([id, change, state, says], i) => {
  t.test(`${i} ${id}: ${state ?? 'does not apply'}`, (t) => {
    const check = ALL.find((each) => each.id === id);
    const finding = check?.run({ ...WELL, ...change });
    t.ok(check, 'there is such a check');
    t.equal(finding?.state, state);
    if (says !== undefined) t.match([finding?.summary, ...(finding?.evidence ?? []), finding?.remedy].join('\n'), says);
    if (state === 'wrong') t.ok(finding?.remedy, 'what is wrong has a remedy');
    t.end();
  });
});

t.test('a machine that is well', (t) => {
  const results = ALL.flatMap((check) => {
    const finding = check.run(WELL);
    return finding === undefined ? [] : [{ id: check.id, title: check.title, ...finding }];
  });
  t.same(
    results.filter(({ state }) => state !== 'ok'),
    [],
  );
  t.equal(new Set(ALL.map(({ id }) => id)).size, ALL.length, 'each check has an id of its own');
  const text = healthText('Linux 6.1.3', results, { colour: false, width: 80 }, true);
  t.match(text, new RegExp(`^${results.length} checks: 0 wrong, 0 warnings$`, 'm'));
  t.same(
    text.split('\n').filter((line) => line.length > 80),
    [],
  );
  // Colours add nothing but themselves.
  const coloured = healthText('Linux 6.1.3', results, { colour: true, width: 80 }, true);
  t.not(coloured, text);
  t.equal(coloured.replaceAll(/\u001B\[\d+m/g, ''), text);
  t.end();
});
