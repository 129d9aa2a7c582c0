import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { moduleName } from '../../../agent/base/names.ts';
import { findModuleUsers } from '../../../agent/facts/kernel/module-users.ts';
import { readProcModules } from '../../../agent/facts/kernel/proc-modules.ts';

t.test('who uses a module', (t) => {
  const base = t.testdir({});
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  };
  const link = (path: string, target: string) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    symlinkSync(target, join(base, path));
  };
  put(
    'proc/self/mountinfo',
    [
      '22 27 0:21 / /proc rw,nosuid - proc proc rw',
      '36 35 8:1 / /data\\040disk rw,noatime shared:1 - ext4 /dev/sda1 rw',
      '37 35 0:44 / /mnt rw - vfat /dev/sdb1 rw',
      'nonsense',
      '',
    ].join('\n'),
  );
  // /dev/null stands for a device of the module: its number is the same everywhere.
  const { rdev } = statSync('/dev/null');
  put('sys/devices/virtual/rtc/rtc0/dev', '1:3');
  link(`sys/dev/char/1:3`, '../../devices/virtual/rtc/rtc0');
  link('sys/devices/virtual/rtc/driver', '../../../bus/platform/drivers/rtc');
  link('sys/bus/platform/drivers/rtc/module', '../../../../module/rtc_cmos');
  put('sys/devices/pci/sda/sda1/dev', '8:1');
  link('sys/dev/block/8:1', '../../devices/pci/sda/sda1');
  link('sys/devices/pci/driver', '../../bus/pci/drivers/ahci');
  link('sys/bus/pci/drivers/ahci/module', '../../../../module/ahci');
  put('proc/4711/comm', 'hwclock\n');
  for (const fd of [0, 3, 4]) link(`proc/4711/fd/${fd}`, '/dev/null');
  link('proc/4711/fd/5', 'socket:[1234]');
  link('proc/4711/fd/6', '/dev/plugd-missing');
  put('proc/meminfo', '');
  const find = (module: string, aliases: readonly string[] = []) =>
    findModuleUsers({ sysfs: join(base, 'sys'), proc: join(base, 'proc'), module: moduleName(module), aliases });

  t.ok(existsSync('/dev/null') && rdev === 0x103);
  t.same(find('ext4'), [{ kind: 'mount', place: '/data disk', type: 'ext4' }], 'a file system of its name');
  t.same(find('msdos', ['fs-vfat']), [{ kind: 'mount', place: '/mnt', type: 'vfat' }], 'a file system of its alias');
  t.same(find('ahci'), [{ kind: 'mount', place: '/data disk', type: 'ext4' }], 'the disk below');
  t.same(find('rtc_cmos'), [{ kind: 'process', pid: 4711, command: 'hwclock', device: '/dev/null' }], 'a device, once');
  const byNumber = [{ kind: 'process', pid: 4711, command: 'hwclock', device: '/dev/null' }];
  t.same(find('mem', ['devname:null', 'char-major-1-3']), byNumber, 'a device by an alias with its numbers');
  t.same(find('mem', ['char-major-1-*']), byNumber, 'a device by an alias with a wildcard');
  t.same(find('mem', ['char-major-1-33', 'block-major-1-3', 'char-major-1', 'devname:null']), []);
  t.same(
    find('loop', ['block-major-8-*']),
    [{ kind: 'mount', place: '/data disk', type: 'ext4' }],
    'a mount of a device by an alias',
  );
  t.same(find('other'), []);
  t.same(findModuleUsers({ sysfs: '/nowhere', proc: '/nowhere', module: moduleName('x'), aliases: [] }), []);
  t.end();
});

t.test('/proc/modules', (t) => {
  const proc = t.testdir({ modules: 'e1000e 315392 0 - Live 0x0\nmii 16384 1 r8169, Live 0x0\nodd\n\n' });
  t.same(readProcModules(proc), [
    { name: 'e1000e', size: 315392 },
    { name: 'mii', size: 16384 },
    { name: 'odd', size: Number.NaN },
  ]);
  t.throws(() => readProcModules(join(proc, 'none')), {
    code: 'no-module-support',
    message: /could not open .*\/none\/modules: No such file/,
  });
  t.end();
});
