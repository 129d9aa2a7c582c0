import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VERSION } from '../../../agent/base/version.ts';
import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import { readParts } from '../../../agent/explain/doctor/installed-parts.ts';
import { testChecks, type HealthRow } from './health-rig.ts';

const root = join(import.meta.dirname, '../../../..');
const unit = (version: string) => `[Unit]\nDescription=x\n\n# Why.\n[X-Plugd]\nVersion=${version}\n`;

t.test('the units that plugd ships are of its version', (t) => {
  const units = readdirSync(join(root, 'systemd')).filter((name) => name.endsWith('.service'));
  t.equal(units.length, 3);
  const shipped = units.map((name) => [name, readFileSync(join(root, 'systemd', name), 'utf8')]);
  const base = t.testdir({ etc: { systemd: { system: Object.fromEntries(shipped) as Record<string, string> } } });
  t.same(readParts(base, '/sbin/modprobe', VERSION), { units: 3, others: [] });
  t.end();
});

t.test('what is of another version', (t) => {
  const base = t.testdir({
    etc: { systemd: { system: { 'plugd.service': unit('0.0.9') } } },
    usr: {
      lib: {
        systemd: {
          system: {
            'plugd.service': unit(VERSION),
            'plugd-settle.service': '[Service]\nVersion=0.1.0\n',
            'plugd-dkms.service': unit(VERSION),
          },
        },
      },
    },
  });
  t.same(readParts(base, '/opt/plugd/native/build/Release/plugd-request', '0.2.0'), {
    units: 3,
    others: [
      '/etc/systemd/system/plugd.service is of plugd 0.0.9',
      '/usr/lib/systemd/system/plugd-settle.service is of a plugd that names no version',
      'kernel.modprobe is the helper of another plugd: /opt/plugd/native/build/Release/plugd-request',
      'the running agent is plugd 0.2.0',
    ],
  });
  t.same(readParts(t.testdir({}), undefined, undefined), { units: 0, others: [] });
  t.end();
});

const ROWS: readonly HealthRow[] = [
  ['parts', { parts: undefined }, undefined],
  ['parts', { parts: { units: 0, others: [] } }, 'ok', /^no units are installed/],
  ['parts', { parts: { units: 2, others: [] } }, 'ok', /^2 units of plugd \d/],
  [
    'parts',
    { parts: { units: 2, others: ['a'] } },
    'warning',
    /^1 part of another version .*\na\ninstall the units again/,
  ],
];
testChecks(KERNEL_CHECKS, ROWS);
