/** plugd-lite on a real kernel: a coldplug beside Debian's systemd-udevd, and inserting and removing beside kmod. */
import t from 'tap';
import { plugdLite } from '../native/plugd-lite.ts';
import { GuestAgent } from './agent/agent.ts';
import { kitchenSink } from './machine/devices.ts';
import { machineImage, type Image } from './machine/image.ts';
import { boot, type Machine } from './machine/machine.ts';
import { RESET } from './scenario.ts';
import { udevdModules } from './udevd.ts';

t.setTimeout(1_200_000);
const lite = await plugdLite();
const found = lite.kind === 'missing' ? lite : await machineImage();
const skip = found.kind === 'missing' ? found.sentence : false;

/** What `plugd-lite coldplug --json` must hold for this test. */
interface Result {
  readonly modules: ReadonlyArray<{
    readonly module: string;
    readonly result: string;
    readonly why: string;
    readonly requester: { readonly by?: string };
  }>;
  readonly kernelRequests?: { readonly received: number };
  readonly unsettled?: readonly string[];
}

async function start(image: Image, devices: readonly string[] = []): Promise<Machine> {
  const [program, helper] = lite.kind === 'ready' ? [lite.program, lite.helper] : ['', ''];
  return boot(image, {
    devices,
    files: {
      'usr/bin/plugd-lite': { from: program, mode: 0o755 },
      'usr/bin/plugd-request': { from: helper, mode: 0o755 },
    },
  });
}

t.test('a coldplug loads what systemd-udevd loads', { skip }, async (t) => {
  const udevd = await udevdModules(found as Image);
  await using machine = await start(found as Image, kitchenSink());
  const ended = await machine.run('plugd-lite', ['coldplug', '--json', '--timeout=3000'], { timeout: 3_000_000 });
  t.equal(ended.status, 0, ended.stderr);
  const result = JSON.parse(ended.stdout) as Result;
  t.equal(result.unsettled, undefined, 'it settled');
  const own = await machine.modules();
  t.comment(`plugd-lite ${(ended.wallMs / 1000).toFixed(2)} s, ${own.length} modules, ${ended.maxRssKiB} KiB`);
  t.same(
    udevd.filter((module) => !own.includes(module)),
    [],
    'every module that udevd loads',
  );
  t.same(
    own.filter((module) => !udevd.includes(module)),
    [],
    'and no other',
  );
  t.ok(ended.maxRssKiB <= 12 * 1024, `${ended.maxRssKiB} KiB`);
  const inserted = result.modules.filter(({ result: end }) => end === 'inserted');
  t.ok(inserted.length > 50, `${inserted.length} inserted by it`);
  t.ok((result.kernelRequests?.received ?? 0) > 0, `it answers the kernel: ${JSON.stringify(result.kernelRequests)}`);

  const asked = await machine.run('plugd-lite', ['modprobe', 'vfat']);
  t.equal(asked.status, 0, asked.stderr);
  const agent = await GuestAgent.start(machine);
  const log = async (module: string) =>
    JSON.parse(await machine.output('plugd', ['log', '--json', module])) as Record<string, unknown>;
  const target = result.modules.find(
    ({ result: end, why, requester }) => end === 'inserted' && why === 'target' && requester.by === undefined,
  );
  t.match(await log(target?.module ?? ''), { by: 'device', early: 'coldplug', device: /^\/devices\// });
  t.match(await log('vfat'), { by: 'command', name: 'vfat', early: 'modprobe' });
  t.match(
    await machine.output('plugd', ['why', 'fat']),
    /dependency of vfat ← modprobe vfat; by modprobe before the agent/,
  );
  await agent.stop();
});

/** In the shell; `$BY` is a program's begin. What it writes, its status and what is loaded then is compared. */
const LINES: Readonly<Record<string, string>> = {
  'a module with what it needs': '$BY modprobe -v vfat',
  'a module that is there': '$BY modprobe vfat && $BY modprobe -v vfat',
  'a parameter': '$BY modprobe loop max_loop=3; cat /sys/module/loop/parameters/max_loop',
  'a wrong parameter': '$BY modprobe loop max_loop=x',
  'an unknown name': '$BY modprobe nosuch',
  'a module and its dependencies go': '$BY modprobe vfat && $BY modprobe -r -v vfat',
  'a module in use stays': '$BY modprobe bridge && $BY rmmod llc',
  'a file': '$BY insmod $(/sbin/modinfo -n loop)',
  'without what it needs': '$BY insmod $(/sbin/modinfo -n bridge)',
  'an install line': "echo 'install tun echo for $MODPROBE_MODULE' > /etc/modprobe.d/t.conf; $BY modprobe tun",
  'without rights': 'setpriv --reuid 1000 --regid 1000 --clear-groups $BY modprobe loop',
};

/** What these lines load, with what it needs. */
const MODULES = ['vfat', 'fat', 'loop', 'bridge', 'stp', 'llc', 'tun'];

t.test('inserting and removing as kmod does', { skip }, async (t) => {
  const small = await machineImage({ modules: MODULES });
  if (small.kind === 'missing') throw new Error(small.sentence);
  await using machine = await start(small);
  for (const [rule, value] of [
    ['programs laid out at random', '2'],
    ['norandmaps', '0'],
  ] as const) {
    await machine.output('sh', ['-c', `echo ${value} > /proc/sys/kernel/randomize_va_space`]);
    t.equal((await machine.run('plugd-lite', ['--uses-heap-copy'])).status, 0, `the heap copy serves: ${rule}`);
  }
  await machine.output('sh', ['-c', `echo 'name=$1; shift; exec /sbin/$name "$@"' > /run/kmod`]);
  const outcome = async (line: string, by: string) => {
    await machine.output('sh', ['-c', `${RESET}; rm -f /etc/modprobe.d/t.conf`]);
    const ended = await machine.shell(`${line}\necho status $?`, { env: { BY: by } });
    const modules = await machine.output('sh', ['-c', "cut -d ' ' -f 1,3,4 /proc/modules | sort"]);
    return `${ended.stdout}--\n${ended.stderr}--\n${modules}`;
  };
  for (const [rule, line] of Object.entries(LINES)) {
    const theirs = await outcome(line, 'sh /run/kmod');
    t.equal(await outcome(line, 'plugd-lite'), theirs, rule);
  }
});
