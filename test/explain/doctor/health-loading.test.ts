import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import { testChecks, type HealthRow } from './health-rig.ts';

const ROWS: readonly HealthRow[] = [
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
];
testChecks(KERNEL_CHECKS, ROWS);
