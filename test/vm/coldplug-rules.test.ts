/** Coldplug under rules and with damaged files, on a real kernel: it reports what is blocked, changed or broken, and serves the rest. */
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { needCommands } from '../fixtures/commands.ts';
import type { ColdplugRun, ModuleRecord } from '../../agent/records/coldplug-run.ts';
import { kitchenSink } from './machine/devices.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot } from './machine/machine.ts';

const CONFIG = `blacklist e1000
blaklist e1000e
options e1000e copybreak=99
install pcspkr /bin/touch /run/asked-for-$MODPROBE_MODULE $CMDLINE_OPTS
options pcspkr /run/with-options
softdep nvme pre: loop
`;

t.setTimeout(1_200_000);
const found = await machineImage();
const tools = await needCommands(['xz', 'zstd']);
const skip = found.kind === 'missing' ? found.sentence : tools.kind === 'missing' ? tools.sentence : false;

t.test('rules and damage', { skip }, async (t) => {
  const image = found as Image;
  // In the machine /lib is a link to usr/lib.
  const directory = `usr/lib/modules/${image.tree.kernel}`;
  const source = join(image.tree.root, 'lib/modules', image.tree.kernel);
  const dep = readFileSync(join(source, 'modules.dep'), 'latin1');
  const relative = (module: string) => {
    const path = new RegExp(`^(\\S*/${module}\\.ko):`, 'm').exec(dep)?.[1];
    if (path === undefined) throw new Error(`${module} is not in modules.dep`);
    return path;
  };
  const pathOf = (module: string) => `${directory}/${relative(module)}`;
  const file = (module: string) => readFileSync(join(source, relative(module)));
  const through = (command: string, module: string) =>
    execFileSync(command, ['-c'], { input: file(module), maxBuffer: 1 << 26 });
  const aliases = readFileSync(join(source, 'modules.alias.bin'));
  await using machine = await boot(image, {
    devices: kitchenSink(),
    append: 'module_blacklist=i2c_i801 usbhid.mousepoll=7',
    files: {
      'etc/modprobe.d/test.conf': CONFIG,
      [pathOf('e1000e')]: through('xz', 'e1000e'),
      [pathOf('vmxnet3')]: through('zstd', 'vmxnet3'),
      [pathOf('pcnet32')]: gzipSync(file('pcnet32')),
      [pathOf('8139cp')]: 'this is no kernel module\n'.repeat(50),
      [pathOf('8139too')]: file('8139too').subarray(0, 4096),
      // Half an index: its text stands in for it.
      [`${directory}/modules.alias.bin`]: aliases.subarray(0, aliases.length >> 1),
    },
  });
  await machine.output('rm', [`/${pathOf('e100')}`]);
  const ended = await machine.run('plugd', ['coldplug', '--json', '--chart', '/run/chart.svg'], { timeout: 300_000 });
  t.equal(ended.stderr, '');
  t.equal(ended.status, 1, 'modules failed');
  const run = JSON.parse(ended.stdout) as ColdplugRun;
  const loaded = await machine.modules();
  const of = (name: string): ModuleRecord | undefined => run.modules.find(({ module }) => (module as string) === name);
  const parameter = async (path: string) => (await machine.output('cat', [`/sys/module/${path}`])).trim();

  t.match(
    run.blocked.find(({ module }) => (module as string) === 'e1000'),
    { kind: 'blacklisted', place: { file: '/etc/modprobe.d/test.conf', line: 1 } },
  );
  t.notOk(loaded.includes('e1000'), 'blacklisted');
  t.match(
    run.blocked.find(({ module }) => (module as string) === 'i2c_i801'),
    { kind: 'kernel-blacklisted' },
  );
  t.notOk(loaded.includes('i2c_i801'), 'module_blacklist=');
  t.match(
    run.problems.find(({ file: name }) => name === '/etc/modprobe.d/test.conf'),
    { line: 2, column: 1, message: /blaklist/ },
  );
  t.match(
    run.problems.find(({ file: name }) => name.endsWith('modules.alias.bin')),
    { message: /modules\.alias is used instead/ },
  );

  t.equal(await parameter('e1000e/parameters/copybreak'), '99', 'options of a file');
  t.equal(await parameter('usbhid/parameters/mousepoll'), '7', 'options of the kernel command line');
  t.match(of('pcspkr'), { result: 'command' });
  t.match(
    await machine.output('ls', ['/run']),
    /asked-for-pcspkr[^]*with-options/,
    'the install command ran, with its options',
  );
  t.notOk(loaded.includes('pcspkr'), 'instead of an insertion');
  t.match(of('loop'), { result: 'inserted', why: 'softdep-pre' });
  t.ok((of('loop')?.endedMs ?? Infinity) <= (of('nvme')?.startedMs ?? 0), 'a softdep comes first');

  for (const [module, compression] of Object.entries({ e1000e: 'xz', vmxnet3: 'zstd', pcnet32: 'gzip' })) {
    t.match(of(module), { result: 'inserted' }, `a module compressed with ${compression}`);
    t.ok(loaded.includes(module));
  }
  t.match(of('8139cp'), { result: 'failed', cause: 'corrupt', errno: 8 }, 'a file that is no module');
  t.match(of('8139too'), { result: 'failed', cause: 'corrupt', errno: 8 }, 'a truncated module');
  t.match(
    of('e100'),
    { result: 'failed', cause: 'missing-file', errno: 2 },
    'a file that modules.dep names and that is not there',
  );
  const failed = run.modules.filter(({ result, cause }) => result === 'failed' && cause !== 'no-device');
  t.same(failed.map(({ module }) => module as string).toSorted(), ['8139cp', '8139too', 'e100'], 'nothing else failed');
  for (const module of ['virtio_net', 'nvme', 'ahci', 'usb_storage', 'snd_hda_intel', 'hid_generic']) {
    t.ok(loaded.includes(module), `${module} is served`);
  }
  t.match(await machine.output('cat', ['/run/chart.svg']), /^<svg [^]*critical path: .+ → [^]*<\/svg>\n$/);

  const text = await machine.run('sh', ['-c', 'COLUMNS=80 exec plugd coldplug -v'], { timeout: 300_000 });
  t.match(text.stdout, /^ {2}blocked +2 /m);
  t.match(text.stdout, /e100 +missing-file \(ENOENT\)/);
  const wide = text.stdout
    .split('\n')
    .filter((line) => line.length > 80 && !line.startsWith('/') && /\S \S/.test(line));
  t.same(wide, [], 'only problems, with their places, and a path alone are wider than 80 columns');

  await machine.output('sh', ['-c', 'echo 1 > /proc/sys/kernel/modules_disabled']);
  const off = await machine.run('plugd', ['coldplug']);
  t.match(off.stderr, /modules_disabled is 1/);
  t.equal(off.status, 1);
});
