import type { ModuleName } from '../../../agent/base/names.ts';
import type { KernelEvidence } from '../../../agent/diagnosis/evidence.ts';
import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import { live, LIVE, testChecks, type HealthRow } from './health-rig.ts';

const mayOnly = (change: Partial<KernelEvidence['privileges']>) =>
  live({ privileges: { ...LIVE.privileges, ...change } });
const NO_MODULE = { ...LIVE.privileges.capabilities, SYS_MODULE: false };
const config = (value: string | undefined) => ({ file: '/boot/config', value: () => value });

const ROWS: readonly HealthRow[] = [
  ['module-support', live({ moduleSupport: false }), 'wrong', /without loadable modules/],
  ['module-support', { live: undefined }, undefined],
  ['module-support', { live: undefined, config: config('y') }, 'ok', /CONFIG_MODULES=y/],
  ['module-support', { live: undefined, config: config(undefined) }, 'wrong', /built without modules/],
  ['modules-disabled', live({ modulesDisabled: true }), 'wrong', /until reboot/],
  ['modules-disabled', live({ moduleSupport: false }), undefined],
  ['privileges', mayOnly({ uid: 1000, capabilities: NO_MODULE }), 'unknown', /not root/],
  ['privileges', mayOnly({ capabilities: NO_MODULE }), 'wrong', /^root here lacks CAP_SYS_MODULE$/m],
  ['privileges', mayOnly({ capabilities: NO_MODULE, sysModuleBounded: false }), 'wrong', /bounding set/],
  ['privileges', mayOnly({ initialUserNamespace: false }), 'wrong', /user namespace/],
  ['privileges', mayOnly({ seccomp: 'filter' }), 'ok', /seccomp/],
  ['uevents', mayOnly({ initialUserNamespace: false }), 'wrong', /rootless/],
  ['uevents', mayOnly({ initialNetworkNamespace: false }), 'warning', /network namespace/],
  ['uevents', mayOnly({ initialNetworkNamespace: undefined }), 'unknown'],
  ['taint', { taints: undefined }, 'unknown'],
  [
    'taint',
    { taints: [{ bit: 12, letter: 'O', meaning: 'out of tree', modules: ['zfs' as ModuleName] }] },
    'ok',
    /^tainted: O\nO: out of tree \(zfs\)/,
  ],
  ['taint', { taints: [{ bit: 7, letter: 'D', meaning: 'died', modules: [] }] }, 'warning', /tainted: D/],
];
testChecks(KERNEL_CHECKS, ROWS);
