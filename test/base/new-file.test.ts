import { lstatSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceFile, writeNewFile } from '../../agent/base/new-file.ts';

t.test('a new file has its name only when it is placed', (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'a/b/file');
  const file = writeNewFile(path, 'text', 0o640);
  t.notOk(readdirSync(join(folder, 'a/b')).includes('file'));
  file.place();
  file.drop();
  t.same(readdirSync(join(folder, 'a/b')), ['file']);
  t.equal(readFileSync(path, 'utf8'), 'text');
  t.equal(statSync(path).mode & 0o7777, 0o640);
  t.end();
});

t.test('a name that is taken stays taken', (t) => {
  const folder = t.testdir({ file: 'old' });
  const file = writeNewFile(join(folder, 'file'), 'new', 0o644);
  t.throws(() => file.place(), { code: 'EEXIST' });
  file.drop();
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), 'old');
  t.same(readdirSync(folder), ['file']);
  t.end();
});

t.test('a file that is replaced keeps its mode, and a link stays a link', (t) => {
  const folder = t.testdir({ real: {}, links: {} });
  writeFileSync(join(folder, 'real/file'), 'old', { mode: 0o600 });
  symlinkSync('../real/file', join(folder, 'links/file'));
  replaceFile(join(folder, 'links/file'), 'new');
  t.ok(lstatSync(join(folder, 'links/file')).isSymbolicLink());
  t.equal(readFileSync(join(folder, 'real/file'), 'utf8'), 'new');
  t.equal(statSync(join(folder, 'real/file')).mode & 0o7777, 0o600);
  t.same([...readdirSync(join(folder, 'real')), ...readdirSync(join(folder, 'links'))], ['file', 'file']);
  t.end();
});

t.test('what cannot be replaced leaves nothing behind', (t) => {
  const folder = t.testdir({});
  mkdirSync(join(folder, 'file/full'), { recursive: true });
  t.throws(() => replaceFile(join(folder, 'file'), 'new'));
  t.same(readdirSync(folder), ['file']);
  t.end();
});
