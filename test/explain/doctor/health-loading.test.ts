import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import { live, testChecks, type HealthRow } from './health-rig.ts';

const LOADS = { file: '/lib/udev/rules.d/80-drivers.rules', line: 5 };

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
  ['kernel-requests', {}, 'ok', /^go to \/sbin\/modprobe/],
  ['kernel-requests', live({ moduleSupport: false }), undefined],
  ['kernel-requests', { live: undefined }, undefined],
  [
    'udevd',
    { agent: true, udevd: { running: true, loads: undefined }, pending: ['/p:1: after boot deny x'] },
    'warning',
    /1 rule of its policy is not in force/,
  ],
  ['udevd', { udevd: { running: false, loads: LOADS }, agent: true }, 'ok', /^plugd's agent/],
  [
    'udevd',
    { udevd: { running: false, loads: LOADS } },
    'warning',
    /^nobody: neither udevd nor plugd .*\nstart the agent/,
  ],
  [
    'udevd',
    { ...live({ moduleSupport: false }), udevd: { running: false, loads: undefined } },
    'ok',
    /^nobody, and nothing can be loaded/,
  ],
  ['udevd', { live: undefined }, undefined],
  ['devices', {}, 'ok', /^none that a module here could drive/],
  ['devices', { waiting: ['a', 'b'] }, 'warning', /^2 devices for which .*\na\nb\nplugd coldplug loads them/],
  ['devices', { ...live({ moduleSupport: false }), waiting: ['a'] }, 'warning', /\na\n$/],
  ['devices', { live: undefined, waiting: ['a'] }, undefined],
];
testChecks(KERNEL_CHECKS, ROWS);
