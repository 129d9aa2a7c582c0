import { spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { ERRNO } from '../../agent/base/errno.ts';
import { fromMachineText } from '../../agent/base/machine-text.ts';
import {
  existsInRoot,
  insideOf,
  listInRoot,
  openByHand,
  openInRoot,
  resolveInRoot,
  statHere,
  statInRoot,
} from '../../agent/base/root.ts';
import { Random } from '../fixtures/random.ts';

const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** A tree, and beside it the host's files that nothing in it may reach. */
function plant(top: string): string {
  const root = join(top, 'image');
  const files: Record<string, string> = {
    secret: 'HOST',
    'image/etc/a.conf': 'inside a',
    'image/usr/lib/b.conf': 'inside b',
    'image/secret': 'inside secret',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  }
  return root;
}

/** What is read through `open`: the text, or the errno. */
function read(open: (flags: number) => number): string | number {
  const fd = open(READ);
  if (fd < 0) return fd;
  try {
    return readFileSync(fd, 'utf8');
  } catch {
    return 'no file';
  } finally {
    closeSync(fd);
  }
}

const links: Record<string, readonly [target: string, read: string | number]> = {
  'an absolute link leads to the tree': ['/usr/lib/b.conf', 'inside b'],
  'a relative link leads to the tree': ['../usr/lib/b.conf', 'inside b'],
  'the top has no folder above it': ['../../../../secret', 'inside secret'],
  'a link to nothing': ['/not/there', -ERRNO.ENOENT],
  'a link to itself': ['link', -ERRNO.ELOOP],
  'a file is no folder': ['/etc/a.conf/x', -ERRNO.ENOTDIR],
  'a trailing slash wants a folder': ['/etc/a.conf/', -ERRNO.ENOTDIR],
};
for (const [name, [target, expected]] of Object.entries(links)) {
  t.test(name, (t) => {
    const root = plant(t.testdir());
    symlinkSync(target, join(root, 'etc/link'));
    t.equal(
      read((flags) => openInRoot(root, join(root, 'etc/link'), flags)),
      expected,
      'by openat2',
    );
    t.equal(
      read((flags) => openByHand(root, '/etc/link', flags)),
      expected,
      'by hand',
    );
    t.equal(existsInRoot(root, join(root, 'etc/link')), typeof expected === 'string');
    t.equal(statInRoot(root, join(root, 'etc/link'))?.isFile() ?? false, typeof expected === 'string');
    t.end();
  });
}

t.test("the host's own absolute path in a link does not lead to the host", (t) => {
  const top = t.testdir();
  const root = plant(top);
  symlinkSync(join(top, 'secret'), join(root, 'etc/link'));
  t.equal(
    read((flags) => openInRoot(root, join(root, 'etc/link'), flags)),
    -ERRNO.ENOENT,
  );
  mkdirSync(join(root, top), { recursive: true });
  writeFileSync(join(root, top, 'secret'), 'the namesake inside');
  t.equal(
    read((flags) => openInRoot(root, join(root, 'etc/link'), flags)),
    'the namesake inside',
  );
  t.end();
});

t.test('folders are listed and resolved inside', (t) => {
  const root = plant(t.testdir());
  symlinkSync('/usr', join(root, 'etc/u'));
  const entries = listInRoot(root, join(root, 'etc/u/lib'));
  t.same(typeof entries === 'number' ? entries : entries.map(({ name }) => name), ['b.conf']);
  t.equal(resolveInRoot(root, join(root, 'etc/u/lib/b.conf')), join(root, 'usr/lib/b.conf'));
  t.equal(listInRoot(root, join(root, 'etc/a.conf')), -ERRNO.ENOTDIR);
  t.equal(resolveInRoot(root, join(root, 'nowhere')), -ERRNO.ENOENT);
  t.end();
});

t.test('names that are not UTF-8 are followed byte for byte', (t) => {
  const root = plant(t.testdir());
  const folder = Buffer.from(`${root}/gr\xf6`, 'latin1');
  mkdirSync(folder);
  writeFileSync(Buffer.concat([folder, Buffer.from('/c')]), 'inside c');
  symlinkSync(Buffer.from('/gr\xf6/c', 'latin1'), join(root, 'etc/link'));
  for (const inside of ['/etc/link', fromMachineText('/gr\xf6/c')]) {
    t.equal(
      read((flags) => openInRoot(root, root + inside, flags)),
      'inside c',
      'by openat2',
    );
    t.equal(
      read((flags) => openByHand(root, inside, flags)),
      'inside c',
      'by hand',
    );
  }
  t.end();
});

t.test('what is missing can be made on the way', (t) => {
  const root = plant(t.testdir());
  const made: string[] = [];
  const fd = openByHand(root, '/usr/new/er', READ, (entry) => {
    made.push(String(entry).slice(String(entry).lastIndexOf('/') + 1));
    mkdirSync(entry);
  });
  t.ok(fd >= 0);
  closeSync(fd);
  t.same(made, ['new', 'er']);
  t.equal(
    openByHand(root, '/usr/other', READ, () => {}),
    -ERRNO.ENOENT,
    'or not',
  );
  t.end();
});

t.test('insideOf: paths of the tree, and others', (t) => {
  t.equal(insideOf('/mnt/image', '/mnt/image/etc'), '/etc');
  t.equal(insideOf('/mnt/image', '/mnt/image'), '/');
  t.equal(insideOf('/mnt/image', '/mnt/image2/etc'), undefined);
  t.equal(insideOf('', '/etc'), undefined, 'the live machine has no inside');
  t.end();
});

t.test('the kernel and the walk by hand agree on 2,000 random paths and links', (t) => {
  const top = t.testdir();
  const root = join(top, 'r');
  const random = new Random(7);
  const names = ['a', 'b', 'c', '..', '.', 'f', 'l', 'm'];
  const path = () =>
    `${random.of(['', '/', '../'])}${Array.from({ length: 1 + random.below(5) }, () => random.of(names)).join('/')}`;
  for (const folder of ['a/b/c', 'a/c', 'b/a', 'c']) mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ['', 'a', 'a/b', 'a/b/c', 'b', 'b/a', 'c']) {
    writeFileSync(join(root, folder, 'f'), folder);
    symlinkSync(path(), join(root, folder, 'l'));
    symlinkSync(path(), join(root, folder, 'm'));
  }
  const differing: string[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const inside = `/${path()}`;
    const kernel = read((flags) => openInRoot(root, root + inside, flags));
    const byHand = read((flags) => openByHand(root, inside, flags));
    seen.add(String(kernel));
    if (kernel !== byHand) differing.push(`${inside}: ${kernel} and ${byHand}`);
  }
  t.same(differing, []);
  t.ok(seen.size > 5, `${seen.size} different endings`);
  t.end();
});

t.test('a link that changes all the time never leads out', async (t) => {
  const top = t.testdir();
  const root = plant(top);
  const swap = `
    const { renameSync, symlinkSync, mkdirSync, writeFileSync } = require('node:fs');
    const [root, secret] = process.argv.slice(1);
    for (let i = 0; ; i++) {
      try { symlinkSync(i % 3 ? secret : '../../../../../../../../' + secret, root + '/next'); renameSync(root + '/next', root + '/etc/raced'); } catch {}
      try { writeFileSync(root + '/next', 'inside'); renameSync(root + '/next', root + '/etc/raced'); } catch {}
      if (i === 10) console.log('running');
    }`;
  const child = spawn(process.execPath, ['-e', swap, root, join(top, 'secret')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => {
    child.stdout.once('data', resolve);
  });
  let leaks = 0;
  const endings = new Set<string>();
  for (let i = 0; i < 4000; i++) {
    const text =
      i % 2 === 0
        ? read((flags) => openInRoot(root, join(root, 'etc/raced'), flags))
        : read((flags) => openByHand(root, '/etc/raced', flags));
    if (text === 'HOST') leaks++;
    endings.add(String(text));
  }
  child.kill('SIGKILL');
  t.equal(leaks, 0);
  t.ok(endings.has('inside'), [...endings].join(', '));
});

t.test('what cannot be looked at is not there', (t) => {
  const dir = t.testdir({ file: 'x', loop: t.fixture('symlink', 'loop') });
  t.equal(statHere(join(dir, 'file'))?.isFile(), true);
  t.equal(statHere(Buffer.from(join(dir, 'file')))?.isFile(), true);
  for (const [rule, name] of [
    ['ENOENT', 'none'],
    ['ENOTDIR', 'file/below'],
    ['ELOOP', 'loop'],
    ['ENAMETOOLONG', 'n'.repeat(300)],
  ] as const)
    t.equal(statHere(join(dir, name)), undefined, rule);
  t.end();
});
