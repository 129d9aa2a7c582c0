/**
 * `plugd modprobe` against Debian's: every module and every alias of Debian's tree in this process, some hundred and all odd
 * command lines through the real program. What differs is in docs/differences.md, and left out here by name.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { aliasPatterns, namesFor } from '../../fixtures/alias-strings.ts';
import { needCommands, runProgram, type Ended } from '../../fixtures/commands.ts';
import { judgedPrograms } from '../../native/plugd-lite.ts';
import { debianTree, type DebianTree } from '../../fixtures/debian.ts';
import { share } from '../../share.ts';
import { runModprobe } from '../../fixtures/modprobe-rig.ts';
import { CONFIG_SETS } from './config-sets.ts';
import { configArguments, openTree, treeArguments, writeSet, type ConfigSet } from './modprobe.ts';
import { NASTY, NASTY_NAMES } from './nasty-config.ts';

const NODE = [process.execPath, join(import.meta.dirname, '../../../plugd.cjs')];
const PROGRAMS = await judgedPrograms(NODE, (text) => t.comment(text));

const tools = await needCommands(['modprobe', 'unshare']);
const amd64 = await debianTree('amd64');
const tree = amd64 as DebianTree;
const skip = (tools.kind === 'missing' && tools.sentence) || (amd64.kind === 'missing' && amd64.sentence);
t.setTimeout(900_000);

/** Debian builds libkmod so that its messages name its source, and faults of a configuration have other texts. */
function messages(text: string): string {
  return (
    text
      .replaceAll(/\.\.\/libkmod\/\S+ \S+\(\) /g, '')
      // getopt(3) begins with argv[0] as it is.
      .replaceAll(/^\/\S+\/modprobe: /gm, 'modprobe: ')
      .replaceAll(/^(libkmod: |modprobe: ERROR: \/\S+\.conf[: ]).*\n/gm, '')
  );
}

const outcome = ({ status, stdout, stderr }: Ended) => `${stdout}-- ${messages(stderr)}-- ${status}\n`;

const oracle = async (words: readonly string[]) => outcome(await runProgram('modprobe', words, { encoding: 'latin1' }));

const BATCH = 250;

/** `-a` with many names at once; a batch that differs is halved until the name is found. */
async function compareAll(
  words: readonly string[],
  names: readonly string[],
): Promise<{ lines: number; wrong: string[] }> {
  const wrong: string[] = [];
  let lines = 0;
  const check = async (batch: readonly string[]): Promise<void> => {
    const all = [...words, '-a', '--', ...batch];
    const theirs = await oracle(all);
    const ours = outcome(await runModprobe(all));
    if (theirs === ours) {
      lines += theirs.split('\n').length;
    } else if (batch.length === 1) {
      wrong.push(`${batch[0]}\n--- modprobe\n${theirs}--- plugd\n${ours}`);
    } else {
      const half = Math.ceil(batch.length / 2);
      await check(batch.slice(0, half));
      if (wrong.length < 10) await check(batch.slice(half));
    }
  };
  for (let from = 0; from < names.length && wrong.length < 10; from += BATCH) {
    // One process at a time: another test file has the other CPU.
    await check(names.slice(from, from + BATCH));
  }
  return { lines, wrong };
}

t.test('every module, with -n -v and with -D', { skip }, async (t) => {
  const { modules, builtin } = openTree(tree, ['/dev/null']);
  const names = ['no-such-module', '', 'a[b', 'x'.repeat(5000), ...share([...modules, ...builtin], 6)];
  for (const flags of [['-n', '-v'], ['-D'], ['-D', '-i'], ['-n', '-v', '-b', '--first-time']]) {
    const { lines, wrong } = await compareAll([...treeArguments(tree), '-C', '/dev/null', ...flags], names);
    t.same(wrong, [], flags.join(' '));
    t.ok(lines > names.length, `${lines} lines of ${names.length} names`);
  }
});

t.test('every module with a nasty configuration', { skip }, async (t) => {
  const paths = writeSet(t.testdir(), NASTY);
  const { modules, builtin } = openTree(tree, paths);
  const names = [...NASTY_NAMES, ...share([...modules, ...builtin], 6)].filter(
    (name) => name !== 'plugd-off' && name !== 'plugd-chain',
  );
  for (const flags of [['-n', '-v'], ['-D'], ['-R'], ['-D', '-i', '-b']]) {
    const words = [...treeArguments(tree), ...configArguments(paths), ...flags];
    const { lines, wrong } = await compareAll(words, names);
    t.same(wrong, [], flags.join(' '));
    t.ok(lines > names.length, `${lines} lines of ${names.length} names`);
  }
});

t.test('every alias, with -R and with -D', { skip }, async (t) => {
  const names = share(namesFor(aliasPatterns(tree), 7), 8);
  for (const flag of ['-R', '-D']) {
    const { lines, wrong } = await compareAll([...treeArguments(tree), '-C', '/dev/null', flag], names);
    t.same(wrong, [], flag);
    t.ok(lines > names.length, `${lines} lines of ${names.length} names`);
  }
});

t.test('the alias patterns themselves as names', { skip }, async (t) => {
  const patterns = share([...new Set(aliasPatterns(tree))], 5);
  const { lines, wrong } = await compareAll([...treeArguments(tree), '-C', '/dev/null', '-R'], patterns);
  t.same(wrong, []);
  t.ok(lines > patterns.length / 2, `${lines} lines of ${patterns.length} patterns`);
});

t.test(`-c with ${Object.keys(CONFIG_SETS).length} configurations, byte for byte`, { skip }, async (t) => {
  const root = t.testdir();
  const small = join(root, 'lib/modules/6.1.0');
  mkdirSync(small, { recursive: true });
  writeFileSync(join(small, 'modules.softdep'), 'softdep btrfs pre: crc32c\nsoftdep cifs pre: arc4 post: x\n');
  for (const [name, set] of Object.entries(CONFIG_SETS)) {
    const words = ['-d', root, '-S', '6.1.0', ...configArguments(writeSet(t.testdir(), set)), '-c'];
    t.equal(outcome(await runModprobe(words)), await oracle(words), name);
  }
  const paths = writeSet(t.testdir(), NASTY);
  for (const words of [
    [...treeArguments(tree), '-c'],
    [...treeArguments(tree), ...configArguments(paths), '-c'],
  ]) {
    const theirs = await oracle(words);
    t.ok(outcome(await runModprobe(words)) === theirs, words.join(' '));
    t.ok(theirs.length > 1_000_000, `${theirs.length} bytes`);
  }
});

/** Runs Debian's modprobe and each program of ours with the same words and environment. */
async function compareRun(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const run = async (program: readonly string[]) => {
    const [file = '', ...args] = [...program, ...words];
    return outcome(await runProgram(file, args, { encoding: 'latin1', env }));
  };
  const theirs = await run(['modprobe']);
  const ours: Array<readonly [string, string]> = [];
  for (const { name, words: program } of PROGRAMS) ours.push([name, await run([...program, 'modprobe'])]);
  return { theirs, ours };
}

t.test('some hundred names, through the program', { skip }, async (t) => {
  const { modules } = openTree(tree, ['/dev/null']);
  const aliases = namesFor(aliasPatterns(tree), 8);
  const every = <T>(list: readonly T[], count: number) =>
    share(
      list.filter((_, i) => i % Math.ceil(list.length / count) === 0),
      3,
    );
  const rows: ReadonlyArray<readonly [string, readonly string[]]> = [
    ['-R', every(aliases, 120)],
    ['-D', every(modules, 60)],
    ['-nv', every(aliases, 30)],
  ];
  let same = 0;
  for (const [flag, names] of rows) {
    for (const name of names) {
      const { theirs, ours } = await compareRun([...treeArguments(tree), '-C', '/dev/null', flag, '--', name]);
      for (const [program, own] of ours) {
        if (theirs === own) same++;
        else t.equal(own, theirs, `${program} ${flag} ${name}`);
      }
    }
  }
  t.ok(same > 60 * PROGRAMS.length, `${same} runs are the same`);
});

const CONFIG: ConfigSet = {
  'a/a.conf': `
alias off-alias off
alias twice mii
alias twice tun
alias [a-c]x-[d-f] mii
install mii echo "$MODPROBE_OPTIONS" "[$MODPROBE_MODULE]" $CMDLINE_OPTS
install tun exit 7
install i*4 echo wild $CMDLINE_OPTS
install plugd-only echo only
remove mii echo bye $CMDLINE_OPTS; exit 3
remove plugd-only echo gone
options mii a=1
options mii "b=2 3"
options twice c=4
blacklist loop
softdep dm_mirror pre: mii post: fat
`,
};

const DIRECTORY = (name: string) => join(tree.root, 'lib/modules', tree.kernel, 'kernel', name);

/** Rows: what is asked, words; for those that insert, this kernel's answer (ENOSYS here, EPERM there) is the same for both. */
const WORDS: ReadonlyArray<readonly [name: string, words: readonly string[]]> = [
  ['nothing', []],
  ['nothing, quietly', ['-q']],
  ['no operand for -R', ['-R']],
  ['no operand for -r', ['-r']],
  ['no operand for --show-exports', ['--show-exports']],
  ['an unknown letter', ['-Z', 'mii']],
  ['an unknown letter in a bundle', ['-aqZ', 'mii']],
  ['an unknown option', ['--frob', 'mii']],
  ['an unknown option with a value', ['--frob=1', 'mii']],
  ['a value where none belongs', ['--all=1', 'mii']],
  ['a letter without its value', ['mii', '-C']],
  ['an option without its value', ['mii', '--dirname']],
  ['an ambiguous option', ['--ver', '--force-', 'mii']],
  ['two names of one thing are not ambiguous', ['-r', '--remove-', '-n', '-v', 'nosuch']],
  ['an abbreviated option', ['--show-dep', 'mii']],
  ['an abbreviated option with a value', ['--conf=/dev/null', '--show-dep', 'mii']],
  ['a wait that is no number', ['-r', '-w', 'x', 'mii']],
  ['an empty wait', ['-r', '-w', '', 'mii']],
  ['a wait in hexadecimal', ['-r', '-n', '-v', '--wait=0x10', 'loop']],
  ['a wait with something behind', ['-r', '-w', '10s', 'loop']],
  ['not found', ['nosuch']],
  ['not found, quietly', ['-q', 'nosuch']],
  ['not found, with a dash', ['no-such', 'a=1']],
  ['not found among others', ['-a', 'nosuch', '-n', '-v', 'fat', 'nosuch2']],
  ['not found, then found', ['-R', '-a', 'nosuch', 'fat']],
  ['a bracket without partner', ['a[b']],
  ['a closing bracket', ['-R', 'a]b']],
  ['a file name is no module name', ['mii.ko']],
  ['a relative path is no module name', ['kernel/mii.ko']],
  ['an empty name', ['']],
  ['a very long name', ['x'.repeat(5000)]],
  ['another kernel', ['-S', '1.2.3', 'mii']],
  ['another kernel, listed', ['-S', '1.2.3', '-R', 'mii']],
  ['another directory', ['-d', '/nonexistent', 'mii']],
  ['a relative directory', ['-d', 'nonexistent/', 'mii']],
  ['an empty directory name', ['-d', '', '-S', '1.2.3', 'mii']],
  ['a configuration that is not there', ['-C', '/nonexistent', '-D', 'mii']],
  ['several modules of one alias', ['-R', 'twice']],
  ['several modules of one alias, options by alias', ['-D', 'twice']],
  ['an alias with brackets', ['-R', 'ax-e']],
  ['an alias with brackets, other dashes', ['-R', 'bx_f']],
  ['an alias with brackets, no match', ['-R', 'dx-e']],
  ['an alias of nothing', ['-R', 'off-alias']],
  ['an alias of nothing, dry', ['-n', '-v', 'off-alias']],
  ['an alias of nothing, in earnest', ['off-alias']],
  ['a name with a wildcard', ['-R', 'ext*']],
  ['a modalias with a wildcard', ['-R', 'pci:*']],
  ['dashes for underscores', ['-D', 'dm-mirror']],
  ['other case', ['-D', 'MII']],
  ['options with quotes', ['-D', 'fat', 'a=1', 'b=x y', 'c="x y"', "d='x y'", 'e', 'f g', 'h=', '=', 'i=j=k l']],
  ['options for a command', ['-D', 'mii', 'z=1 2']],
  ['an option that is empty', ['-D', 'fat', '']],
  ['an option behind two dashes', ['-D', '--', 'fat', '--all', '-v']],
  ['a wildcard install line', ['-D', 'isofs', 'ipmi_si', 'ext4']],
  ['an install command', ['mii', 'x=1']],
  ['an install command of its own name', ['plugd-only']],
  ['an install command, ignored', ['-i', '-n', '-v', 'mii']],
  ['an install command that fails', ['tun']],
  ['an install command that fails, quietly', ['-q', 'tun']],
  ['an install command that fails, among others', ['-a', 'tun', 'mii']],
  ['the last module of an alias decides', ['twice']],
  ['blacklisted by its name', ['-n', '-v', 'loop']],
  ['blacklisted by its name, with -b', ['-n', '-v', '-b', 'loop']],
  ['blacklisted by an alias', ['-n', '-v', 'devname:loop-control']],
  ['blacklisted by an alias, listed', ['-R', 'devname:loop-control']],
  ['softdeps', ['-D', 'dm_mirror']],
  ['softdeps, ignored', ['-D', '-i', 'dm_mirror']],
  ['dry without -v', ['-n', 'fat']],
  ['dry with -q and -v', ['-n', '-q', '-v', 'fat']],
  ['dry with -v and -q', ['-n', '-v', '-q', 'fat']],
  ['removing what is not there', ['-r', 'nosuch']],
  ['removing what is not there, among others', ['-r', '-a', 'nosuch', 'fat']],
  ['removing what is not loaded', ['-r', 'fat', 'loop']],
  ['removing what is not loaded for the first time', ['-r', '--first-time', 'fat']],
  ['removing what is not loaded for the first time, -a', ['-r', '-a', '--first-time', 'fat', 'loop']],
  ['a remove command that fails', ['-r', 'mii']],
  ['a remove command that fails, quietly', ['-r', '-q', 'mii']],
  ['a remove command that fails, -a', ['-r', '-a', 'mii', 'plugd-only']],
  ['a remove command', ['-r', '-v', 'plugd-only']],
  ['a remove command, dry', ['-r', '-n', '-v', 'plugd-only']],
  ['remove, shown', ['-r', '-D', 'dm_mirror']],
  ['inserting in earnest', ['fat']],
  ['inserting in earnest, shown', ['-v', 'vfat']],
  ['inserting by force', ['-f', '-v', 'fat']],
  ['inserting several', ['-a', 'fat', 'nosuch', 'exfat']],
  ['exports', ['--show-exports', DIRECTORY('net/ipv6/ipv6.ko')]],
  ['no exports', ['--show-exports', DIRECTORY('fs/ext4/ext4.ko')]],
  ['versions', ['--show-modversions', DIRECTORY('fs/ext4/ext4.ko')]],
  ['versions, the other name', ['--dump-modversions', DIRECTORY('drivers/net/mii.ko')]],
  ['exports of what is no module', ['--show-exports', '/etc/passwd']],
  ['versions of what is no module', ['--show-modversions', '/etc/passwd']],
  ['versions of what is no module, -a', ['-a', '--show-modversions', '/etc/passwd']],
  ['exports of nothing', ['--show-exports', '/nonexistent']],
  ['exports of a directory', ['--show-exports', '/etc']],
];

const OPTIONS_SETS: readonly string[] = [
  '-v',
  '-v ',
  "'-v'",
  "-'v'",
  '-"v"',
  "-v''",
  '-n -v -D',
  '-a',
  "-C '/dev/null'",
  '-C /dev/null -D',
  'x',
  '\\-v',
  "a'b'c",
  '"x',
  '-Z',
  '--show-depends --',
];

t.test('messages, output and exit statuses', { skip }, async (t) => {
  const paths = writeSet(t.testdir(), CONFIG);
  // What comes later on the command line counts.
  const base = [...treeArguments(tree), ...configArguments(paths)];
  for (const [name, words] of WORDS) {
    const { theirs, ours } = await compareRun([...base, ...words]);
    for (const [program, own] of ours) t.equal(own, theirs, `${program}: ${name}`);
  }
  for (const env of OPTIONS_SETS) {
    for (const words of [['-n', 'fat'], ['mii'], ['-q', '-v', 'mii']]) {
      const { theirs, ours } = await compareRun([...base, ...words], { MODPROBE_OPTIONS: env });
      // kmod prints what it is about after the command's own output, unless that goes to a terminal.
      const sorted = (text: string) => text.split('\n').toSorted().join('\n');
      for (const [program, own] of ours)
        t.equal(sorted(own), sorted(theirs), `${program}: MODPROBE_OPTIONS=${env} ${words.join(' ')}`);
    }
  }
});
