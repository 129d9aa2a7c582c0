/**
 * Lists for boot against Debian's systemd-modules-load: the same entries in the same order, found, kept out or built in alike. It runs in a
 * folder of its own without the right to insert modules, so it only tries. (test/vm/systemd.test.ts has what both really load.)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { debianFiles, debianTree, needCommands } from '../fixtures/debian.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');

interface Row {
  /** Path in the folder → text, or a link. */
  readonly files?: Readonly<Record<string, string | { readonly link: string }>>;
  readonly commandLine?: string;
}

const LOAD = 'etc/modules-load.d/a.conf';
const ROWS: Readonly<Record<string, Row>> = {
  'names and comments': { files: { [LOAD]: '# one\n; two\nloop\n\n  dummy\t\n' } },
  'no newline at the end': { files: { [LOAD]: 'loop\ndummy' } },
  'Windows line ends': { files: { [LOAD]: 'loop\r\ndummy\r\n' } },
  'an indented comment': { files: { [LOAD]: '  # loop\n\t; dummy\ntun\n' } },
  'parameters, commas, quotes, suffixes and comments behind are part of the name': {
    files: { [LOAD]: 'loop max_loop=8\ndummy,\n"tun"\nveth.ko\nbridge # bridge\n' },
  },
  'dashes and underscores': { files: { [LOAD]: 'nf-nat\nnf_conntrack\nvirtio-net\n' } },
  'aliases of one module and of several': {
    files: { [LOAD]: 'fs-ext4\nnet-pf-17\npci:v00008086d000010D3sv0sd0bc02sc00i00\n' },
  },
  'what is built in': { files: { [LOAD]: 'unix\nrandom\nevdev\n' } },
  'what does not exist': { files: { [LOAD]: 'no_such_module\nloop\n' } },
  'files by name over all folders': {
    files: {
      'usr/lib/modules-load.d/b.conf': 'dummy\n',
      'etc/modules-load.d/c.conf': 'loop\n',
      'run/modules-load.d/a.conf': 'tun\n',
      'usr/local/lib/modules-load.d/d.conf': 'veth\n',
    },
  },
  'a name in two folders': { files: { [LOAD]: 'loop\n', 'usr/lib/modules-load.d/a.conf': 'dummy\n' } },
  '/run before /usr/lib': {
    files: { 'run/modules-load.d/a.conf': 'loop\n', 'usr/lib/modules-load.d/a.conf': 'dummy\n' },
  },
  'an empty file masks': { files: { [LOAD]: '', 'usr/lib/modules-load.d/a.conf': 'dummy\n' } },
  'a link to /dev/null masks': {
    files: { [LOAD]: { link: '/dev/null' }, 'usr/lib/modules-load.d/a.conf': 'dummy\n' },
  },
  'only names that end in .conf': {
    files: {
      'etc/modules-load.d/a': 'loop\n',
      'etc/modules-load.d/.b.conf': 'dummy\n',
      'etc/modules-load.d/c.conf': 'tun\n',
    },
  },
  'a link to another file': { files: { [LOAD]: { link: '../modules' }, 'etc/modules': 'loop\n' } },
  'blacklist lines': {
    files: { 'etc/modprobe.d/x.conf': 'blacklist dummy\nblacklist ext4\n', [LOAD]: 'dummy\nfs-ext4\nloop\n' },
  },
  'blacklist on the kernel command line': {
    files: { [LOAD]: 'dummy\nloop\n' },
    commandLine: 'quiet modprobe.blacklist=dummy,tun',
  },
  'names on the kernel command line come first': {
    files: { [LOAD]: 'loop\n' },
    commandLine: 'modules_load=tun,no_such modules-load=veth rd.modules_load=dummy quiet',
  },
  'options without a value, and empty names': {
    files: { [LOAD]: 'loop\n' },
    commandLine: 'modules_load modules_load=,tun,,veth',
  },
  'aliases of modprobe.d': {
    files: { 'etc/modprobe.d/x.conf': 'alias mine dummy\nalias off_ off\n', [LOAD]: 'mine\noff_\nloop\n' },
  },
  'the same entry twice': { files: { [LOAD]: 'loop\nloop\n', 'etc/modules-load.d/b.conf': 'loop\n' } },
};

/** What systemd-modules-load said: `insert loop`, each once, in order. */
function ofSystemd(log: string): readonly string[] {
  const outcomes: string[] = [];
  let entry = '';
  for (const line of log.split('\n')) {
    entry = /^Loading module: (.*)$/s.exec(line)?.[1] ?? entry;
    // An alias may lead to a module of which there is no file.
    if (/^Failed to (find module |insert module .*: No such file)/.test(line)) outcomes.push(`none ${entry}`);
    else if (/^(Failed to insert|Inserted) module /.test(line)) outcomes.push(`insert ${entry}`);
    else if (/is deny-listed/.test(line)) outcomes.push(`kept ${entry}`);
    else if (line.endsWith('is built in')) outcomes.push(`there ${entry}`);
  }
  return [...new Set(outcomes)];
}

const WORDS: Readonly<Record<string, string>> = {
  'to insert': 'insert',
  'not found': 'none',
  'kept out': 'kept',
  there: 'there',
};

/** The same of `plugd load -nv`: a line begins with a word and the entry, in columns. */
function ofPlugd(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [, word = '', entry = ''] = /^(to insert|not found|kept out|there) +(.*?)(?: {2,}| \/)/.exec(line) ?? [];
    return WORDS[word] === undefined ? [] : [`${WORDS[word]} ${entry}`];
  });
}

t.setTimeout(600_000);
const isRoot = process.getuid?.() === 0;
const tools = await needCommands(['setpriv', 'chroot', 'cp']);
const [files, tree] = [await debianFiles(['systemd'], 'amd64', { libraries: true }), await debianTree('amd64')];
const missing = [files, tree].find((each) => each.kind === 'missing');
const skip = !isRoot
  ? 'it needs root, for chroot'
  : tools.kind === 'missing'
    ? tools.sentence
    : missing?.kind === 'missing' && missing.sentence;

t.test('systemd-modules-load and plugd', { skip }, (t) => {
  if (files.kind !== 'ready' || tree.kind !== 'ready') return t.end();
  // Beside the cached files, so that links instead of copies do.
  const work = mkdtempSync(join(dirname(files.root), '.modules-load-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  chmodSync(work, 0o755);
  const root = join(work, 'root');
  execFileSync('cp', ['-al', files.root, root]);
  mkdirSync(join(root, 'lib/modules'), { recursive: true });
  execFileSync('cp', ['-al', join(tree.root, 'lib/modules', tree.kernel), join(root, 'lib/modules', release())]);
  for (const [rule, { files: own = {}, commandLine = 'quiet' }] of Object.entries(ROWS)) {
    for (const place of ['etc', 'run', 'usr/lib', 'usr/local/lib', 'lib'])
      for (const family of ['modules', 'modules-load.d', 'modprobe.d'])
        if (family !== 'modules' || place === 'etc')
          rmSync(join(root, place, family), { recursive: true, force: true });
    for (const [path, content] of Object.entries(own)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      if (typeof content === 'string') writeFileSync(join(root, path), content);
      else symlinkSync(content.link, join(root, path));
    }
    mkdirSync(join(root, 'proc'), { recursive: true });
    writeFileSync(join(root, 'proc/cmdline'), `${commandLine}\n`);
    const program = ['/usr/lib/systemd', '/lib/systemd']
      .map((place) => `${place}/systemd-modules-load`)
      .find((path) => existsSync(root + path));
    const powerless = ['--bounding-set', '-sys_module', '--inh-caps', '-sys_module'];
    const { stderr: log } = spawnSync('setpriv', [...powerless, 'chroot', root, program ?? ''], {
      encoding: 'latin1',
      env: {
        PATH: process.env['PATH'],
        SYSTEMD_LOG_LEVEL: 'debug',
        SYSTEMD_LOG_TARGET: 'console',
        SYSTEMD_LOG_COLOR: '0',
        SYSTEMD_PROC_CMDLINE: commandLine,
      },
    });
    const ended = spawnSync(
      process.execPath,
      [
        plugd,
        'load',
        '--boot-lists=kernel-command-line,modules-load.d',
        '-n',
        '-v',
        '--root',
        root,
        '--kernel',
        release(),
        '--proc',
        join(root, 'proc'),
      ],
      { encoding: 'latin1', env: { ...process.env, COLUMNS: '500' } },
    );
    const [theirs, ours] = [ofSystemd(log), ofPlugd(ended.stdout)];
    t.same(ours, theirs, `${rule}: ${theirs.join('; ')}`);
    t.equal(ended.status, 0, ended.stderr);
    if (rule === 'names and comments') t.same(theirs, ['insert loop', 'insert dummy'], 'the judge is awake');
  }
  return t.end();
});
