import t from 'tap';
import type { Devpath, ModuleName } from '../../agent/base/names.ts';
import { BlockedModules } from '../../agent/load/blocked-modules.ts';
import type { BlockedRecord } from '../../agent/records/coldplug-run.ts';

const MOST = 4096;

function record(kind: BlockedRecord['kind'], devpath = '/devices/a', rest: Partial<BlockedRecord> = {}): BlockedRecord {
  const requester = { devpath: devpath as Devpath, subsystem: 'pci', name: 'pci:v1' };
  return { module: 'nic' as ModuleName, kind, reason: 'a line', requester, ...rest };
}

const ROWS: Record<string, readonly [first: BlockedRecord, second: BlockedRecord, isNews: boolean]> = {
  'the same again is no news': [record('blacklisted'), record('blacklisted'), false],
  'a rule of modprobe.d is reported once for all devices': [record('blacklisted'), record('blacklisted', '/b'), false],
  'what the policy denies is reported once for each device': [record('denied'), record('denied', '/b'), true],
  'and once for the same device': [record('denied'), record('denied'), false],
  'a denied request without a device is reported once': [record('denied', ''), record('denied', ''), false],
  'another reason is news': [record('blacklisted'), record('blacklisted', '/devices/a', { reason: 'other' }), true],
  'another module is news': [
    record('blacklisted'),
    record('blacklisted', '/devices/a', { module: 'x' as ModuleName }),
    true,
  ],
  'another kind is news': [record('missing-module'), record('cycle'), true],
};
for (const [name, [first, second, isNews]] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const blocked = new BlockedModules();
    t.equal(blocked.add(first), true);
    t.equal(blocked.add(second), isNews);
    t.same(blocked.records, isNews ? [first, second] : [first]);
    t.end();
  });
}

t.test('a device that comes back is reported again, and no other', (t) => {
  const blocked = new BlockedModules();
  for (const devpath of ['/a', '/b']) blocked.add(record('denied', devpath));
  blocked.add(record('blacklisted', '/a'));
  blocked.deviceGone('/a' as Devpath);
  blocked.deviceGone('/never-seen' as Devpath);
  t.equal(blocked.add(record('denied', '/b')), false);
  t.equal(blocked.add(record('denied', '/a')), true);
  t.equal(blocked.add(record('blacklisted', '/a')), false, 'a rule of modprobe.d still holds');
  t.end();
});

t.test('what is denied without a device is forgotten with no device', (t) => {
  const blocked = new BlockedModules();
  blocked.add(record('denied', ''));
  blocked.deviceGone('' as Devpath);
  t.equal(blocked.add(record('denied', '')), false);
  t.end();
});

t.test('new rules are reported from the beginning', (t) => {
  const blocked = new BlockedModules();
  const both = [record('denied'), record('blacklisted')];
  for (const one of both) blocked.add(one);
  blocked.clear();
  t.same(blocked.records, []);
  t.same(
    both.map((one) => blocked.add(one)),
    [true, true],
  );
  t.end();
});

t.test('memory is bounded: the oldest records go, and forgotten ones are reported again', (t) => {
  const blocked = new BlockedModules();
  const one = (i: number) => record('blacklisted', '/devices/a', { reason: String(i) });
  for (let i = 0; i < MOST; i++) blocked.add(one(i));
  t.equal(blocked.add(one(0)), false);
  t.equal(blocked.add(one(MOST)), true);
  t.equal(blocked.add(one(MOST)), true, 'no key is left for it');
  t.equal(blocked.records.length, MOST);
  t.equal(blocked.records[0]?.reason, '2');
  t.equal(blocked.records.at(-1)?.reason, String(MOST));
  t.end();
});
