/** The parsed configuration against Debian's `modprobe -c`. */
import { join } from 'node:path';
import t from 'tap';
import { readKernelCommandLine, readModprobeConfig } from '../../../agent/facts/config/config-text.ts';
import { configText } from '../../../agent/commands/kmod/modprobe-config.ts';
import type { Config } from '../../../agent/rules/modprobe/config.ts';
import { mergeConfig } from '../../../agent/rules/modprobe/merged-config.ts';
import { needCommands, runProgram } from '../../fixtures/commands.ts';
import type { DebianTree } from '../../fixtures/debian.ts';
import { Random } from '../../fixtures/random.ts';
import { COMMAND_LINES, CONFIG_SETS } from './config-sets.ts';
import { configArguments, hostOf, treeArguments, withFileAt, writeSet } from './modprobe.ts';

/** What `modprobe -c` prints of a configuration; a value may hold a newline. */
const showConfig = (config: Config) => configText(config).split('\n').slice(0, -1);

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
    const oracle = await oracleConfig(
      [...treeArguments(tree), '-C', '/dev/null'],
      withFileAt('/proc/cmdline', join(root, 'cmdline')),
    );
    const host = hostOf(tree, root);
    const config = mergeConfig(readModprobeConfig(host, { paths: [] }), readKernelCommandLine(host));
    t.same(showConfig(config), oracle.lines, `round ${round}: ${config.options.length} options`);
  }
});
