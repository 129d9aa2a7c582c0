import type { Problem } from '../../../agent/base/problem.ts';
import type { IdleRule } from '../../../agent/explain/doctor/health.ts';
import { RULE_CHECKS } from '../../../agent/explain/doctor/health-rules.ts';
import { testChecks, type HealthRow } from './health-rig.ts';

const line = (number: number): Problem => ({
  file: 'a.conf',
  line: number,
  column: 1,
  severity: 'error',
  code: 'malformed',
  message: 'bad',
});
const idle = (more: Partial<IdleRule> = {}): IdleRule => ({
  place: { file: 'a.conf', line: 1 },
  text: 'blacklist x',
  why: 'why',
  suggestion: undefined,
  harmless: false,
  ...more,
});
const loose = (path: string, who: 'everyone' | 'owner') => ({ path, who, uid: 7 });

const ROWS: readonly HealthRow[] = [
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
  ['configuration', {}, 'ok', /^every line can be understood/],
  [
    'configuration',
    { configuration: [line(1), line(2)] },
    'wrong',
    /^2 lines of configuration do not count, or not as meant\na.conf:1:1: bad\na.conf:2:1: bad\ncorrect them/,
  ],
  ['configuration', { configuration: [line(1)] }, 'wrong', /^1 line of configuration does not count/],
  ['idle-rules', {}, 'ok', /^none$/m],
  [
    'idle-rules',
    { idleRules: [idle(), idle({ suggestion: 'nouveau' })] },
    'warning',
    /^2 rules without effect\na.conf:1: blacklist x: why\na.conf:1: blacklist x: why; did you mean nouveau\?\ncorrect or remove/,
  ],
  [
    'idle-rules',
    { idleRules: [idle({ harmless: true, hidden: true })] },
    'ok',
    /^none; 1 file hidden by another of that name\na.conf:1: /,
  ],
  [
    'idle-rules',
    { idleRules: [idle(), idle({ harmless: true }), idle({ harmless: true }), idle({ harmless: true, hidden: true })] },
    'warning',
    /^1 rule without effect; 2 rules for modules that this tree does not have; 1 file hidden by another of that name\n(a.conf.*\n){2}correct/,
  ],
  ['permissions', {}, 'ok', /^only root may change rules and modules/],
  [
    'permissions',
    { loose: [loose('/a', 'owner'), loose('/b', 'everyone'), loose('/c', 'everyone')] },
    'wrong',
    /^everyone may change 2 files .*\n\/b\n\/c\nchmod o-w \/b$/,
  ],
  ['permissions', { root: '/image', loose: [loose('/image/b', 'everyone')] }, 'wrong', /^everyone may change 1 file /],
  ['permissions', { loose: [loose('/a', 'owner')] }, 'warning', /^1 file .*\n\/a \(user 7\)\nchown root/],
];
testChecks(RULE_CHECKS, ROWS);
