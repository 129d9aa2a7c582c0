/**
 * Configuration and plans against Debian's modprobe, on Debian's own module trees: the parsed configuration as
 * `modprobe -c` shows it, and every module as `modprobe --show-depends` does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { Host } from '../../agent/base/host.ts';
import { moduleNameFromPath } from '../../agent/base/names.ts';
import { readKernelCommandLine, readModprobeConfig } from '../../agent/facts/config-text.ts';
import { readModuleTree } from '../../agent/facts/module-tree.ts';
import { createMatcher, type MatchIndexes } from '../../agent/match/matcher.ts';
import { IndexTrie } from '../../agent/match/trie.ts';
import type { Step } from '../../agent/plan/plan.ts';
import { createPlanner, kmodOptions } from '../../agent/plan/planner.ts';
import type { Config, SoftdepRule } from '../../agent/rules/config.ts';
import { decide } from '../../agent/rules/decision.ts';
import { configuredNames, mergeConfig } from '../../agent/rules/merged-config.ts';
import { runProgram } from '../fixtures/commands.ts';
import { debianTree, needCommands, type DebianTree } from '../fixtures/debian.ts';

/** Files by name, in directories: those of `b` are masked by those of `a`. */
type ConfigSet = Readonly<Record<string, string>>;

const CONFIG_SETS: Readonly<Record<string, ConfigSet>> = {
  nothing: { 'a/a.conf': '' },
  'every directive': {
    'a/a.conf':
      'alias a b\nblacklist c\ninstall d /bin/true\nremove e /bin/false x\noptions f g=1\nsoftdep h pre: i post: j\n',
  },
  masking: {
    'a/x.conf': 'blacklist from-a\n',
    'b/x.conf': 'blacklist from-b\n',
    'a/empty.conf': '',
    'b/empty.conf': 'blacklist masked\n',
    'b/other.conf': 'blacklist seen\n',
  },
  'order of names': {
    'a/b.conf': 'options m n=2\n',
    'b/a.conf': 'options m n=1\n',
    'a/Z.conf': 'options m n=0\n',
    'b/~.conf': 'options m n=3\n',
    'a/10-x.conf': 'options m n=-1\n',
  },
  'names that do not count': {
    'a/.hidden.conf': 'blacklist no\n',
    'a/.conf': 'blacklist no\n',
    'a/x.conf~': 'blacklist no\n',
    'a/x.conf.bak': 'blacklist no\n',
    'a/README': 'blacklist no\n',
    'a/x.conf': 'blacklist yes\n',
  },
  'around modules.softdep': {
    'a/modules.aaa.conf': 'softdep btrfs pre: first\n',
    'a/modules.zzz.conf': 'softdep btrfs pre: last\n',
  },
  continuation: {
    'a/a.conf': 'options a \\\n  b=1 \\\n  c=2\nblack\\\nlist d\n\\\n\\\nblacklist e\noptions f g=\\\n1\n',
  },
  backslashes: { 'a/a.conf': 'install a echo \\"x\\" \\\\ \\t \\$y\nblacklist b\\-c\nalias d\\*e f\n' },
  comments: {
    'a/a.conf':
      '# one\n#two\n  # three\nblacklist a # four\noptions b c=1 # five\n#six \\\nblacklist seven\nblacklist eight#\n',
  },
  'odd spacing': {
    'a/a.conf':
      '  blacklist\ta  \n\t \tblacklist  b\t\n\n \n\t\noptions  c   d=1\te=2  \ninstall\t f \t g  h \nalias   i\t\tj   k\nremove l  \toptions x\n',
  },
  'odd spacing in softdeps': {
    'a/a.conf':
      'softdep a  pre: b\nsoftdep c   pre: d  e\tpost:\tf \nsoftdep g pre: h pre: j post: i\nsoftdep k l pre: m\nsoftdep n  \nsoftdep o p\nsoftdep q\tpre:\tr\nsoftdep s pre:t\nsoftdep u pre: post: v\nsoftdep w post:\n',
  },
  'control characters': {
    'a/a.conf': 'blacklist a\r\noptions b c=1\r\n\vblacklist d\nblacklist e\vf\nblacklist \fg\nsoftdep h pre:\vi\n',
  },
  'NUL and bytes that are not UTF-8': {
    'a/a.conf': 'blacklist a\0b\nblacklist \xe9\xff\nalias \xc3\xa9* m\noptions a b=\x80\n\0\nblacklist c\n',
  },
  'no newline at the end': { 'a/a.conf': 'blacklist a\nblacklist b', 'a/b.conf': 'blacklist c\\\n' },
  dashes: {
    'a/a.conf':
      'alias a-b c-d\nblacklist e-f\ninstall g-h i-j\nremove k-l m-n\noptions o-p q-r=-1\nsoftdep s-t pre: u-v post: w-x\n',
  },
  brackets: {
    'a/a.conf':
      'alias a[b-c]-d e-f\nalias g[-] h\nalias i[!-j]k l\nblacklist [m-n]\ninstall o[p-q]* r\noptions s[t-]u v=1\nsoftdep w[x-y] pre: z[-]\n',
  },
  'brackets without a partner': {
    'a/a.conf':
      'alias a[b c\nalias d]e f\nalias g h[\nblacklist [[i]\nblacklist []]\noptions j] k=1\nblacklist l[m]n]\n',
  },
  'missing words': {
    'a/a.conf':
      'alias\nalias a\nblacklist\nblacklist \ninstall\ninstall b\ninstall c \nremove d\noptions e\noptions f \noptions g  \nsoftdep\nsoftdep h\nsoftdep i \nblacklist j\n',
  },
  'too many words': { 'a/a.conf': 'alias a b c d\nblacklist e f g\n' },
  'unknown directives': { 'a/a.conf': 'Blacklist a\nblacklisted b\ninclude c\nconfig d\n#\n!\nalias e f\nwhat\n' },
  'the same again': {
    'a/a.conf':
      'blacklist a\nblacklist a\noptions b c=1\noptions b c=1\nalias d e\nalias d e\ninstall f g\ninstall f h\n',
  },
  wildcards: {
    'a/a.conf': 'alias a*b? c\ninstall d* e\nremove ?f g\nsoftdep h*-i pre: j*\noptions k* l=1\nblacklist m*\n',
  },
  quotes: { 'a/a.conf': `options a b="c d" e='f'\ninstall "g h" i\nalias 'j' k\n` },
  'long lines': {
    'a/a.conf': `blacklist ${'a'.repeat(5000)}\noptions b ${'c=1 '.repeat(3000)}\nsoftdep d pre: ${'e '.repeat(3000)}\n`,
  },
  'slashes and colons': {
    'a/a.conf':
      'alias pci:v00001AF4d*sv*sd*bc*sc*i* a\nalias of:Nx-yT*C* b\nalias /dev/a c\nblacklist kernel/drivers/x.ko\n',
  },
};

const COMMAND_LINES: Readonly<Record<string, string>> = {
  'plain words': 'quiet root=/dev/sda1 ro a.b=1 c-d.e-f=g-h i.j\n',
  quotes: 'a.b="c d" "e.f=g h" i.j=k"l m"n "o.p" q.r\n',
  'open quotes': 'a.b=1 c.d="e f\n',
  'misplaced quotes': 'a"b.c=d" "e f.g=h" i."j"=k "l".m=n o.p=q\n',
  'dots and equals': 'a.b.c=1 d=e.f g.h=i.j=k l. m.=n .o .p=q . r.s= =t.u v=.w\n',
  'white space': 'a.b=1\tc.d=2\ve.f=3\fg.h=4\ri.j=5   k.l=6 \n',
  brackets: 'a[b-c]-d.e=1 f.g[h]=2\n',
  blacklists:
    'modprobe.blacklist=a,b-c,,d modprobe.blacklist= "modprobe.blacklist=e f" modprobe.blacklist modprobe.x=y modprobe.blacklist=g.h=i\n',
  nothing: '\n',
  'too long': `a.b=1 ${'x'.repeat(4080)} c.d=123456789\n`,
};

/** What `modprobe -c` (kmod 30) prints of a configuration. */
function showConfig(config: Config): string[] {
  const list = (head: string, words: readonly string[]) => (words.length === 0 ? '' : head + words.join(' '));
  const softdep = ({ pattern, pre, post }: SoftdepRule) =>
    `softdep ${pattern} ${list('pre: ', pre)}${list('post: ', post)}`;
  return [
    ...config.blacklists.map((rule) => `blacklist ${rule.verbatim ?? rule.module}`),
    ...config.installs.map((rule) => `install ${rule.pattern} ${rule.command}`),
    ...config.removes.map((rule) => `remove ${rule.pattern} ${rule.command}`),
    ...config.aliases.map((rule) => `alias ${rule.pattern} ${rule.module}`),
    ...config.options.map((rule) => `options ${rule.module} ${rule.text}`),
    ...config.softdeps.map((rule) => softdep(rule)),
  ];
}

function hostOf(tree: DebianTree, proc = '/proc'): Host {
  const moduleDir = join(tree.root, 'lib/modules', tree.kernel);
  return { root: tree.root, kernel: tree.kernel, moduleDir, sysfs: '/sys', proc };
}

function writeSet(folder: string, set: ConfigSet): string[] {
  for (const name of ['a', 'b']) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(set)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, 'latin1');
  }
  return [join(folder, 'a'), join(folder, 'b')];
}

const configArguments = (paths: readonly string[]) => paths.flatMap((path) => ['-C', path]);
const treeArguments = (tree: DebianTree) => ['-S', tree.kernel, '-d', tree.root];

/** The configuration part of `modprobe -c`, and how many lines it complained of. */
async function oracleConfig(
  args: readonly string[],
  prefix: readonly string[] = [],
): Promise<{ lines: string[]; bad: number }> {
  const [command, ...rest] = [...prefix, 'modprobe', ...args, '-c'];
  const ended = await runProgram(command, rest, { encoding: 'latin1' });
  const end = ended.stdout.indexOf('\n# End of configuration files.');
  if (end < 0) throw new Error(`modprobe -c: ${ended.stderr}`);
  return {
    lines: ended.stdout.slice(0, end).split('\n').slice(0, -1),
    bad: ended.stderr.match(/ignoring bad line|is deprecated and not parsed/g)?.length ?? 0,
  };
}

/** Runs a program with /proc/cmdline replaced, in a mount namespace of its own. */
const withCommandLine = (file: string) => [
  'unshare',
  ...(process.getuid?.() === 0 ? ['-m'] : ['-rm']),
  'sh',
  '-c',
  'mount --bind "$0" /proc/cmdline && exec "$@"',
  file,
];

/** The part of the graph that is asked: names, through lookup, rules and planner, as `modprobe --show-depends` prints it. */
function openPlans(tree: DebianTree, paths: readonly string[]) {
  const host = hostOf(tree);
  const files = readModuleTree(host.moduleDir);
  if (files === undefined) throw new Error(`${host.moduleDir} is not there`);
  const open = (name: Parameters<typeof files.readIndex>[0]) => {
    const bytes = files.readIndex(name);
    return bytes === undefined ? undefined : new IndexTrie(bytes, `${name}.bin`);
  };
  const indexes: MatchIndexes = {
    dep: open('modules.dep'),
    symbols: open('modules.symbols'),
    aliases: open('modules.alias'),
    builtin: open('modules.builtin'),
    builtinAliases: open('modules.builtin.alias'),
  };
  const config = mergeConfig(readModprobeConfig(host, { paths }), readKernelCommandLine(host));
  const matcher = createMatcher(indexes, configuredNames(config));
  const planner = createPlanner({
    matcher,
    config,
    moduleDir: host.moduleDir,
    kernelBlacklist: false,
    state: () => undefined,
  });
  const show = (name: string, ignoreCommands = false): string[] => {
    const lookup = matcher.lookup(name);
    if (lookup.kind !== 'found') return [];
    return decide(config, lookup)
      .filter(({ kind }) => kind !== 'blacklisted')
      .flatMap(({ candidate }) => planner.plan(candidate, name, { ignoreLoaded: true, ignoreCommands }).printed)
      .map((step) => printed(step))
      .filter((line) => line !== '');
  };
  const depText = files.readText('modules.dep') ?? '';
  const builtin = files.readText('modules.builtin') ?? '';
  const names = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => moduleNameFromPath(line.split(':')[0] ?? ''));
  return { planner, matcher, config, show, modules: names(depText) as string[], builtin: names(builtin) as string[] };
}

function printed(step: Step): string {
  if (step.command !== undefined) return `install ${step.command.raw} ${kmodOptions(step.origins)}`;
  if (step.state === 'builtin') return `builtin ${step.module}`;
  return step.path === '' ? '' : `insmod ${step.path} ${kmodOptions(step.origins)}`;
}

const BATCH = 200;

/** `modprobe -a -D` of all names, many in a process; names whose output is not `expected` are asked one by one. */
async function compareShowDepends(
  args: readonly string[],
  names: readonly string[],
  expected: (name: string) => string[],
): Promise<{ lines: number; wrong: string[] }> {
  const wrong: string[] = [];
  let lines = 0;
  const ask = async (batch: readonly string[]) =>
    (await runProgram('modprobe', [...args, '-a', '-D', ...batch], { encoding: 'latin1' })).stdout;
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  const check = async (batch: readonly string[]): Promise<void> => {
    const oracle = await ask(batch);
    const own = text(batch.flatMap((name) => expected(name)));
    if (oracle === own) {
      lines += oracle.split('\n').length - 1;
      return;
    }
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      wrong.push(`${only}\n--- modprobe\n${oracle}--- plugd\n${own}`);
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await check(batch.slice(0, half));
    if (wrong.length < 5) await check(batch.slice(half));
  };
  for (let from = 0; from < names.length; from += BATCH) {
    // One process at a time: another test file has the other CPU.
    // oxlint-disable-next-line no-await-in-loop
    await check(names.slice(from, from + BATCH));
    if (wrong.length >= 5) break;
  }
  return { lines, wrong };
}

/** Files made to hurt: all of it is about modules that both trees have. */
const NASTY: ConfigSet = {
  'a/10-options.conf': `
# options by name, by alias, for builtin modules, twice, empty, and for names with dashes
options e1000e debug=1
options e1000e \\
	IntMode=2 \\
	debug=16
options usb-storage quirks=1234:5678:u,abcd:ef01:i  delay_use=3
options usb_storage option_zero_cd=1
options crypto-crc32c by=alias
options crc32c_generic by=name
options mii  x="a b c"	y='d'
options usbcore autosuspend=-1
options ext4 nothing=0
options loop  
options loop max_loop=8
options hidden-module seen=1
options plugd-alias-of-mii via_alias=1
options pci:v00008086d000010D3sv*sd*bc*sc*i* never=1
`,
  'a/20-softdeps.conf': `
# loops in every direction, wildcards, names that are aliases, builtin, unknown, hidden or dependencies
softdep e1000e pre: igb post: ixgbe
softdep igb pre: e1000e
softdep ixgbe post: igb pre: e1000e mii
softdep mii pre: mii post: mii
softdep usb-storage pre: scsi_mod uas post: uas
softdep uas pre: usb-storage
softdep usb[a-n]* pre: mii
softdep xfs pre: crypto-crc32c crypto-sha256 no-such-module usbcore
softdep jbd2 pre: mii post: loop
softdep fat pre: vfat
softdep vfat post: msdos
softdep nf-tables pre: symbol:nf_register_net_hook net-pf-16-proto-12
softdep nf_conntrack pre: fs-ext4 post: e1000e
softdep *_generic pre: libcrc32c
softdep dm-mod pre: dm-log dm-mirror post: dm-snapshot
softdep dm_log post: dm-mod
softdep loop  pre: mii
softdep tun x y z
softdep bonding pre: plugd-alias-of-mii plugd-two-of-them
`,
  'a/30-commands.conf': `
install floppy /bin/true
install loop /sbin/modprobe --ignore-install loop $CMDLINE_OPTS; echo "$CMDLINE_OPTS" \\$HOME
install dm-* echo dm $CMDLINE_OPTS
install dm_mod echo too late
install plugd-only-a-command echo here
install sunrpc	 /bin/false  
install v?at echo vfat
install e1000e echo ignored for its softdeps
install nls_[a-c]* echo nls
remove plugd-only-removed echo gone
options floppy floppy=thinkpad
options sunrpc tcp_slot_table_entries=2
options plugd-only-a-command a=1
`,
  'a/40-aliases.conf': `
alias plugd-alias-of-mii mii
alias plugd-two-of-them mii
alias plugd-two-of-them libphy
alias plugd-off off
alias btrfs xfs
alias hidden-* mii
alias plugd[-_]br*t mii
alias plugd-chain plugd-alias-of-mii
alias plugd-is-builtin usbcore
blacklist libphy
blacklist xfs
blacklist usb-storage
`,
  'a/50-masked.conf': '',
  'b/50-masked.conf': 'install mii /bin/false\noptions mii masked=1\n',
  'b/10-options.conf': 'options mii masked=2\n',
  'b/60-bad.conf': 'nonsense\nsoftdep\n  # x\nalias a[b c\noptions mii after=errors\n',
  'b/modules.zz.conf': 'softdep cifs pre: mii\nsoftdep ksmbd pre: mii\nsoftdep nfs pre: mii\n',
};

const NASTY_NAMES = [
  'plugd-alias-of-mii',
  'plugd_alias_of_mii',
  'plugd-two-of-them',
  'plugd-off',
  'plugd-chain',
  'plugd-is-builtin',
  'plugd-br-t',
  'plugd_brt',
  'hidden-module',
  'plugd-only-a-command',
  'plugd-only-removed',
  'nothing-has-this-name',
  'a[b',
  'fs-ext4',
  'fs-xfs',
  'crypto-crc32c',
  'net-pf-16-proto-12',
  'symbol:mii_check_link',
  'symbol:libphy',
  'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00',
  'usb:v1234p5678d0000dc00dsc00dp00ic08isc06ip50in00',
  'char-major-10-200',
];

const tools = await needCommands(['modprobe', 'unshare']);
const skip = tools.kind === 'missing' && tools.sentence;

/** A tree without modules: `modprobe -c` need not print Debian's 40,000 aliases each time. */
const SMALL_TREE = {
  lib: {
    modules: {
      '6.1.0': {
        'modules.softdep': 'softdep btrfs pre: crc32c\nsoftdep cifs pre: arc4 post: x\n',
        'modules.weakdep': '',
      },
    },
  },
};
const smallTree = (root: string): DebianTree => ({ kind: 'ready', root, kernel: '6.1.0', image: undefined });

t.test(`${Object.keys(CONFIG_SETS).length} configuration sets as modprobe -c shows them`, { skip }, async (t) => {
  for (const [name, set] of Object.entries(CONFIG_SETS)) {
    const root = t.testdir(SMALL_TREE);
    const tree = smallTree(root);
    const paths = writeSet(root, set);
    // oxlint-disable-next-line no-await-in-loop
    const oracle = await oracleConfig([...treeArguments(tree), ...configArguments(paths)]);
    const config = mergeConfig(readModprobeConfig(hostOf(tree), { paths }), readKernelCommandLine(hostOf(tree)));
    t.same(showConfig(config), oracle.lines, name);
    t.ok(oracle.lines.includes('softdep btrfs pre: crc32c'), `${name}: modprobe read something`);
    t.equal(config.problems.filter(({ severity }) => severity === 'error').length, oracle.bad, `${name}: bad lines`);
  }
});

t.test(`${Object.keys(COMMAND_LINES).length} kernel command lines as modprobe -c shows them`, { skip }, async (t) => {
  for (const [name, text] of Object.entries(COMMAND_LINES)) {
    const root = t.testdir({ ...SMALL_TREE, cmdline: text });
    const tree = smallTree(root);
    // oxlint-disable-next-line no-await-in-loop
    const oracle = await oracleConfig(
      [...treeArguments(tree), '-C', '/dev/null'],
      withCommandLine(join(root, 'cmdline')),
    );
    const host = hostOf(tree, root);
    t.same(
      showConfig(mergeConfig(readModprobeConfig(host, { paths: [] }), readKernelCommandLine(host))),
      oracle.lines,
      name,
    );
  }
});

const trees = await Promise.all(
  (['amd64', 'arm64'] as const).map(async (arch) => [arch, await debianTree(arch)] as const),
);

for (const [arch, tree] of trees) {
  if (tree.kind === 'missing' || skip !== false) {
    t.test(arch, { skip: tree.kind === 'missing' ? tree.sentence : skip }, (t) => t.end());
    continue;
  }
  t.test(`${arch}: every module as modprobe --show-depends prints it`, async (t) => {
    const plans = openPlans(tree, []);
    const args = [...treeArguments(tree), '-C', '/dev/null'];
    const { lines, wrong } = await compareShowDepends(args, [...plans.modules, ...plans.builtin], (name) =>
      plans.show(name),
    );
    t.same(wrong, []);
    t.ok(lines > 10_000, `${lines} lines`);
  });

  t.test(`${arch}: the edges of every plan are its dependencies, no more and no less`, (t) => {
    const plans = openPlans(tree, ['/dev/null']);
    const wrong: string[] = [];
    let edges = 0;
    for (const name of plans.modules) {
      const lookup = plans.matcher.lookup(name);
      const [candidate] = lookup.kind === 'found' ? lookup.candidates : [];
      const needs = new Map<string, ReadonlySet<string>>();
      for (const step of candidate === undefined ? [] : plans.planner.plan(candidate, name).steps) {
        const reached = new Set<string>();
        for (const { module, required } of step.after) {
          edges++;
          const below = needs.get(module);
          if (below === undefined) wrong.push(`${name}: ${step.module} after ${module}, which comes later`);
          if (required) for (const other of [module, ...(below ?? [])]) reached.add(other);
        }
        needs.set(step.module, reached);
        const depends = plans.matcher.dependencies(step.module)?.depends.map((path) => moduleNameFromPath(path)) ?? [];
        const same = depends.length === reached.size && depends.every((module) => reached.has(module));
        if (!same)
          wrong.push(`${name}: ${step.module} needs ${depends.join(' ')}, its edges reach ${[...reached].join(' ')}`);
      }
      if (!needs.has(name)) wrong.push(`${name}: has no step`);
    }
    t.same(wrong.slice(0, 5), []);
    t.ok(edges > 5000, `${edges} edges`);
    t.end();
  });

  t.test(`${arch}: every module with a nasty configuration`, async (t) => {
    const paths = writeSet(t.testdir(), NASTY);
    const plans = openPlans(tree, paths);
    const args = [...treeArguments(tree), ...configArguments(paths)];
    const names = [...NASTY_NAMES, ...plans.modules, ...plans.builtin];
    const { lines, wrong } = await compareShowDepends(args, names, (name) => plans.show(name));
    t.same(wrong, []);
    t.ok(lines > 10_000, `${lines} lines`);
    const ignoring = await compareShowDepends([...args, '-i'], names.slice(0, 600), (name) => plans.show(name, true));
    t.same(ignoring.wrong, [], 'with -i');
  });
}
