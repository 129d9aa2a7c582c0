/** `plugd load --boot-lists` on a machine made of files, whose kernel answers as each row says. */
import t, { type Test } from 'tap';
import { AgentRig, rigMissing } from '../fixtures/agent-rig.ts';

const missing = rigMissing();
const skip = missing === undefined ? {} : { skip: missing.sentence };

const MODULES = {
  loop: { aliases: ['block-major-7-*'] },
  brd: {},
  base: {},
  top: { needs: ['base'] },
  nouveau: { aliases: ['pci:v1*'] },
};
const LIST = 'root/etc/modules-load.d/a.conf';

interface Row {
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** errno of the module calls in turn. */
  readonly answers?: readonly number[];
  /** `NAME params` of each call, sorted. */
  readonly calls: readonly string[];
  readonly status: number;
  readonly text?: RegExp;
}

const ROWS: Readonly<Record<string, Row>> = {
  'no list': { files: {}, calls: [], status: 0, text: /^0 entries: 0 inserted/m },
  'a name, a dependency, an alias': {
    files: { [LIST]: 'top\nblock-major-7-0\n' },
    calls: ['base', 'loop', 'top'],
    status: 0,
    text: /^inserted +top +\S+\/etc\/modules-load\.d\/a\.conf:1$/m,
  },
  'the command line': { files: { 'proc/cmdline': 'modules-load=loop,brd' }, calls: ['brd', 'loop'], status: 0 },
  'parameters come after those of modprobe.d': {
    files: { 'root/etc/modules': 'loop max_loop=8', 'root/etc/modprobe.d/a.conf': 'options loop max_part=1' },
    calls: ['loop max_part=1 max_loop=8'],
    status: 0,
  },
  '… and stay when another entry needs the module, too': {
    files: { 'root/etc/modules': 'base x=1\ntop\n' },
    calls: ['base x=1', 'top'],
    status: 0,
  },
  'what does not exist is no failure': {
    files: { [LIST]: 'nothing\nloop' },
    calls: ['loop'],
    status: 0,
    text: /^not found +nothing/m,
  },
  '… but with --strict': { files: { [LIST]: 'nothing\nloop' }, args: ['--strict'], calls: ['loop'], status: 1 },
  'blacklist keeps a listed module out': {
    files: { [LIST]: 'loop\nbrd', 'root/etc/modprobe.d/a.conf': 'blacklist loop' },
    args: ['--strict'],
    calls: ['brd'],
    status: 0,
    text: /^kept out +loop +\S+:1: blacklist loop/m,
  },
  '… not one of /etc/modules': {
    files: { 'root/etc/modules': 'loop', 'root/etc/modprobe.d/a.conf': 'blacklist loop' },
    calls: ['loop'],
    status: 0,
  },
  'module_blacklist= keeps out': {
    files: { [LIST]: 'loop', 'proc/cmdline': 'module_blacklist=loop' },
    calls: [],
    status: 0,
    text: /^kept out/m,
  },
  'a refusal fails, after all others were tried': {
    files: { [LIST]: 'top\nbrd' },
    args: ['--in-order'],
    answers: [22, 0],
    calls: ['base', 'brd'],
    status: 1,
    text: /^failed +top +\S+:1: it needs base/m,
  },
  'ENODEV is told, and is no failure': {
    files: { [LIST]: 'loop' },
    answers: [19],
    calls: ['loop'],
    status: 0,
    text: /^no device +loop/m,
  },
  'an unknown symbol is none for systemd either': {
    files: { [LIST]: 'loop' },
    answers: [2],
    calls: ['loop'],
    status: 0,
  },
  'what is loaded stays': {
    files: { [LIST]: 'loop', 'proc/modules': 'loop 1 0 - Live 0x0\n', 'proc/self/status': 'CapEff:\t0\n' },
    args: ['-v'],
    calls: [],
    status: 0,
    text: /^there +loop/m,
  },
  'without the right to insert': {
    files: { [LIST]: 'loop', 'proc/self/status': 'CapEff:\t0\n' },
    calls: [],
    status: 1,
  },
  '… a dry run shows the plan': {
    files: { [LIST]: 'loop', 'proc/self/status': 'CapEff:\t0\n' },
    args: ['-n'],
    calls: [],
    status: 0,
    text: /^to insert +loop/m,
  },
  'of one dialect': {
    files: { [LIST]: 'loop', 'root/etc/modules': 'brd' },
    args: ['--boot-lists=etc-modules'],
    calls: ['brd'],
    status: 0,
  },
  'a dialect that is none': { files: {}, args: ['--boot-lists=x'], calls: [], status: 64 },
  RancherOS: {
    files: { 'proc/cmdline': "rancher.modules=['loop max_loop=8',brd]" },
    calls: ['brd', 'loop max_loop=8'],
    status: 0,
  },
  'a list that is no YAML is named, the others count': {
    files: { 'root/var/lib/rancher/conf/cloud-config.yml': 'rancher: [', [LIST]: 'loop' },
    calls: ['loop'],
    status: 0,
    text: /cloud-config\.yml:\d+: not YAML/,
  },
  'a list that cannot be read': {
    files: { [LIST]: 'loop', 'root/etc/modules-load.d/b.conf/x': '' },
    calls: ['loop'],
    status: 1,
    text: /b\.conf: a directory, not a file/,
  },
  'shell characters and Windows line ends': {
    files: { [LIST]: '$(reboot)\r\n`id`;\r\nloop\r\n' },
    calls: ['loop'],
    status: 0,
    text: /^not found +\$\(reboot\)/m,
  },
};

async function run(t: Test, { files, args = [], answers = [0] }: Row) {
  const rig = await AgentRig.open(t, { modules: MODULES });
  for (const [name, text] of Object.entries(files)) rig.put(name, text);
  const lists = args.some((arg) => arg.startsWith('--boot-lists')) ? [] : ['--boot-lists'];
  const child = rig.command('load', ['load', ...lists, ...args], answers);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const status = await new Promise((resolve) => child.once('close', resolve));
  const calls = rig.double.calls('load').map((call) => {
    const [, name = '', params = ''] = /\/(\w+)\.ko .*?params=(.*)$/.exec(call) ?? [];
    return `${name} ${params}`.trim();
  });
  return { status, text, calls: calls.toSorted() };
}

for (const [rule, row] of Object.entries(ROWS)) {
  t.test(rule, skip, async (t) => {
    const { status, text, calls } = await run(t, row);
    t.same([status, calls], [row.status, row.calls], text);
    if (row.text !== undefined) t.match(text, row.text);
  });
}

t.test('the agent loads them first; its log and ledger have the list and the line', skip, async (t) => {
  const rig = await AgentRig.open(t, {
    modules: MODULES,
    files: { 'etc/modules': '# lists\nloop max_loop=8\nnothing\n' },
  });
  const agent = rig.start(['--boot-lists']);
  await agent.line('settled');
  const log: unknown[] = [];
  await agent.ask('log', {}, (item) => log.push(item));
  t.match(log, [
    { module: 'loop', by: 'boot-list', name: 'loop', params: 'max_loop=8', rule: { file: /etc\/modules$/, line: 2 } },
  ]);
  t.match(
    agent.lines.find(({ event }) => event === 'boot-list'),
    { level: 'warn', msg: /nothing is not found.*etc\/modules:3/ },
  );
});
