/**
 * `plugd modprobe` beside Debian's on a real kernel: the same scenarios from the same state, with the same output, status,
 * loaded modules, counts and parameters.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { needCommands } from '../fixtures/commands.ts';
import { machineImage, type Image } from './image.ts';
import { boot, type Machine } from './machine.ts';

/** What is done, in the shell; $MODPROBE is one or the other. What it writes, and the state it leaves, is compared. */
interface Scenario {
  readonly name: string;
  /** /etc/modprobe.d/test.conf. */
  readonly config?: string;
  /** Before, with kmod's tools. */
  readonly before?: string;
  readonly run: string;
  /** What must be in the outcome, so that it shows that something was done. */
  readonly shows: RegExp;
  /** plugd's outcome, where README's table of differences has one. */
  readonly differs?: RegExp;
}

const PARAMETERS =
  '; grep . /sys/module/loop/parameters/max_loop /sys/module/nbd/parameters/nbds_max 2>/dev/null; true';

const OPEN_TUN = 'modprobe tun; sleep 60 < /dev/net/tun &';

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
  { name: 'by force', run: '$MODPROBE -f dummy', shows: /status 0/ },
  { name: 'by a little force', run: '$MODPROBE --force-vermagic dummy', shows: /status 0/ },
  { name: 'by too little force', run: '$MODPROBE --force-modversion dummy', shows: /status 1/ },
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
    name: 'softdeps in circles',
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
    before: `${OPEN_TUN} echo $! > /run/sleeper; sleep 0.3`,
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

const RESET = `for round in 1 2 3 4; do
  for module in $(cut -d ' ' -f 1 /proc/modules); do rmmod "$module" 2>/dev/null; done
done; cat /proc/modules`;

t.setTimeout(900_000);
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
    lifetime: 900_000,
    append: 'nbd.nbds_max=3 module_blacklist=msdos',
    files: {
      [place('tun')]: through('xz', ['-c', '--check=crc32'], 'tun'),
      [place('veth')]: through('zstd', ['-c'], 'veth'),
      [place('dummy')]: ofAnotherKernel(file('dummy'), image.tree.kernel),
      [place('garp')]: file('garp').subarray(0, 4096),
    },
  });
  for (const scenario of SCENARIOS) {
    // oxlint-disable-next-line no-await-in-loop
    const theirs = await outcome(machine, scenario, '/sbin/modprobe');
    // oxlint-disable-next-line no-await-in-loop
    const ours = await outcome(machine, scenario, 'plugd modprobe');
    t.match(theirs, scenario.shows, `modprobe: ${scenario.name}`);
    if (scenario.differs === undefined) t.equal(ours, theirs, `plugd modprobe: ${scenario.name}`);
    else t.match(ours, scenario.differs, `plugd modprobe: ${scenario.name}`);
  }

  // kmod 30 is not asked: it waits on and on.
  await t.test('removal that waits in vain', async (t) => {
    await machine.output('sh', ['-c', `${OPEN_TUN} echo $! > /run/sleeper; sleep 0.3`]);
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

/** All that can be compared: what was written, the status, and /proc/modules without sizes and addresses. */
async function outcome(
  machine: Machine,
  { config = '', before = 'true', run }: Scenario,
  modprobe: string,
): Promise<string> {
  const left = await machine.output('sh', ['-c', RESET]);
  if (left !== '') throw new Error(`still loaded: ${left}`);
  await machine.output('sh', ['-c', 'printf %s "$0" > /etc/modprobe.d/test.conf', config]);
  await machine.output('sh', ['-c', before]);
  const ended = await machine.shell(`${run}\necho status $?`, { env: { MODPROBE: modprobe } });
  const modules = await machine.output('sh', ['-c', "cut -d ' ' -f 1,3,4,5 /proc/modules | sort"]);
  const errors = ended.stderr.replaceAll(/\.\.\/libkmod\/\S+ \S+\(\) /g, '');
  return `${ended.stdout}--\n${errors}--\n${modules}`;
}

/** The module with another kernel's version magic, and without the signature that no longer fits. */
function ofAnotherKernel(image: Buffer, kernel: string): Buffer {
  // With symbol versions the kernel passes over the release; the words behind it count.
  const magic = `vermagic=${kernel} `;
  image.write('UMP', image.indexOf(magic, 0, 'latin1') + magic.length, 'latin1');
  const mark = image.lastIndexOf('~Module signature appended~');
  if (mark < 0) return image;
  const size = image.readUInt32BE(mark - 4);
  return image.subarray(0, mark - 12 - size);
}
