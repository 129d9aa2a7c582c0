/** The facts of a machine that is well, and tables of what checks find where something differs. */
import t from 'tap';
import type { KernelEvidence } from '../../../agent/diagnosis/evidence.ts';
import type { Check, HealthFacts, HealthState } from '../../../agent/explain/doctor/health.ts';
import { FULL_PRIVILEGES } from '../../fixtures/confinement/privileges.ts';

/** A kernel that takes every module. */
export const LIVE: KernelEvidence = {
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

/** A machine on which no check finds anything. */
export const WELL: HealthFacts = {
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
  outOfTree: [],
  ownFiles: [],
  enforced: false,
  configuration: [],
  idleRules: [],
  loose: [],
  udevd: { running: true, loads: { file: '/lib/udev/rules.d/80-drivers.rules', line: 5 } },
  agent: false,
  firmwareFolders: ['/lib/firmware'],
  firmware: [],
  waiting: [],
  securityfs: true,
  vouching: new Set(['.builtin_trusted_keys', '.secondary_trusted_keys', '.machine']),
};

/** What differs in the kernel. */
export const live = (change: Partial<KernelEvidence>): Partial<HealthFacts> => ({ live: { ...LIVE, ...change } });

/** The check, what is different, the state (undefined: it does not apply), what it says. */
export type HealthRow = readonly [
  check: string,
  facts: Partial<HealthFacts>,
  state: HealthState | undefined,
  says?: RegExp,
];

/** Tests each row with the check of its name, which must be among `checks`. */
export function testChecks(checks: readonly Check[], rows: readonly HealthRow[]): void {
  rows.forEach(([id, change, state, says], i) => {
    t.test(`${i} ${id}: ${state ?? 'does not apply'}`, (t) => {
      const check = checks.find((each) => each.id === id);
      const finding = check?.run({ ...WELL, ...change });
      t.ok(check, 'there is such a check');
      t.equal(finding?.state, state);
      if (says !== undefined)
        t.match([finding?.summary, ...(finding?.evidence ?? []), finding?.remedy].join('\n'), says);
      if (state === 'wrong') t.ok(finding?.remedy, 'what is wrong has a remedy');
      t.end();
    });
  });
}
