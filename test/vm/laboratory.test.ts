/**
 * The failure laboratory: each way in which a module can be refused, made for real, asked about before (`plugd test`) and
 * diagnosed after (`plugd test --insert`). Three boots: a plain kernel, one that enforces signatures, one that is locked down.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ColdplugRun } from '../../agent/records/coldplug-run.ts';
import type { Investigation } from '../../agent/records/investigation.ts';
import { isOfSchema } from '../schemas.ts';
import { needCommands } from '../fixtures/commands.ts';
import { ofMachine, replaceBytes, signedByStranger, withWrongVersion } from '../fixtures/faulty-module.ts';
import { buildModule } from '../fixtures/kernel-module.ts';
import { plugdLite } from '../native/plugd-lite.ts';
import { share } from '../share.ts';
import { GuestAgent } from './agent/agent.ts';
import { machineImage, type GuestFiles, type Image } from './machine/image.ts';
import { boot, type Machine } from './machine/machine.ts';

/** Its init returns what a parameter says, and it needs a symbol that the test can remove. */
const SOURCE = `
#include <linux/delay.h>
#include <linux/module.h>
static int answer;
module_param(answer, int, 0444);
MODULE_PARM_DESC(answer, "the errno that init answers");
static int __init lab_init(void)
{
	if (answer < 0)
		msleep_interruptible(-answer);
	return -answer;
}
static void __exit lab_exit(void) {}
module_init(lab_init);
module_exit(lab_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Answers what it is told");
`;

/** A verdict with its cause: `failed vermagic`, `would-insert`. */
type Outcome = string;

interface Case {
  readonly name: string;
  /** A line of the shell before, and one after. */
  readonly before?: string;
  readonly after?: string;
  /** What is asked about. */
  readonly word: string;
  /** How plugd is run: `plugd` is replaced by this. */
  readonly as?: string;
  readonly predicted: Outcome;
  /** What `--insert` finds; undefined where it is not tried. */
  readonly happened?: Outcome;
  readonly errno?: string;
  /** What the story before and after must say. */
  readonly says?: RegExp;
  readonly saysBefore?: RegExp;
  /** What it must not say. */
  readonly never?: RegExp;
}

/** The driver of the machine's virtio device is loaded, and not bound to it. */
const UNBOUND =
  'modprobe virtio_pci; if [ -e /sys/bus/pci/devices/0000:00:03.0/driver ]; then echo 0000:00:03.0 > /sys/bus/pci/drivers/virtio-pci/unbind; fi';

t.setTimeout(3_000_000);
const found = await machineImage();
const lite = await plugdLite();
const tools = await needCommands(['openssl']);
const lab = found.kind === 'ready' ? await buildModule(found.tree, 'lab', SOURCE) : found;
const missing = [found, tools, lab].find((each) => each.kind === 'missing');
const skip = missing?.kind === 'missing' ? missing.sentence : false;

function outcome({ verdict, cause }: Investigation): Outcome {
  return cause === undefined ? verdict : `${verdict} ${cause}`;
}

const isInvestigation = isOfSchema('test');

async function ask(machine: Machine, line: string): Promise<Investigation> {
  const ended = await machine.shell(line);
  try {
    const answer: unknown = JSON.parse(ended.stdout);
    if (!isInvestigation(answer)) throw new Error(`not of its schema: ${JSON.stringify(isInvestigation.errors)}`);
    return answer as Investigation;
  } catch {
    throw new Error(`${line}: status ${ended.status}\n${ended.stdout}${ended.stderr}`);
  }
}

/** Of the shell: remembers which modules are loaded; removes those that came since, the newest first. */
const REMEMBER = "cut -d' ' -f1 /proc/modules > /tmp/loaded";
const REMOVE = "for m in $(cut -d' ' -f1 /proc/modules); do grep -qx $m /tmp/loaded || rmmod $m; done";

const KEPT_OUT = /^(failed|denied|blacklisted|no-match|no-modalias)/;

/** plugd-lite must answer as plugd does. */
async function compareLite(t: Test, machine: Machine, line: string, own: Investigation): Promise<void> {
  if (lite.kind === 'missing') return;
  const theirs = await ask(machine, line.replace(/(^|\s)plugd /, '$1plugd-lite '));
  t.same(nameless(theirs), nameless(own), `plugd-lite: ${line.includes('--insert') ? 'happened' : 'foretold'}`);
}

/** Without the name of the process, which the kernel's log has. */
function nameless(answer: Investigation): unknown {
  return JSON.parse(
    JSON.stringify(answer).replaceAll(/(?<=Lockdown: )(node|plugd-lite|plugd):/g, 'PROGRAM:'),
  ) as unknown;
}

/** Asks before and, if the case has it, inserts: both explanations must end as the case says. */
async function run(t: Test, machine: Machine, each: Case): Promise<void> {
  const { word, predicted, happened, as = 'plugd' } = each;
  await machine.output('sh', ['-c', [each.before ?? ':', REMEMBER].join('; ')]);
  try {
    const before = await ask(machine, `${as} test --json '${word}'`);
    await compareLite(t, machine, `${as} test --json '${word}'`, before);
    const told = [before.reason, ...before.evidence, before.remedy ?? ''].join('\n');
    t.equal(outcome(before), predicted, `foretold: ${told.replaceAll('\n', ' | ')}`);
    if (KEPT_OUT.test(before.verdict)) t.ok(before.remedy, 'there is a remedy');
    if (each.saysBefore !== undefined) t.match(told, each.saysBefore);
    if (happened === undefined) {
      if (each.says !== undefined) t.match(told, each.says);
      return;
    }
    const after = await ask(machine, `${as} test --insert --json '${word}'`);
    await machine.shell(REMOVE);
    await compareLite(t, machine, `${as} test --insert --json '${word}'`, after);
    const explained = [after.reason, ...after.evidence, after.remedy ?? ''].join('\n');
    t.equal(outcome(after), happened, `happened: ${explained.replaceAll('\n', ' | ')}`);
    if (each.errno !== undefined) t.match(after.reason, new RegExp(`with ${each.errno}\\b`));
    if (each.says !== undefined) t.match(explained, each.says);
    if (each.never !== undefined) t.notMatch(explained, each.never);
    if (KEPT_OUT.test(happened) && happened !== 'failed no-device') t.ok(after.remedy, 'there is a remedy afterwards');
  } finally {
    await machine.shell(`${REMOVE}; ${each.after ?? ':'}`);
  }
}

/** Four failures at once: the coldplug, the agent, modprobe -vv and plugd test --insert must explain each alike. */
async function oneCause(
  t: Test,
  machine: Machine,
  tree: string,
  inTree: (file: string) => string,
  options: (line: string) => string,
): Promise<void> {
  const expected: Readonly<Record<string, readonly [cause: string, evidence: RegExp]>> = {
    lab: ['vermagic', /version magic found: .*xreempt/],
    virtio_rng: ['signature', /does not fit the contents/],
    dummy: ['missing-file', /there is no file .*dummy\.ko/],
    nlmon: ['corrupt', /truncated|damaged/],
  };
  const net = `${tree}/kernel/drivers/net`;
  const aliases = Object.keys(expected).map((module) => `alias pci:v00001234d000011E8* ${module}`);
  await machine.output('sh', [
    '-c',
    [
      inTree('/lab/vermagic/lab.ko'),
      `cp /lab/tampered/virtio-rng.ko ${tree}/kernel/drivers/char/hw_random/virtio-rng.ko`,
      `mv ${net}/dummy.ko /tmp/`,
      `head -c 3000 ${net}/nlmon.ko > /tmp/half.ko`,
      `mv /tmp/half.ko ${net}/nlmon.ko`,
      options(aliases.join('\n')),
    ].join(' && '),
  ]);
  const ended = await machine.run('plugd', ['coldplug', '--json']);
  t.equal(ended.status, 1, ended.stderr);
  const { modules } = JSON.parse(ended.stdout) as ColdplugRun;
  const agent = await GuestAgent.start(machine);
  for (const [module, [cause, evidence]] of Object.entries(expected)) {
    const record = modules.find((each) => each.module === module);
    t.match(record, { result: 'failed', cause, remedy: /./ }, `${module}: coldplug`);
    t.match(record?.evidence?.join('\n'), evidence, `${module}: the coldplug's evidence`);
    // One after the other, on one machine.
    const line = await agent.line('failed', (each) => each.module === module);
    t.match(line, { cause, remedy: record?.remedy }, `${module}: the agent's log`);
    t.match((line['evidence'] as readonly string[]).join('\n'), evidence, `${module}: the agent's evidence`);
    const modprobe = await machine.run('plugd', ['modprobe', '-vv', module]);
    t.equal(modprobe.status, 1);
    t.match(modprobe.stderr, `INFO: ${module}: ${cause} (`, `${module}: modprobe -vv`);
    t.match(modprobe.stderr, evidence, `${module}: modprobe's evidence`);
    const tried = await ask(machine, `plugd test --insert --json ${module}`);
    t.match(tried, { verdict: 'failed', cause, remedy: record?.remedy }, `${module}: test --insert`);
    t.match(tried.evidence.join('\n'), evidence, `${module}: the test's evidence`);
  }
  t.equal(await agent.stop(), 0);
  await machine.output('sh', ['-c', `mv /tmp/dummy.ko ${net}/; rm /etc/modprobe.d/lab.conf`]);
}

/** The module's faulty copies, each in a folder of its own so that the file keeps its name. */
function labFiles(image: Image): GuestFiles {
  const good = readFileSync((lab as { file: string }).file);
  const debian = (path: string) => readFileSync(join(image.tree.root, 'lib/modules', image.tree.kernel, path));
  const dummy = debian('kernel/drivers/net/dummy.ko');
  return {
    ...(lite.kind === 'ready' && { 'usr/bin/plugd-lite': { from: lite.program, mode: 0o755 } }),
    'lab/good/lab.ko': good,
    'lab/vermagic/lab.ko': replaceBytes(good, ' preempt ', ' xreempt '),
    'lab/release/lab.ko': replaceBytes(good, `vermagic=${image.tree.kernel.slice(0, 4)}`, 'vermagic=9.9.'),
    'lab/machine/lab.ko': ofMachine(good, 183),
    'lab/layout/lab.ko': withWrongVersion(good, 'module_layout'),
    'lab/version/lab.ko': withWrongVersion(good, 'msleep_interruptible'),
    'lab/symbol/lab.ko': replaceBytes(good, 'msleep_interruptible', 'msleep_interruptiblX'),
    'lab/truncated/lab.ko': good.subarray(0, Math.floor(good.length / 2)),
    'lab/empty/lab.ko': Buffer.alloc(0),
    'lab/stranger/lab.ko': signedByStranger(good, 'Stranger Than Most'),
    'lab/signed/dummy.ko': dummy,
    'lab/tampered/virtio-rng.ko': replaceBytes(
      debian('kernel/drivers/char/hw_random/virtio-rng.ko'),
      'alias=virtio:d00000004v',
      'alias=virtio:d00000004V',
    ),
    'lab/tampered/dummy.ko': replaceBytes(dummy, 'alias=rtnl-link-dummy', 'alias=rtnl-link-dUmmy'),
  };
}

t.test('the failure laboratory', { skip }, async (t) => {
  const image = found as Image;
  const tree = `/lib/modules/${image.tree.kernel}`;
  const files = labFiles(image);
  const options = (line: string) => `echo '${line}' > /etc/modprobe.d/lab.conf`;
  const noOptions = 'rm -f /etc/modprobe.d/lab.conf';
  // Without the binary index its text is read: a line is added with one command.
  const inTree = (file: string) =>
    `mkdir -p ${tree}/extra && cp ${file} ${tree}/extra/lab.ko && mv ${tree}/modules.dep.bin /tmp/ && cp ${tree}/modules.dep /tmp/ && echo 'extra/lab.ko:' >> ${tree}/modules.dep`;
  const outOfTree = `rm -rf ${tree}/extra; mv /tmp/modules.dep.bin /tmp/modules.dep ${tree}/; ${noOptions}`;
  const answers = (errno: number): Pick<Case, 'word'> => ({ word: `/lab/good/lab.ko' 'answer=${errno}` });
  const virtio = `${tree}/kernel/drivers/virtio/virtio.ko`;

  const plain: readonly Case[] = [
    { name: 'a good module, unsigned', word: '/lab/good/lab.ko', predicted: 'would-insert', happened: 'inserted' },
    {
      name: 'wrong vermagic',
      word: '/lab/vermagic/lab.ko',
      predicted: 'failed vermagic',
      happened: 'failed vermagic',
      errno: 'ENOEXEC',
      says: /found: .*xreempt[^]*wanted: .* preempt/,
      saysBefore: /found: .*xreempt[^]*wanted: .* preempt/,
    },
    {
      name: 'another release, with versions of symbols',
      word: '/lab/release/lab.ko',
      predicted: 'would-insert',
      happened: 'inserted',
    },
    {
      name: 'another architecture',
      word: '/lab/machine/lab.ko',
      predicted: 'failed vermagic',
      happened: 'failed vermagic',
      errno: 'ENOEXEC',
      says: /built for aarch64, this kernel is x86_64/,
    },
    {
      name: 'another struct module',
      word: '/lab/layout/lab.ko',
      predicted: 'failed vermagic',
      happened: 'failed vermagic',
      errno: 'ENOEXEC',
      says: /module_layout is 0x[0-9a-f]{8}; here it is 0x[0-9a-f]{8}/,
    },
    {
      name: "another version of a kernel's symbol",
      word: '/lab/version/lab.ko',
      predicted: 'failed vermagic',
      happened: 'failed vermagic',
      errno: 'EINVAL',
      says: /msleep_interruptible: built against 0x[0-9a-f]{8}, the kernel has 0x[0-9a-f]{8}/,
    },
    {
      name: 'a symbol that nothing has',
      word: '/lab/symbol/lab.ko',
      predicted: 'failed unknown-symbol',
      happened: 'failed unknown-symbol',
      errno: 'ENOENT',
      says: /no module exports msleep_interruptiblX, nor does the kernel/,
    },
    {
      name: 'a symbol whose provider is not loaded (insmod)',
      word: `${tree}/kernel/drivers/net/virtio_net.ko`,
      predicted: 'failed unknown-symbol',
      happened: 'failed unknown-symbol',
      errno: 'ENOENT',
      says: /virtio is not loaded; it exports [^]*register_virtio_driver[^]*load .*virtio.* first/,
    },
    {
      name: 'half a file',
      word: '/lab/truncated/lab.ko',
      predicted: 'failed corrupt',
      happened: 'failed corrupt',
      says: /truncated/,
    },
    {
      name: 'an empty file',
      word: '/lab/empty/lab.ko',
      predicted: 'failed corrupt',
      happened: 'failed corrupt',
      says: /empty/,
    },
    {
      name: 'signed by a key that nobody trusts, nothing enforced',
      word: '/lab/stranger/lab.ko',
      predicted: 'would-insert',
      happened: 'inserted',
    },
    {
      name: 'changed after it was signed',
      word: '/lab/tampered/dummy.ko',
      predicted: 'would-insert',
      happened: 'failed signature',
      errno: 'EKEYREJECTED',
      says: /does not fit the contents/,
    },
    {
      name: 'init answers ENODEV',
      ...answers(19),
      predicted: 'would-insert',
      happened: 'failed no-device',
      errno: 'ENODEV',
    },
    {
      name: 'init answers EBUSY',
      ...answers(16),
      predicted: 'would-insert',
      happened: 'failed busy',
      errno: 'EBUSY',
      says: /which other driver/,
    },
    {
      name: 'init answers ENOMEM',
      ...answers(12),
      predicted: 'would-insert',
      happened: 'failed other',
      errno: 'ENOMEM',
      says: /memory/,
    },
    {
      name: 'init answers ENOENT',
      ...answers(2),
      predicted: 'would-insert',
      happened: 'failed other',
      errno: 'ENOENT',
      never: /symbol/i,
    },
    {
      name: 'init answers EPERM',
      ...answers(1),
      predicted: 'would-insert',
      happened: 'failed permission',
      errno: 'EPERM',
    },
    {
      name: 'a value that the parameter does not take',
      word: 'lab',
      before: `${inTree('/lab/good/lab.ko')}; ${options('options lab answer=soon')}`,
      after: outOfTree,
      predicted: 'failed parameter-value',
      happened: 'failed parameter-value',
      errno: 'EINVAL',
      says: /answer=soon is no value for a parameter of type int \(\/etc\/modprobe.d\/lab.conf:1\)[^]*`soon' invalid for parameter `answer'/,
    },
    {
      name: 'a parameter that the module does not know',
      says: /lab has no parameter anwser \(\/etc\/modprobe.d\/lab.conf:1\): the kernel ignores it; did you mean answer\?/,
      word: 'lab',
      before: `${inTree('/lab/good/lab.ko')}; ${options('options lab anwser=1')}`,
      after: outOfTree,
      predicted: 'would-insert',
      happened: 'inserted',
    },
    {
      name: 'blacklisted, asked for by alias',
      word: 'x:y',
      before: options('alias x:* dummy\nblacklist dummy'),
      after: noOptions,
      predicted: 'blacklisted',
      happened: 'blacklisted',
      says: /lab.conf:2/,
    },
    {
      name: 'install /bin/false',
      word: 'dummy',
      before: options('install dummy /bin/false'),
      after: noOptions,
      predicted: 'denied',
      happened: 'denied',
      says: /install dummy \/bin\/false \(\/etc\/modprobe.d\/lab.conf:1\) keeps it out[^]*modprobe -i dummy/,
    },
    {
      name: 'an install command that fails',
      word: 'dummy',
      before: options('install dummy exit 3'),
      after: noOptions,
      predicted: 'install-command',
      happened: 'failed other',
      says: /exit status 3/,
    },
    {
      name: 'install /bin/false, of a module that is needed',
      word: 'virtio_net',
      before: options('install net_failover /bin/false'),
      after: `${noOptions}; rmmod net_failover failover virtio_ring virtio`,
      predicted: 'failed missing-dependency',
      happened: 'failed missing-dependency',
      says: /virtio_net needs net_failover, which/,
    },
    {
      name: 'no CAP_SYS_MODULE',
      word: 'dummy',
      as: 'setpriv --bounding-set=-sys_module --inh-caps=-sys_module plugd',
      predicted: 'failed permission',
      happened: 'failed permission',
      errno: 'EPERM',
      says: /lacks CAP_SYS_MODULE, and it is not in the bounding set/,
    },
    {
      name: 'a user namespace',
      word: 'dummy',
      as: 'unshare --user --map-root-user plugd',
      predicted: 'failed permission',
      happened: 'failed permission',
      errno: 'EPERM',
      says: /user namespace/,
    },
    {
      name: 'a file that was deleted',
      word: 'dummy',
      before: `mv ${tree}/kernel/drivers/net/dummy.ko /tmp/`,
      after: `mv /tmp/dummy.ko ${tree}/kernel/drivers/net/`,
      predicted: 'failed missing-file',
      happened: 'failed missing-file',
      says: /there is no file .*dummy.ko/,
    },
    {
      name: 'indexes older than a move',
      word: 'dummy',
      before: `mkdir -p ${tree}/updates; mv ${tree}/kernel/drivers/net/dummy.ko ${tree}/updates/`,
      after: `mv ${tree}/updates/dummy.ko ${tree}/kernel/drivers/net/`,
      predicted: 'failed missing-file',
      happened: 'failed missing-file',
      says: /updates\/dummy.ko[^]*depmod/,
    },
    {
      name: 'a dependency that is not on disk',
      word: 'virtio_net',
      before: `mv ${virtio} /tmp/`,
      after: `mv /tmp/virtio.ko ${virtio}`,
      predicted: 'failed missing-dependency',
      happened: 'failed missing-dependency',
      says: /virtio.*missing-file[^]*there is no file .*virtio.ko/,
    },
    {
      name: 'dependencies in a cycle',
      word: 'lab',
      before: `${inTree('/lab/good/lab.ko')}; sed -i 's|^extra/lab.ko:.*|extra/lab.ko: extra/lab.ko|' ${tree}/modules.dep`,
      after: outOfTree,
      predicted: 'failed cycle',
      happened: 'failed cycle',
      says: /lab → lab/,
    },
    {
      name: 'an alias for a module that is not there',
      word: 'x:y',
      before: options('alias x:* nosuch'),
      after: noOptions,
      predicted: 'failed missing-file',
      happened: 'failed missing-file',
      says: /no module nosuch/,
    },
    { name: 'built into the kernel', word: 'ptp', predicted: 'builtin', happened: 'builtin' },
    {
      name: 'no module tree',
      word: '/sys/bus/pci/devices/0000:00:03.0',
      before: `mv ${tree} ${tree}.away`,
      after: `mv ${tree}.away ${tree}`,
      predicted: 'failed no-modules-directory',
      says: /no directory/,
    },
    {
      name: 'a device without MODALIAS',
      word: 'clocksource0',
      predicted: 'no-modalias',
      says: /no MODALIAS/,
    },
    { name: 'a device that nothing claims', word: '0000:00:01.0', predicted: 'no-match' },
    {
      name: 'the driver is loaded, and bound',
      word: '0000:00:03.0',
      predicted: 'would-insert',
      happened: 'inserted',
      says: /was inserted/,
    },
    {
      name: 'the driver is loaded, and not bound',
      word: '0000:00:03.0',
      before: UNBOUND,
      predicted: 'loaded',
      says: /no driver is bound[^]*drivers_probe/,
    },
    {
      name: 'the driver is loaded, and another one is wanted',
      word: '0000:00:03.0',
      before: `${UNBOUND}; echo vfio-pci > /sys/bus/pci/devices/0000:00:03.0/driver_override`,
      predicted: 'loaded',
      says: /driver_override is 'vfio-pci'/,
    },
    // The last one: there is no way back.
    {
      name: 'modules_disabled',
      word: 'dummy',
      before: 'echo 1 > /proc/sys/kernel/modules_disabled',
      predicted: 'failed modules-disabled',
      happened: 'failed modules-disabled',
      errno: 'EPERM',
      says: /until reboot/,
    },
  ];
  await t.test('a plain kernel', async (t) => {
    await using machine = await boot(image, {
      files,
      devices: ['-device', 'virtio-rng-pci,addr=3', '-device', 'edu,addr=1'],
    });
    t.match(await machine.output('grep', ['-c', '', '/proc/kallsyms']), /^\d{5,}/, 'the kernel shows its symbols');
    for (const [i, each] of share(plain.slice(0, -1), 3).entries()) {
      await t.test(each.name, async (t) => run(t, machine, each));
      // The emulated kernel takes two seconds to write its list of symbols: the first case reads it, the others a copy of it.
      if (i === 0) await machine.output('sh', ['-c', 'mkdir -p /boot; cp /proc/kallsyms /boot/System.map-$(uname -r)']);
    }
    await t.test('every command names the same cause', async (t) => oneCause(t, machine, tree, inTree, options));
    for (const each of plain.slice(-1)) await t.test(each.name, async (t) => run(t, machine, each));
    await t.test('doctor sees it too', async (t) => {
      const { checks } = JSON.parse((await machine.run('plugd', ['doctor', '--json'])).stdout) as {
        checks: Array<{ id: string; state: string }>;
      };
      const state = (id: string) => checks.find((check) => check.id === id)?.state;
      t.equal(state('module-support'), 'ok');
      t.equal(state('modules-disabled'), 'wrong');
      t.equal(state('privileges'), 'ok');
    });
  });

  const enforced: readonly Case[] = [
    {
      name: 'unsigned',
      word: '/lab/good/lab.ko',
      predicted: 'failed signature',
      happened: 'failed signature',
      errno: 'EKEYREJECTED',
      says: /not signed[^]*sig_enforce=Y/,
      saysBefore: /not signed[^]*sig_enforce=Y/,
    },
    { name: 'signed by Debian', word: '/lab/signed/dummy.ko', predicted: 'would-insert', happened: 'inserted' },
    {
      name: 'signed by a key that nobody trusts',
      word: '/lab/stranger/lab.ko',
      predicted: 'failed signature',
      happened: 'failed signature',
      errno: 'EKEYREJECTED',
      says: /signed by 'Stranger Than Most'[^]*does not trust that key[^]*plugd keys enroll --cert/,
    },
    {
      name: 'changed after it was signed',
      word: '/lab/tampered/dummy.ko',
      predicted: 'would-insert',
      happened: 'failed signature',
      errno: 'EKEYREJECTED',
      says: /does not fit the contents/,
    },
    {
      name: 'modprobe.blacklist=, asked for by alias',
      word: 'rtnl-link-dummy',
      predicted: 'blacklisted',
      happened: 'blacklisted',
      says: /\/proc\/cmdline/,
    },
    { name: 'modprobe.blacklist=, asked for by name', word: 'dummy', predicted: 'would-insert', happened: 'inserted' },
    {
      name: 'modprobe.blacklist= with a dash, in quotes, a second one',
      word: 'virtio:d00000004v00001AF4',
      predicted: 'blacklisted',
      happened: 'blacklisted',
      says: /blacklist virtio_rng \(\/proc\/cmdline\)/,
    },
    {
      name: 'module_blacklist=, of which the last one counts',
      word: 'rtnl-link-bridge',
      predicted: 'would-insert',
      happened: 'inserted',
    },
    {
      name: 'module_blacklist= with a dash, which the kernel does not understand',
      word: 'virtio-balloon',
      predicted: 'would-insert',
      happened: 'inserted',
    },
    {
      name: 'module_blacklist=, asked for by name',
      word: 'nlmon',
      predicted: 'failed kernel-blacklist',
      happened: 'failed kernel-blacklist',
      says: /module_blacklist=nlmon/,
    },
    {
      name: 'module_blacklist=, asked for by alias',
      word: 'rtnl-link-ifb',
      predicted: 'failed kernel-blacklist',
      happened: 'failed kernel-blacklist',
      says: /module_blacklist=ifb/,
    },
    {
      name: 'module_blacklist=, insmod',
      word: `${tree}/kernel/drivers/net/ifb.ko`,
      predicted: 'failed kernel-blacklist',
      happened: 'failed kernel-blacklist',
      errno: 'EPERM',
      says: /module_blacklist=ifb/,
    },
  ];
  await t.test('a kernel that enforces signatures', async (t) => {
    await using machine = await boot(image, {
      files,
      append:
        'module.sig_enforce=1 modprobe.blacklist=dummy,veth "modprobe.blacklist=virtio-rng" module_blacklist=bridge module_blacklist=nlmon,virtio-balloon,ifb',
    });
    for (const each of share(enforced, 2)) await t.test(each.name, async (t) => run(t, machine, each));
    const { checks } = JSON.parse((await machine.run('plugd', ['doctor', '--json'])).stdout) as {
      checks: ReadonlyArray<{ readonly id: string; readonly summary: string; readonly evidence?: readonly string[] }>;
    };
    t.match(checks.find(({ id }) => id === 'sig-enforce')?.summary, /^enforced/);
    t.match(
      checks.find(({ id }) => id === 'idle-rules')?.evidence?.join('\n'),
      /module_blacklist=virtio-balloon: .*letter for letter[^]*did you mean virtio_balloon\?/,
    );
  });

  const locked: readonly Case[] = [
    {
      name: 'unsigned',
      word: '/lab/good/lab.ko',
      predicted: 'failed lockdown',
      happened: 'failed lockdown',
      errno: 'EPERM',
      says: /not signed[^]*locked down: integrity/,
    },
    {
      name: 'signed by a key that nobody trusts',
      word: '/lab/stranger/lab.ko',
      predicted: 'failed lockdown',
      happened: 'failed lockdown',
      errno: 'EPERM',
      says: /Stranger Than Most[^]*locked down: integrity/,
    },
    { name: 'signed by Debian', word: 'dummy', predicted: 'would-insert', happened: 'inserted' },
  ];
  await t.test('a kernel that is locked down', async (t) => {
    await using machine = await boot(image, { files, append: 'lockdown=integrity' });
    const [first, ...others] = locked;
    if (first !== undefined) await t.test(`${first.name}, securityfs not mounted`, async (t) => run(t, machine, first));
    await machine.output('mount', ['-t', 'securityfs', 'none', '/sys/kernel/security']);
    for (const each of [first, ...others])
      if (each !== undefined) await t.test(each.name, async (t) => run(t, machine, each));
    const { checks } = JSON.parse((await machine.run('plugd', ['doctor', '--json'])).stdout) as {
      checks: Array<{ id: string; summary: string }>;
    };
    t.match(checks.find((check) => check.id === 'lockdown')?.summary, /^integrity: only modules signed/);
    t.match(checks.find((check) => check.id === 'keyrings')?.summary, /\.builtin_trusted_keys [1-9]/);
  });
});
