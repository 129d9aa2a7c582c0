/** The parsed configuration against Debian's `modprobe -c`. */
import { join } from 'node:path';
import t from 'tap';
import { readKernelCommandLine, readModprobeConfig } from '../../agent/facts/config-text.ts';
import type { Config, SoftdepRule } from '../../agent/rules/config.ts';
import { mergeConfig } from '../../agent/rules/merged-config.ts';
import { needCommands, runProgram } from '../fixtures/commands.ts';
import type { DebianTree } from '../fixtures/debian.ts';
import { Random } from '../fixtures/random.ts';
import { configArguments, hostOf, treeArguments, withFileAt, writeSet, type ConfigSet } from './modprobe.ts';

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
  const lines = [
    ...config.blacklists.map((rule) => `blacklist ${rule.verbatim ?? rule.module}`),
    ...config.installs.map((rule) => `install ${rule.pattern} ${rule.command}`),
    ...config.removes.map((rule) => `remove ${rule.pattern} ${rule.command}`),
    ...config.aliases.map((rule) => `alias ${rule.pattern} ${rule.module}`),
    ...config.options.map((rule) => `options ${rule.module} ${rule.text}`),
    ...config.softdeps.map((rule) => softdep(rule)),
  ];
  // A value may hold a newline.
  return lines.join('\n').split('\n');
}

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
      withFileAt('/proc/cmdline', join(root, 'cmdline')),
    );
    const host = hostOf(tree, root);
    t.same(
      showConfig(mergeConfig(readModprobeConfig(host, { paths: [] }), readKernelCommandLine(host))),
      oracle.lines,
      name,
    );
  }
});

/** Pieces of lines that are rules, nearly rules, or hurt. */
const PIECES = [
  'alias',
  'blacklist',
  'install',
  'remove',
  'options',
  'softdep',
  'Alias',
  'include',
  '#',
  'pre:',
  'post:',
  'pre',
  '$CMDLINE_OPTS',
  'a-b',
  'c_d',
  'e[f-g]',
  'h[',
  ']i',
  'j*',
  'k?',
  'l=1',
  '"m n"',
  '\xe9',
  '/o',
  'p:q',
  '=',
  '.',
  '\r',
  '\v',
  '\f',
  '\0',
  ' ',
  ' ',
  ' ',
  ' ',
  ' ',
  ' ',
  '  ',
  '\t',
  '\\',
  '\\\n',
  '\n',
  '\n',
  '\n',
];
const WORDS = [
  'a',
  'b-c',
  'modprobe',
  'blacklist',
  '.',
  '.',
  '.',
  '=',
  '=',
  '"',
  ' ',
  ' ',
  ' ',
  ',',
  '[',
  ']',
  '\t',
  '\v',
  '\n',
  '-',
  '1',
];

t.test('configuration files put together at random', { skip }, async (t) => {
  const random = new Random(20);
  for (let round = 0; round < 40; round++) {
    const lines = Array.from({ length: 300 }, () => {
      const pieces = Array.from({ length: 1 + random.below(7) }, () => random.of(PIECES));
      return random.below(3) === 0 ? pieces.join('') : `${random.of(PIECES.slice(0, 6))} ${pieces.join('')}`;
    });
    const root = t.testdir(SMALL_TREE);
    const tree = smallTree(root);
    // A softdep whose lists alternate is read well and shown badly by modprobe -c.
    const text = lines
      .join('\n')
      .replaceAll(/post:(?=.*pre:)/gs, 'post')
      .replace(/\\$/, '');
    const paths = writeSet(root, { 'a/a.conf': text });
    // oxlint-disable-next-line no-await-in-loop
    const oracle = await oracleConfig([...treeArguments(tree), ...configArguments(paths)]);
    const config = mergeConfig(readModprobeConfig(hostOf(tree), { paths }), readKernelCommandLine(hostOf(tree)));
    t.same(showConfig(config), oracle.lines, `round ${round}: ${config.softdeps.length} softdeps and more`);
    t.equal(
      config.problems.filter(({ severity }) => severity === 'error').length,
      oracle.bad,
      `round ${round}: bad lines`,
    );
  }
});

t.test('kernel command lines put together at random', { skip }, async (t) => {
  const random = new Random(30);
  for (let round = 0; round < 40; round++) {
    const text = Array.from({ length: 400 }, () => random.of(WORDS)).join('');
    const root = t.testdir({ ...SMALL_TREE, cmdline: text });
    const tree = smallTree(root);
    // oxlint-disable-next-line no-await-in-loop
    const oracle = await oracleConfig(
      [...treeArguments(tree), '-C', '/dev/null'],
      withFileAt('/proc/cmdline', join(root, 'cmdline')),
    );
    const host = hostOf(tree, root);
    const config = mergeConfig(readModprobeConfig(host, { paths: [] }), readKernelCommandLine(host));
    t.same(showConfig(config), oracle.lines, `round ${round}: ${config.options.length} options`);
  }
});
