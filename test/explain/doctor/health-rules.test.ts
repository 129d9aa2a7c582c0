import { RULE_CHECKS } from '../../../agent/explain/doctor/health-rules.ts';
import { testChecks, type HealthRow } from './health-rig.ts';

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
];
testChecks(RULE_CHECKS, ROWS);
