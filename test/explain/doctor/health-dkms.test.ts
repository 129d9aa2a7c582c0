import { TREE_CHECKS } from '../../../agent/explain/doctor/health-tree.ts';
import type { ModuleReadiness, Readiness } from '../../../agent/dkms/tree/readiness.ts';
import { testChecks } from './health-rig.ts';

/** A module's state with the kernel, and the kernels that have it. */
const of = (name: string, readiness: Readiness, ...elsewhere: readonly string[]): ModuleReadiness => ({
  module: { name, version: '1.0' },
  readiness,
  elsewhere,
  ...(readiness === 'failed' ? { log: `/var/lib/dkms/${name}/1.0/build/make.log` } : {}),
});

testChecks(TREE_CHECKS, [
  ['out-of-tree', { outOfTree: [] }, undefined],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'installed'), of('b', 'installed')] },
    'ok',
    /2 modules of dkms, all installed/,
  ],
  ['out-of-tree', { outOfTree: [of('a', 'not-built')] }, 'ok', /1 of 1 module of dkms is not installed for 6\.1\.3/],
  ['out-of-tree', { outOfTree: [of('a', 'not-built', '6.1.0')] }, 'wrong', /a\/1\.0: not built; 6\.1\.0 has it/],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'no-headers', '6.1.0')] },
    'wrong',
    /install the headers of 6\.1\.3, then dkms/,
  ],
  ['out-of-tree', { outOfTree: [of('a', 'failed')] }, 'warning', /plugd dkms log a\/1\.0 shows why/],
  [
    'out-of-tree',
    { outOfTree: [of('a', 'failed', '6.0')] },
    'wrong',
    /its build failed: \/var\/lib\/dkms\/a\/1\.0\/build\/make\.log/,
  ],
  ['out-of-tree', { outOfTree: [of('a', 'broken')] }, 'warning', /its sources are missing/],
  ['out-of-tree', { outOfTree: [of('a', 'older', '6.0')] }, 'ok', /another version than the newest/],
  ['out-of-tree', { outOfTree: [of('a', 'built', '6.0')] }, 'wrong', /built, but not installed/],
]);
