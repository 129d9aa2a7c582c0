import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { noteUpgrade, takeUpgradeNote } from '../../../agent/dkms/tree/rpm-lock.ts';

const MODULE = { name: 'demo', version: '1.0' };

t.test('the note of an rpm that upgrades', async (t) => {
  const dir = t.testdir({});
  t.notOk(takeUpgradeNote(dir, MODULE), 'no note');
  noteUpgrade(dir, MODULE);
  const [file = ''] = readdirSync(dir);
  t.match(file, /^dkms_rpm_safe_upgrade_lock\.\d+\.[0-9a-f]{6}$/);
  t.match(readFileSync(`${dir}/${file}`, 'utf8'), /^demo-1\.0\n\d+\n$/, 'the module, and when the rpm began');
  t.notOk(takeUpgradeNote(dir, { name: 'demo', version: '2.0' }), 'another version');
  t.ok(takeUpgradeNote(dir, MODULE));
  t.notOk(takeUpgradeNote(dir, MODULE), 'once only');
});

t.test('a note of a process that had the same number before', async (t) => {
  const dir = t.testdir({});
  noteUpgrade(dir, MODULE);
  const [file = ''] = readdirSync(dir);
  writeFileSync(`${dir}/${file}`, 'demo-1.0\n1\n');
  t.notOk(takeUpgradeNote(dir, MODULE));
});
