import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { Host } from '../../../agent/base/host.ts';
import {
  readDepmodConfig,
  readKernelCommandLine,
  readModprobeConfig,
  readUdevRules,
  type ConfigTexts,
} from '../../../agent/facts/config/config-text.ts';
import { runProgram } from '../../fixtures/commands.ts';

type Tree = Record<string, string | { link: string }>;

/** A root with these files; `{ link }` is a symbolic link, a path that ends in a slash a directory. */
function makeRoot(root: string, tree: Tree): Host {
  for (const [path, content] of Object.entries(tree)) {
    const file = join(root, path);
    mkdirSync(path.endsWith('/') ? file : dirname(file), { recursive: true });
    if (typeof content === 'object') symlinkSync(content.link, file);
    else if (!path.endsWith('/')) writeFileSync(file, content, 'latin1');
  }
  return { root, kernel: '6.1', moduleDir: `${root}/lib/modules/6.1`, sysfs: `${root}/sys`, proc: `${root}/proc` };
}

const short = (root: string, { texts }: ConfigTexts) => texts.map(({ file, text }) => [file.slice(root.length), text]);

t.test('the files of all directories are one list in the order of their names', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, {
    'etc/modprobe.d/b.conf': 'etc b',
    'run/modprobe.d/a.conf': 'run a',
    'usr/local/lib/modprobe.d/c.conf': 'local c',
    'usr/lib/modprobe.d/B.conf': 'upper case sorts first',
    'lib/modprobe.d/zz.conf': 'lib zz',
    'lib/modules/6.1/modules.softdep': 'softdep',
    'lib/modules/6.1/modules.weakdep': 'weakdep',
  });
  t.same(short(root, readModprobeConfig(host)), [
    ['/usr/lib/modprobe.d/B.conf', 'upper case sorts first'],
    ['/run/modprobe.d/a.conf', 'run a'],
    ['/etc/modprobe.d/b.conf', 'etc b'],
    ['/usr/local/lib/modprobe.d/c.conf', 'local c'],
    ['/lib/modules/6.1/modules.softdep', 'softdep'],
    ['/lib/modules/6.1/modules.weakdep', 'weakdep'],
    ['/lib/modprobe.d/zz.conf', 'lib zz'],
  ]);
  t.same(readModprobeConfig(host).unread, []);
  t.end();
});

t.test('masks', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, {
    'etc/modprobe.d/empty.conf': '',
    'etc/modprobe.d/null.conf': { link: '/dev/null' },
    'etc/modprobe.d/dangling.conf': { link: '/nowhere/at/all' },
    'etc/modprobe.d/directory.conf/': '',
    'lib/modprobe.d/empty.conf': 'hidden',
    'lib/modprobe.d/null.conf': 'hidden',
    'lib/modprobe.d/dangling.conf': 'seen: a dangling link hides nothing',
    'lib/modprobe.d/directory.conf': 'seen: nor does a directory',
  });
  const config = readModprobeConfig(host);
  t.same(short(root, config), [
    ['/lib/modprobe.d/dangling.conf', 'seen: a dangling link hides nothing'],
    ['/lib/modprobe.d/directory.conf', 'seen: nor does a directory'],
    ['/etc/modprobe.d/empty.conf', ''],
    ['/etc/modprobe.d/null.conf', ''],
  ]);
  t.same(
    config.unread.toSorted((a, b) => (a.file < b.file ? -1 : 1)),
    [
      { file: `${root}/etc/modprobe.d/dangling.conf`, why: 'a symbolic link to nothing' },
      { file: `${root}/etc/modprobe.d/directory.conf`, why: 'a directory, not a file' },
    ],
  );
  t.end();
});

t.test('only names that end in .conf and do not begin with a dot', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, {
    'etc/modprobe.d/.conf': 'no',
    'etc/modprobe.d/.a.conf': 'no',
    'etc/modprobe.d/a.conf~': 'no',
    'etc/modprobe.d/a.alias': 'no',
    'etc/modprobe.d/README': 'no',
    'etc/modprobe.d/a.conf': 'yes',
  });
  t.same(short(root, readModprobeConfig(host)), [['/etc/modprobe.d/a.conf', 'yes']]);
  t.end();
});

t.test('-C: directories and files as they are, merged by name, missing ones passed over', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, {
    'etc/modprobe.d/a.conf': 'not asked for',
    'one/x.conf': 'one x',
    'one/b.conf': 'one b',
    'two/x.conf': 'two x',
    'two/c.conf': 'two c',
    'single.txt': 'any name will do',
    'lib/modules/6.1/modules.softdep': 'still there',
  });
  const paths = ['one', 'two', 'missing', 'single.txt', 'single.txt/below'].map((path) => join(root, path));
  const config = readModprobeConfig(host, { paths });
  t.same(short(root, config), [
    ['/one/b.conf', 'one b'],
    ['/two/c.conf', 'two c'],
    ['/lib/modules/6.1/modules.softdep', 'still there'],
    ['/single.txt', 'any name will do'],
    ['/one/x.conf', 'one x'],
  ]);
  t.same(config.unread, []);
  t.end();
});

t.test('an unreadable file is named, the others are read', (t) => {
  // Root reads everything, so nobody reads here; and nobody may look into the tests' own folder.
  const root = mkdtempSync(join(tmpdir(), 'plugd-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  const host = makeRoot(root, {
    'etc/modprobe.d/a.conf': 'secret',
    'etc/modprobe.d/b.conf': 'open',
    'run/modprobe.d/c.conf': 'no',
  });
  chmodSync(join(root, 'etc/modprobe.d/a.conf'), 0);
  chmodSync(join(root, 'run/modprobe.d'), 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  const config = readModprobeConfig(host);
  if (isRoot) process.seteuid?.(0);
  chmodSync(join(root, 'run/modprobe.d'), 0o755);
  t.same(short(root, config), [['/etc/modprobe.d/b.conf', 'open']]);
  t.same(config.unread, [
    { file: `${root}/run/modprobe.d`, why: 'permission denied' },
    { file: `${root}/etc/modprobe.d/a.conf`, why: 'permission denied' },
  ]);
  t.end();
});

t.test('a pipe is named and not waited for', async (t) => {
  const root = t.testdir();
  const host = makeRoot(root, { 'etc/modprobe.d/b.conf': 'open' });
  t.equal((await runProgram('mkfifo', [join(root, 'etc/modprobe.d/a.conf')])).status, 0);
  const config = readModprobeConfig(host);
  t.same(short(root, config), [['/etc/modprobe.d/b.conf', 'open']]);
  t.same(config.unread, [{ file: `${root}/etc/modprobe.d/a.conf`, why: 'not a regular file' }]);
});

t.test('a link that leads to itself is named', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, { 'etc/modprobe.d/a.conf': { link: 'a.conf' }, 'etc/modprobe.d/b.conf': 'open' });
  const config = readModprobeConfig(host);
  t.same(short(root, config), [['/etc/modprobe.d/b.conf', 'open']]);
  t.match(config.unread, [{ file: `${root}/etc/modprobe.d/a.conf`, why: 'a symbolic link that leads to itself' }]);
  t.end();
});

t.test('bytes that are not UTF-8 stay bytes', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, { 'etc/modprobe.d/a.conf': 'alias \xff\xfe m' });
  t.same(short(root, readModprobeConfig(host)), [['/etc/modprobe.d/a.conf', 'alias \xff\xfe m']]);
  t.end();
});

t.test('udev rules, depmod.d and the kernel command line', (t) => {
  const root = t.testdir();
  const host = makeRoot(root, {
    'etc/udev/rules.d/80-drivers.rules': { link: '/dev/null' },
    'usr/lib/udev/rules.d/80-drivers.rules': 'masked',
    'run/udev/rules.d/10-a.rules': 'a',
    'run/udev/rules.d/10-a.conf': 'not rules',
    'etc/depmod.d/x.conf': 'search updates',
    'proc/cmdline': 'quiet a.b=c\n',
  });
  t.same(short(root, readUdevRules(host)), [
    ['/run/udev/rules.d/10-a.rules', 'a'],
    ['/etc/udev/rules.d/80-drivers.rules', ''],
  ]);
  t.same(short(root, readDepmodConfig(host)), [['/etc/depmod.d/x.conf', 'search updates']]);
  t.same(readKernelCommandLine(host), { file: `${root}/proc/cmdline`, text: 'quiet a.b=c' });
  t.same(readKernelCommandLine({ ...host, proc: `${root}/no` }), { file: `${root}/no/cmdline`, text: '' });
  t.same(readUdevRules({ ...host, root: `${root}/no` }), { texts: [], unread: [], hidden: [] });
  t.equal(readUdevRules({ ...host, root: '/no' }, { root }).texts.length, 2, 'another root on request');
  t.same(
    readModprobeConfig(host, { paths: ['/dev/null'] }).texts,
    [{ file: '/dev/null', text: '' }],
    'modprobe -C /dev/null',
  );
  t.end();
});
