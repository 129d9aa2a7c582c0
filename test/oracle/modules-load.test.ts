/**
 * Lists for boot against Debian's systemd-modules-load: the same entries in the same order, found, kept out or built in alike. It runs in a
 * folder of its own without the right to insert modules, so it only tries. (`npm run lab:boot-lists` shows what both really load.)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { BOOT_LIST_SETS } from '../fixtures/roots/boot-list-sets.ts';
import { debianFiles, debianTree, needCommands } from '../fixtures/debian.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');

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
  for (const [rule, { files: own = {}, commandLine = 'quiet' }] of Object.entries(BOOT_LIST_SETS)) {
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
