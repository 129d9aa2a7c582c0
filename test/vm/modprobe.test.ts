/**
 * `plugd modprobe` beside Debian's on a real kernel: the same scenarios from the same state, with the same output, status,
 * loaded modules, counts and parameters.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { needCommands } from '../fixtures/commands.ts';
import { share } from '../share.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot } from './machine/machine.ts';
import { ofAnotherKernel, ofOtherSymbols } from './refused-module.ts';
import { compareScenarios, OPEN_TUN, type Scenario } from './scenario.ts';

const PARAMETERS =
  '; grep . /sys/module/loop/parameters/max_loop /sys/module/nbd/parameters/nbds_max 2>/dev/null; true';

/** Which modules were forced. */
const TAINT = '; status=$?; grep -h F /sys/module/*/taint; (exit $status)';

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a module with its dependencies',
    run: '$MODPROBE -v bridge',
    shows: /insmod .*llc\.ko \n[^]*^bridge 0 - Live/m,
  },
  { name: 'again', before: 'modprobe bridge', run: '$MODPROBE -v bridge', shows: /^stp 1 bridge, Live/m },
  { name: 'an alias', run: '$MODPROBE fs-vfat', shows: /^vfat 0/m },
  { name: 'several', run: '$MODPROBE -a -v loop nosuch vfat', shows: /status 1[^]*WARNING: Module nosuch not found/ },
  { name: 'not found', run: '$MODPROBE nosuch', shows: /FATAL: Module nosuch not found in directory \/lib\/modules/ },
  { name: 'not found, quietly', run: '$MODPROBE -q -- nosuch', shows: /^status 1/m },
  { name: 'parameters of the command line', run: `$MODPROBE -v loop max_loop=3${PARAMETERS}`, shows: /max_loop:?3/ },
  {
    name: 'parameters of everywhere, the last one counts',
    config: 'options loop max_loop=5\noptions nbd nbds_max=2 max_part=1\n',
    run: `$MODPROBE -v loop; $MODPROBE nbd nbds_max=4${PARAMETERS}`,
    shows: /max_loop:5[^]*nbds_max:4/,
  },
  {
    name: 'parameters of the kernel command line, and with quotes',
    run: `$MODPROBE -v nbd 'max_part=2'${PARAMETERS}`,
    shows: /nbds_max=3 max_part=2[^]*nbds_max:3/,
  },
  { name: 'an unknown parameter is no error', run: '$MODPROBE -v loop nope=1', shows: /^loop 0/m },
  {
    name: 'a parameter that is no number',
    run: '$MODPROBE loop max_loop=x',
    shows: /ERROR: could not insert 'loop': Invalid argument/,
  },
  { name: 'compressed with xz', run: '$MODPROBE -v tun', shows: /^tun 0/m },
  { name: 'compressed with zstd', run: '$MODPROBE veth', shows: /^veth 0/m },
  { name: 'another kernel’s module', run: '$MODPROBE dummy', shows: /could not insert 'dummy': Exec format error/ },
  { name: 'by force, which taints', run: `$MODPROBE -f dummy${TAINT}`, shows: /^FE\nstatus 0/m },
  { name: 'by a little force', run: `$MODPROBE --force-vermagic dummy${TAINT}`, shows: /^FE\nstatus 0/m },
  { name: 'by too little force', run: '$MODPROBE --force-modversion dummy', shows: /status 1/ },
  { name: 'of other symbols', run: '$MODPROBE ifb', shows: /could not insert 'ifb': Exec format error/ },
  {
    name: 'of other symbols, by the right force',
    run: `$MODPROBE --force-vermagic ifb; $MODPROBE --force-modversion ifb${TAINT}`,
    shows: /^FE\nstatus 0/m,
  },
  { name: 'a damaged dependency', run: '$MODPROBE -v 8021q', shows: /could not insert '8021q'/ },
  { name: 'without a device', run: '$MODPROBE pcspkr nosuch=1; $MODPROBE floppy', shows: /floppy/ },
  { name: 'module_blacklist=', run: '$MODPROBE msdos', shows: /could not insert 'msdos': Operation not permitted/ },
  { name: 'loaded for the first time', run: '$MODPROBE --first-time loop', shows: /^loop 0/m },
  {
    name: 'not loaded for the first time',
    before: 'modprobe bridge',
    run: '$MODPROBE --first-time bridge; $MODPROBE --first-time llc',
    shows: /could not insert 'bridge': Module already in kernel/,
  },
  {
    name: 'blacklisted by name and alias',
    config: 'blacklist vfat\n',
    run: '$MODPROBE fs-vfat; $MODPROBE -b vfat; cat /proc/modules; $MODPROBE -v vfat',
    shows: /^vfat 0/m,
  },
  {
    name: 'install commands',
    config:
      'install loop echo "$MODPROBE_MODULE" $CMDLINE_OPTS; /sbin/modprobe -i loop $CMDLINE_OPTS\noptions loop max_loop=2\ninstall vfat exit 4\n',
    run: `$MODPROBE loop max_part=1; $MODPROBE vfat; $MODPROBE -i vfat${PARAMETERS}`,
    shows: /^loop max_loop=2 max_part=1[^]*^vfat 0/m,
  },
  {
    name: 'install commands of dependencies and softdeps',
    config: 'install llc echo llc instead\nsoftdep vfat pre: loop post: nosuch tun\ninstall tun exit 1\n',
    run: '$MODPROBE bridge; $MODPROBE vfat',
    shows: /llc instead[^]*could not insert 'bridge'[^]*^loop 0/m,
  },
  {
    name: 'softdeps in cycles',
    config: 'softdep vfat pre: loop post: vfat\nsoftdep loop pre: vfat\n',
    run: '$MODPROBE -v loop',
    shows: /vfat\.ko[^]*loop\.ko/,
  },
  {
    name: 'removal with dependencies',
    before: 'modprobe bridge',
    run: '$MODPROBE -r -v bridge',
    shows: /rmmod bridge\nrmmod/,
  },
  {
    name: 'removal of what is held',
    before: 'modprobe bridge',
    run: '$MODPROBE -r llc',
    shows: /FATAL: Module llc is in use/,
  },
  {
    name: 'removal of what is held, among others',
    before: 'modprobe -a bridge loop vfat',
    run: '$MODPROBE -r -v -a llc loop; $MODPROBE -r -q stp vfat',
    shows: /WARNING: Module llc is in use[^]*/,
  },
  {
    // The holder's clean-up removes the module itself: kmod tries once more.
    name: 'removal with holders',
    before: 'modprobe bridge',
    run: '$MODPROBE -r -v --remove-holders stp',
    shows: /^rmmod bridge\nrmmod stp\nrmmod stp\n/,
    differs: /^rmmod bridge\nrmmod stp\nrmmod llc\nstatus 0\n--\n--\n$/,
  },
  {
    name: 'removal of what is not loaded',
    run: '$MODPROBE -r loop; $MODPROBE -r --first-time loop',
    shows: /Module loop is not in kernel/,
  },
  { name: 'removal of what is built in', run: '$MODPROBE -r unix', shows: /Module unix is builtin/ },
  {
    name: 'removal with softdeps and commands',
    config:
      'softdep vfat pre: loop post: tun\nremove tun echo bye $MODPROBE_MODULE; /sbin/rmmod tun\nremove nbd exit 2\n',
    before: 'modprobe -a vfat nbd',
    run: '$MODPROBE -r -v vfat; $MODPROBE -r nbd',
    shows: /bye tun[^]*Error running remove command for nbd/,
  },
  {
    name: 'removal of what is open',
    before: OPEN_TUN,
    run: '$MODPROBE -r tun; echo $?; $MODPROBE -r -f tun; kill $(cat /run/sleeper)',
    shows: /^1[^]*FATAL: Module tun is in use/,
  },
  {
    name: 'removal that waits',
    before: `modprobe tun; sleep 4 < /dev/net/tun & sleep 0.3`,
    run: '$MODPROBE -r -w 30000 tun',
    shows: /^status 0/m,
  },
  {
    name: 'dry',
    before: 'modprobe llc',
    run: '$MODPROBE -n -v bridge; $MODPROBE -D bridge; $MODPROBE -r -n -v llc',
    shows: /rmmod llc/,
  },
  {
    name: 'a builtin',
    run: '$MODPROBE -v unix; $MODPROBE -D unix; $MODPROBE --first-time unix',
    shows: /builtin unix/,
  },
  {
    name: 'MODPROBE_OPTIONS',
    config: 'install loop echo "$MODPROBE_OPTIONS"; /sbin/modprobe -i loop\n',
    run: 'MODPROBE_OPTIONS="-v" $MODPROBE -q -v loop',
    shows: /-v -q -v/,
  },
  {
    name: 'without rights',
    run: 'setpriv --reuid 1000 --regid 1000 --clear-groups $MODPROBE loop',
    shows: /Operation not permitted/,
  },
];

t.setTimeout(1_200_000);
const found = await machineImage();
const tools = await needCommands(['xz', 'zstd']);
const skip = found.kind === 'missing' ? found.sentence : tools.kind === 'missing' ? tools.sentence : false;

t.test('modprobe on a real kernel', { skip }, async (t) => {
  const image = found as Image;
  const source = join(image.tree.root, 'lib/modules', image.tree.kernel);
  const dep = readFileSync(join(source, 'modules.dep'), 'latin1');
  const relative = (module: string) => new RegExp(`^(\\S*/${module}\\.ko):`, 'm').exec(dep)?.[1] ?? '';
  const file = (module: string) => readFileSync(join(source, relative(module)));
  const place = (module: string) => `usr/lib/modules/${image.tree.kernel}/${relative(module)}`;
  const through = (command: string, args: readonly string[], module: string) =>
    execFileSync(command, args, { input: file(module), maxBuffer: 1 << 26 });
  await using machine = await boot(image, {
    lifetime: 1_200_000,
    append: 'nbd.nbds_max=3 module_blacklist=msdos',
    files: {
      [place('tun')]: through('xz', ['-c', '--check=crc32'], 'tun'),
      [place('veth')]: through('zstd', ['-c'], 'veth'),
      [place('dummy')]: ofAnotherKernel(file('dummy'), image.tree.kernel),
      [place('ifb')]: ofOtherSymbols(file('ifb')),
      [place('garp')]: file('garp').subarray(0, 4096),
    },
  });
  await compareScenarios(t, machine, share(SCENARIOS, 3));

  // kmod 30 is not asked: it waits on and on.
  await t.test('removal that waits in vain', async (t) => {
    await machine.output('sh', ['-c', OPEN_TUN]);
    const ended = await machine.run('plugd', ['modprobe', '-r', '-v', '-w', '50', 'tun']);
    t.same([ended.status, ended.stdout], [1, 'rmmod tun\n']);
    t.equal(ended.stderr, "modprobe: ERROR: could not remove 'tun': Resource temporarily unavailable\n");
    t.ok((await machine.modules()).includes('tun'));
    await machine.output('sh', ['-c', 'kill $(cat /run/sleeper)']);
  });

  await t.test('under its own name', async (t) => {
    await machine.output('ln', ['-s', '/usr/lib/node_modules/plugd/dist/plugd.cjs', '/run/modprobe']);
    t.equal((await machine.run('/run/modprobe', ['-R', 'fs-vfat'])).stdout, 'vfat\n');
  });

  await t.test('an install command that leads back to itself ends', async (t) => {
    const loop = 'echo "install loop plugd modprobe loop" > /etc/modprobe.d/test.conf; plugd modprobe loop';
    const ended = await machine.shell(loop, { timeout: 300_000 });
    t.equal(ended.status, 1);
    t.match(ended.stderr, /it leads back to itself \(modprobe -i in it would not\)/);
  });
});
