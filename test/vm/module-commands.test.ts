/** insmod, rmmod and lsmod, and a tree of compressed modules, beside Debian's commands on a real kernel. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { needCommands } from '../fixtures/commands.ts';
import { share } from '../share.ts';
import type { GuestFiles, Image } from './machine/image.ts';
import { machineImage } from './machine/image.ts';
import { boot } from './machine/machine.ts';
import { ofAnotherKernel, ofOtherSymbols } from './refused-module.ts';
import { compareScenarios, OPEN_TUN, RESET, type Scenario } from './scenario.ts';

/** The path of a module: `$(of loop)`. */
const OF = 'of() { /sbin/modinfo -n "$1"; }; ';

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'insmod with parameters',
    run: `${OF}$BY insmod $(of loop) max_loop=3 max_part=1; s=$?; grep . /sys/module/loop/parameters/max_*; (exit $s)`,
    shows: /max_loop:3\n[^]*max_part:1\nstatus 0[^]*^loop 0/m,
  },
  { name: 'insmod again', run: `${OF}$BY insmod $(of loop); $BY insmod $(of loop)`, shows: /loop\.ko: File exists\n/ },
  {
    name: 'insmod without what it needs',
    run: `${OF}$BY insmod $(of bridge)`,
    shows: /could not insert module \S+bridge\.ko: Unknown symbol in module\n/,
  },
  { name: 'insmod of a relative path', run: `${OF}cd $(dirname $(of loop)); $BY insmod loop.ko`, shows: /^loop 0/m },
  { name: 'insmod of a wrong parameter', run: `${OF}$BY insmod $(of loop) max_loop=x`, shows: /Invalid parameters/ },
  { name: 'insmod of xz', run: '$BY insmod /odd/tun.ko.xz', shows: /^tun 0/m },
  { name: 'insmod of zstd', run: '$BY insmod /odd/veth.ko.zst', shows: /^veth 0/m },
  {
    name: "insmod of another kernel's module",
    run: '$BY insmod /odd/dummy.ko',
    shows: /could not insert module \/odd\/dummy\.ko: Invalid module format/,
  },
  {
    name: 'insmod by force, which taints',
    run: '$BY insmod -f /odd/dummy.ko && $BY insmod -f /odd/ifb.ko; cat /sys/module/dummy/taint /sys/module/ifb/taint',
    shows: /^FE\nFE\nstatus 0/,
  },
  {
    name: 'insmod without rights',
    run: `${OF}setpriv --reuid 1000 --regid 1000 --clear-groups $BY insmod $(of loop)`,
    shows: /Operation not permitted/,
  },
  { name: 'rmmod', before: 'modprobe -a loop vfat', run: '$BY rmmod -v loop vfat', shows: /^status 0\n--\n--\nfat 0/m },
  {
    name: 'rmmod of a path',
    before: 'modprobe loop',
    run: `${OF}$BY rmmod $(of loop)`,
    shows: /^status 0\n--\n--\n$/m,
  },
  {
    name: 'rmmod of what is not loaded, builtin or nothing',
    run: '$BY rmmod loop; $BY rmmod unix; $BY rmmod nosuch; $BY rmmod',
    shows: /Module loop is not currently loaded\n[^]*Module unix is builtin\.\n[^]*missing module name/,
  },
  {
    name: 'rmmod of what is held, and of others',
    before: 'modprobe -a bridge loop',
    run: '$BY rmmod llc loop',
    shows: /Module llc is in use by: .*\n/,
  },
  {
    name: 'rmmod by force',
    before: 'modprobe loop',
    run: '$BY rmmod -f loop; $BY rmmod --force loop',
    shows: /could not remove module loop: No such file or directory/,
  },
  {
    name: 'rmmod of what a process has open',
    before: OPEN_TUN,
    run: '$BY rmmod tun; s=$?; kill $(cat /run/sleeper); (exit $s)',
    shows: /^status 1\n--\nrmmod: ERROR: Module tun is in use\n/m,
    differs: /^status 1\n--\nrmmod: ERROR: Module tun is in use \(process \d+ sleep has \/dev\/net\/tun open\)\n/m,
  },
  {
    name: 'rmmod of what is mounted',
    before: 'mkdir -p /run/a /run/b /run/c; mount -t overlay -o lowerdir=/run/a:/run/b none /run/c',
    run: '$BY rmmod overlay; s=$?; umount /run/c; (exit $s)',
    shows: /^status 1\n--\nrmmod: ERROR: Module overlay is in use\n/m,
    differs: /^status 1\n--\nrmmod: ERROR: Module overlay is in use \(mounted: \/run\/c \(overlay\)\)\n/m,
  },
  {
    name: 'rmmod without rights',
    before: 'modprobe loop',
    run: 'setpriv --reuid 1000 --regid 1000 --clear-groups $BY rmmod loop',
    shows: /could not remove module loop: Operation not permitted/,
  },
  { name: 'lsmod of nothing', run: '$BY lsmod', shows: /^Module {18}Size {2}Used by\nstatus 0/ },
  {
    name: 'lsmod',
    before: `modprobe -a bridge vfat nf_conntrack nft_ct ext4 btrfs snd_hda_intel e1000e usb_storage loop; ${OPEN_TUN}`,
    run: '$BY lsmod; kill $(cat /run/sleeper)',
    shows: /^llc {20}\d+ {2}2 (bridge,stp|stp,bridge)$/m,
  },
  {
    name: 'modinfo of the running kernel',
    run: '$BY modinfo -n loop; $BY modinfo -F parm loop; $BY modinfo -F license unix',
    shows: /loop\.ko\n[^]*max_loop/,
  },
  {
    name: 'a compressed tree',
    run: '$BY depmod -b /xz; $BY modprobe -d /xz -v bridge; $BY modprobe -d /xz -r -v bridge; $BY modinfo -b /xz -n llc; cd /xz/lib/modules/*; md5sum $(ls | grep -v weakdep)',
    shows: /insmod \/xz\/\S+\/llc\.ko\.xz \ninsmod \S+\/stp\.ko\.zst \n[^]*rmmod stp/,
  },
];

t.setTimeout(1_200_000);
const found = await machineImage();
const tools = await needCommands(['xz', 'zstd']);
const skip = found.kind === 'missing' ? found.sentence : tools.kind === 'missing' ? tools.sentence : false;

t.test('the commands for single modules on a real kernel', { skip }, async (t) => {
  const image = found as Image;
  const source = join(image.tree.root, 'lib/modules', image.tree.kernel);
  const dep = readFileSync(join(source, 'modules.dep'), 'latin1');
  const relative = (module: string) => new RegExp(`^(\\S*/${module}\\.ko):`, 'm').exec(dep)?.[1] ?? '';
  const file = (module: string) => readFileSync(join(source, relative(module)));
  const packed = (module: string, ending: 'xz' | 'zst' | 'gz') => {
    if (ending === 'gz') return gzipSync(file(module));
    const [command, ...args] = ending === 'xz' ? ['xz', '-c', '--check=crc32'] : ['zstd', '-cq'];
    return execFileSync(command ?? '', args, { input: file(module), maxBuffer: 1 << 26 });
  };
  const tree = (base: string, modules: Readonly<Record<string, 'xz' | 'zst' | 'gz'>>): GuestFiles =>
    Object.fromEntries(
      Object.entries(modules).map(([module, ending]) => [
        `${base}/lib/modules/${image.tree.kernel}/kernel/${basename(relative(module))}.${ending}`,
        packed(module, ending),
      ]),
    );
  await using machine = await boot(image, {
    lifetime: 1_200_000,
    files: {
      'odd/tun.ko.xz': packed('tun', 'xz'),
      'odd/veth.ko.zst': packed('veth', 'zst'),
      'odd/dummy.ko': ofAnotherKernel(file('dummy'), image.tree.kernel),
      'odd/ifb.ko': ofOtherSymbols(file('ifb')),
      ...tree('xz', { llc: 'xz', stp: 'zst', bridge: 'xz' }),
      ...tree('gz', { llc: 'gz', stp: 'gz', bridge: 'gz' }),
    },
  });
  await compareScenarios(t, machine, share(SCENARIOS, 3));

  // Debian's kmod cannot read these.
  await machine.output('sh', ['-c', RESET]);
  const gz = await machine.shell(
    'plugd depmod -b /gz && plugd modprobe -d /gz -v bridge && plugd modprobe -d /gz -r bridge',
  );
  t.equal(gz.status, 0, gz.stderr);
  t.match(gz.stdout, /llc\.ko\.gz \n[^]*bridge\.ko\.gz \n/, 'a tree of .ko.gz');
});
