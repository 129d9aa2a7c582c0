import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { moduleName } from '../../../agent/base/names.ts';
import { LoadedModules } from '../../../agent/facts/kernel/loaded-modules.ts';
import { readNetlinkQueue } from '../../../agent/facts/uevents/netlink-queue.ts';

const folder = mkdtempSync(join(tmpdir(), 'plugd-loaded-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const host = openHost({ sysfs: join(folder, 'sys'), proc: join(folder, 'proc') });

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
const modules = (...lines: string[]) =>
  write('proc/modules', lines.map((line) => `${line} 0x0000000000000000\n`).join(''));
const e1000e = moduleName('e1000e');
const slow = moduleName('slow');

t.test('states follow what is heard, and one on its way is looked at again', (t) => {
  modules('e1000e 315392 0 - Live');
  const loaded = new LoadedModules(host);
  t.same([...loaded.names()], ['e1000e']);
  t.equal(loaded.state(e1000e), 'live');
  t.equal(loaded.state(slow), undefined);
  t.equal(loaded.came(slow), false, 'announced by somebody while its init refused, heard when it was gone');
  t.equal(loaded.state(slow), undefined);
  write('sys/module/slow/initstate', 'coming\n');
  t.equal(loaded.came(slow), true);
  t.equal(loaded.came(slow), false, 'announced again');
  t.equal(loaded.state(slow), 'coming');
  write('sys/module/slow/initstate', 'live\n');
  t.equal(loaded.state(slow), 'live');
  write('sys/module/slow/initstate', 'going\n');
  t.equal(loaded.state(slow), 'live', 'a live one is believed until it is heard to go');
  t.equal(loaded.came(e1000e), false);
  t.equal(loaded.state(e1000e), 'live');
  loaded.gone(e1000e);
  t.equal(loaded.state(e1000e), undefined);
  loaded.live(e1000e);
  t.equal(loaded.state(e1000e), 'live');
  t.end();
});

t.test('refresh tells what was not heard', (t) => {
  modules('a 1 0 - Live', 'b 1 0 - Live');
  const loaded = new LoadedModules(host);
  modules('b 1 0 - Live', 'c 1 0 - Loading');
  t.same(loaded.refresh(), { came: ['c'], gone: ['a'] });
  t.same(loaded.refresh(), { came: [], gone: [] });
  t.equal(loaded.state(moduleName('c')), 'coming');
  rmSync(join(folder, 'proc/modules'));
  t.same(loaded.refresh(), { came: [], gone: ['b', 'c'] });
  t.end();
});

t.test('the queue of one uevent socket', (t) => {
  write(
    'proc/net/netlink',
    [
      'sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode',
      '00000000e9374bd6 0   1234       00000000 0        0        0     2        5        4       ',
      '000000005673da18 15  1234       00000001 768      0        0     2        37       1590    ',
      '00000000be841059 15  -2008350052 00000001 0        0        0     2        3        1592    ',
    ].join('\n'),
  );
  t.same(readNetlinkQueue(host.proc, 1234), { bytes: 768, drops: 37 });
  t.same(readNetlinkQueue(host.proc, 2286617244), { bytes: 0, drops: 3 }, 'a port id above 2^31');
  t.equal(readNetlinkQueue(host.proc, 99), 'none');
  t.equal(readNetlinkQueue(join(folder, 'nowhere'), 1234), undefined);
  t.end();
});
