/**
 * A kernel that decompresses modules itself: plugd hands it the files as they are, and decompresses what it cannot. Which call
 * was made, the kernel's tracer tells.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { needCommands } from '../fixtures/commands.ts';
import { debianCloudTree, type DebianTree } from '../fixtures/debian.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot } from './machine/machine.ts';
import { compareScenarios, RESET } from './scenario.ts';

t.setTimeout(1_200_000);
const cloud = await debianCloudTree();
const found = cloud.kind === 'missing' ? cloud : await machineImage({ tree: cloud });
const tools = await needCommands(['xz', 'zstd']);
const missing = [found, tools].find((part) => part.kind === 'missing');

t.test('a kernel that decompresses', { skip: missing?.kind === 'missing' && missing.sentence }, async (t) => {
  const tree = cloud as DebianTree;
  const modules = join(tree.root, 'lib/modules', tree.kernel);
  const dep = readFileSync(join(modules, 'modules.dep'), 'latin1');
  const dummy = readFileSync(join(modules, /^(\S+\/dummy\.ko\.xz):/m.exec(dep)?.[1] ?? ''));
  const through = (command: string, args: readonly string[], input: Buffer) =>
    execFileSync(command, args, { input, maxBuffer: 1 << 26 });
  const plain = through('xz', ['-dc'], dummy);
  await using machine = await boot(found as Image, {
    lifetime: 1_200_000,
    files: {
      'odd/dummy.ko.xz': dummy,
      'odd/crc64.ko.xz': through('xz', ['-c', '--check=crc64'], plain),
      'odd/dummy.ko.zst': through('zstd', ['-cq'], plain),
      'odd/dummy.ko': plain,
      'odd/damaged.ko.xz': Buffer.concat([dummy.subarray(0, 2000), Buffer.alloc(dummy.length - 2000)]),
    },
  });
  t.equal(machine.kernel, tree.kernel);
  t.equal(await machine.output('cat', ['/sys/module/compression']), 'xz\n');

  await compareScenarios(t, machine, [
    {
      name: 'modprobe',
      run: '$MODPROBE -v bridge; $MODPROBE -r -v bridge',
      shows: /llc\.ko\.xz \n[^]*bridge\.ko\.xz \n/,
    },
    {
      name: 'insmod',
      run: '$BY insmod /odd/dummy.ko.xz numdummies=2; ls /sys/class/net',
      shows: /dummy1\n[^]*^dummy 0/m,
    },
    { name: 'insmod of CRC64', run: '$BY insmod /odd/crc64.ko.xz', shows: /^dummy 0/m },
    { name: 'insmod of zstd', run: '$BY insmod /odd/dummy.ko.zst', shows: /^dummy 0/m },
    {
      name: 'depmod',
      run: '$BY depmod && cd /lib/modules/* && md5sum $(ls -p | grep -v "/\\|weakdep")',
      shows: /modules\.dep$/m,
    },
  ]);

  const calls = await machine.shell(
    'mount -t tracefs none /sys/kernel/tracing && cd /sys/kernel/tracing && echo 1 | tee events/syscalls/sys_enter_finit_module/enable events/syscalls/sys_enter_init_module/enable',
  );
  t.equal(calls.status, 0, calls.stderr);
  const rows: ReadonlyArray<readonly [name: string, line: string, status: number, calls: readonly string[]]> = [
    ['the kernel decompresses', 'plugd insmod /odd/dummy.ko.xz', 0, ['finit_module 4']],
    ['by force', 'plugd insmod -f /odd/dummy.ko.xz', 0, ['finit_module 7']],
    ['nothing to decompress', 'plugd insmod /odd/dummy.ko', 0, ['finit_module 0']],
    ['another compression than its own', 'plugd insmod /odd/dummy.ko.zst', 0, ['init_module']],
    ['what it cannot decompress', 'plugd insmod /odd/crc64.ko.xz', 0, ['finit_module 4', 'init_module']],
    ['what nobody can', 'plugd insmod /odd/damaged.ko.xz', 1, ['finit_module 4']],
    ['modprobe', 'plugd modprobe dummy', 0, ['finit_module 4']],
  ];
  for (const [name, line, status, expected] of rows) {
    await machine.output('sh', ['-c', RESET]);
    await machine.output('sh', ['-c', 'echo > /sys/kernel/tracing/trace']);
    const ended = await machine.shell(line);
    t.equal(ended.status, status, `${name}: ${ended.stderr}`);
    const trace = await machine.output('cat', ['/sys/kernel/tracing/trace']);
    const made = [...trace.matchAll(/sys_(f?init_module)\(.*?(?:flags: (\w+))?\)/g)];
    t.same(
      made.map(([, call, flags]) => (flags === undefined ? call : `${call} ${flags}`)),
      expected,
      name,
    );
  }
});
