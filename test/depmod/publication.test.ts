import { spawn, spawnSync } from 'node:child_process';
import { on, once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isUpToDate } from '../../agent/depmod/freshness.ts';
import { publishIndexes } from '../../agent/depmod/publication.ts';
import { runProgram } from '../fixtures/commands.ts';
import { makeModuleDirectory } from '../fixtures/made-tree.ts';

const NAMES = [
  'modules.dep',
  'modules.dep.bin',
  'modules.alias',
  'modules.alias.bin',
  'modules.softdep',
  'modules.weakdep',
  'modules.symbols',
  'modules.symbols.bin',
  'modules.builtin.bin',
  'modules.builtin.alias.bin',
  'modules.devname',
];
const files = (text: string) => new Map(NAMES.map((name) => [name, Buffer.from(`${text} ${name}`)]));

t.test('files take their places in an order in which a reader finds what an index names', async (t) => {
  const dir = join(t.testdir({}), 'made/on/demand');
  mkdirSync(dir, { recursive: true });
  const seen: string[] = [];
  const watcher = watch(dir);
  t.same(publishIndexes(dir, files('new')), { kind: 'published' });
  writeFileSync(join(dir, 'last'), '');
  for await (const [, name] of on(watcher, 'change') as AsyncIterable<[event: string, name: string]>) {
    if (name === 'last') break;
    if (name.startsWith('modules.')) seen.push(name);
  }
  watcher.close();
  rmSync(join(dir, 'last'));
  t.same([...seen].toSorted(), [...NAMES].toSorted(), 'each once, whole');
  const at = (name: string) => seen.indexOf(name);
  t.equal(at('modules.dep.bin'), 0, 'where modules are, first');
  t.equal(at('modules.dep'), NAMES.length - 1, 'what -A and the agent look at, last');
  t.ok(at('modules.alias.bin') > at('modules.symbols.bin') && at('modules.symbols.bin') > at('modules.dep.bin'));
  for (const name of NAMES) {
    t.equal(readFileSync(join(dir, name), 'utf8'), `new ${name}`);
    t.equal(statSync(join(dir, name)).mode & 0o777, 0o644 & ~process.umask());
  }
  t.same(readdirSync(dir).toSorted(), [...NAMES].toSorted(), 'nothing else is left');
});

t.test('directories are made', (t) => {
  const dir = join(t.testdir({}), 'a/b/c');
  t.same(publishIndexes(dir, files('x')), { kind: 'published' });
  t.equal(readFileSync(join(dir, 'modules.dep'), 'utf8'), 'x modules.dep');
  // `-o out/` makes such names.
  t.same(publishIndexes(`${dir}/d//e/`, files('y')), { kind: 'published' });
  t.equal(readFileSync(join(dir, 'd/e/modules.dep'), 'utf8'), 'y modules.dep');
  t.end();
});

t.test('what killed runs left is removed, what others write is not', (t) => {
  const dir = t.testdir({
    '.modules.dep.plugd-4999999': 'half',
    [`.modules.alias.plugd-${process.ppid}`]: 'busy',
    '.modules.dep': 'mine',
  });
  publishIndexes(dir, new Map([['modules.dep', Buffer.from('x')]]));
  t.same(
    readdirSync(dir).toSorted(),
    ['.modules.dep', `.modules.alias.plugd-${process.ppid}`, 'modules.dep'].toSorted(),
  );
  t.end();
});

t.test('what cannot be done is said and leaves everything as it was', (t) => {
  const dir = t.testdir({ file: 'x', 'modules.dep.bin': 'old' });
  t.match(publishIndexes(join(dir, 'file'), files('x')), {
    kind: 'unpublished',
    why: /^could not mkdir .*\/file: (File exists|Not a directory)$/,
  });
  t.match(publishIndexes('/proc/plugd', files('x')), {
    kind: 'unpublished',
    why: 'could not mkdir /proc/plugd: No such file or directory',
  });
  t.same(readdirSync(dir).toSorted(), ['file', 'modules.dep.bin']);
  t.end();
});

t.test('a full disk leaves the old files', (t) => {
  const dir = t.testdir({ disk: {} });
  const disk = join(dir, 'disk');
  const script = `
    import { publishIndexes } from '${join(import.meta.dirname, '../../agent/depmod/publication.js')}';
    import { readdirSync, readFileSync } from 'node:fs';
    const publish = (size) => publishIndexes('${disk}', new Map([['modules.dep', Buffer.alloc(10)], ['modules.alias', Buffer.alloc(size)]]));
    const outcomes = [publish(10), publish(1 << 20), publish(20)];
    const files = readdirSync('${disk}').map((name) => [name, readFileSync('${disk}/' + name).length]);
    console.log(JSON.stringify({ outcomes, files }));`;
  writeFileSync(join(dir, 'full.mjs'), script);
  const shell = 'mount -t tmpfs -o size=128k none "$1" && exec "$2" "$3"';
  const run = spawnSync('unshare', ['-Urm', 'sh', '-c', shell, 'sh', disk, process.execPath, join(dir, 'full.mjs')], {
    encoding: 'utf8',
  });
  if (/unshare|mount/.test(run.stderr)) {
    t.comment(`no file system of one's own here: ${run.stderr}`);
    t.end();
    return;
  }
  t.same(JSON.parse(run.stdout), {
    outcomes: [
      { kind: 'published' },
      { kind: 'unpublished', why: `could not write ${disk}: No space left on device` },
      { kind: 'published' },
    ],
    files: [
      ['modules.alias', 20],
      ['modules.dep', 10],
    ],
  });
  t.end();
});

t.test('freshness of trees that are odd', (t) => {
  const said: string[] = [];
  const say = (level: string, text: string) => said.push(`${level}: ${text}`);
  const dir = t.testdir({ 'a.ko': 'x', up: t.fixture('symlink', '.'), dangling: t.fixture('symlink', 'nowhere') });
  t.equal(isUpToDate({ root: '', moduleDir: join(dir, 'none') }, say), false);
  t.equal(isUpToDate({ root: '', moduleDir: dir }, say), false);
  writeFileSync(join(dir, 'modules.dep'), '');
  t.equal(isUpToDate({ root: '', moduleDir: dir }, say), true);
  t.same(said, [
    `error: could not open directory ${dir}/none: No such file or directory`,
    `error: could not fstatat(${dir}, modules.dep): No such file or directory`,
    `error: ${dir}/dangling: No such file or directory`,
  ]);
  t.end();
});

t.test('nothing is written through links that stand there', (t) => {
  const dir = t.testdir({ tree: {}, victim: 'untouched' });
  const tree = join(dir, 'tree');
  for (const name of NAMES) symlinkSync(join(dir, 'victim'), join(tree, name));
  t.same(publishIndexes(tree, files('new')), { kind: 'published' });
  t.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'untouched');
  for (const name of NAMES) t.ok(lstatSync(join(tree, name)).isFile(), name);
  t.end();
});

t.test('names of unfinished files cannot be guessed, and one that is there is refused', (t) => {
  const dir = t.testdir({});
  const script = `
    import { publishIndexes } from '${join(import.meta.dirname, '../../agent/depmod/publication.js')}';
    for (let i = 0; i < 2; i++) publishIndexes('${dir}', new Map([['modules.dep', Buffer.alloc(10)]]));`;
  const trace = join(dir, 'trace');
  const run = spawnSync('strace', [
    '-f',
    '-o',
    trace,
    '-e',
    'trace=openat',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ]);
  if (run.status !== 0) {
    t.comment('no strace here');
    t.end();
    return;
  }
  const opens = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes('/.modules.dep.plugd-'));
  t.equal(opens.length, 2);
  for (const line of opens) t.match(line, /O_EXCL.*O_NOFOLLOW|O_NOFOLLOW.*O_EXCL/);
  t.equal(new Set(opens.map((line) => /plugd-\d+-([0-9a-f]{16})"/.exec(line)?.[1])).size, 2, 'another name each time');
  t.end();
});

/** As the owner of IMAGE: swaps links to OUTSIDE in and out, and plants them under every name that a writer may use. */
const PLANTER = `
  const fs = require('node:fs');
  const [image, outside] = process.argv.slice(1);
  const dir = image + '/lib/modules/1.0';
  const tried = (work) => { try { work(); return 1; } catch { return 0; } };
  let planted = 0;
  const names = () => { try { return fs.readdirSync(dir); } catch { return []; } };
  for (let turn = 0; ; turn++) {
    for (const name of names()) {
      // An unfinished file is replaced by a link as soon as it is seen.
      if (name.startsWith('.modules.') && tried(() => fs.unlinkSync(dir + '/' + name)))
        planted += tried(() => fs.symlinkSync(outside + '/victim', dir + '/' + name));
      else if (turn % 8 === 0 && name.startsWith('modules.') && tried(() => fs.unlinkSync(dir + '/' + name)))
        planted += tried(() => fs.symlinkSync(outside + '/victim', dir + '/' + name));
    }
    for (const [path, target] of [['/lib', outside], ['/lib/modules/1.0', outside + '/modules/1.0']]) {
      if (!tried(() => fs.renameSync(image + path, image + '/kept'))) continue;
      planted += tried(() => fs.symlinkSync(target, image + path));
      tried(() => fs.unlinkSync(image + path));
      if (tried(() => fs.renameSync(image + '/kept', image + path))) continue;
      // The writer made folders where there were none.
      tried(() => fs.renameSync(image + path, image + path + '.made' + turn));
      tried(() => fs.renameSync(image + '/kept', image + path));
    }
    if (turn % 64 === 0) fs.writeSync(1, planted + '\\n');
  }`;

t.test('the owner of a tree wins no race against root', { skip: isRoot() ? false : 'needs root' }, async (t) => {
  const top = mkdtempSync(join(tmpdir(), 'plugd-race-'));
  t.teardown(() => rmSync(top, { recursive: true }));
  chmodSync(top, 0o755);
  const [image, outside] = [join(top, 'image'), join(top, 'outside')];
  makeModuleDirectory(join(image, 'lib/modules/1.0'), { 'kernel/a.ko': { modinfo: ['alias=x'] }, 'modules.order': '' });
  mkdirSync(join(outside, 'modules/1.0'), { recursive: true });
  writeFileSync(join(outside, 'victim'), 'untouched');
  for (const path of ['', ...readdirSync(image, { recursive: true, encoding: 'utf8' })])
    chownSync(join(image, path), 65534, 65534);
  const planter = spawn(process.execPath, ['-e', PLANTER, image, outside], {
    uid: 65534,
    gid: 65534,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => planter.kill('SIGKILL'));
  const ended = once(planter, 'exit').then(([status]) => {
    throw new Error(`the planter ended with ${String(status)}`);
  });
  ended.catch(() => undefined);
  const planted = async () =>
    Number(
      String((await Promise.race([once(planter.stdout, 'data'), ended]))[0])
        .trim()
        .split('\n')
        .at(-1),
    );
  const before = await planted();
  const statuses: Array<number | null> = [];
  for (let race = 0; race < 10; race++) {
    const cli = join(import.meta.dirname, '../../agent/cli.js');
    statuses.push((await runProgram(process.execPath, [cli, 'depmod', '-b', image, '1.0'])).status);
  }
  t.ok((await planted()) > before, 'links were planted meanwhile');
  t.ok(
    statuses.every((status) => status === 0 || status === 1),
    statuses.join(' '),
  );
  t.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'untouched');
  t.same(readdirSync(outside, { recursive: true, encoding: 'utf8' }).toSorted(), ['modules', 'modules/1.0', 'victim']);
});

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
