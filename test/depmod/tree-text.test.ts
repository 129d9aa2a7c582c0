import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRNO } from '../../agent/base/errno.ts';
import { toMachineText } from '../../agent/base/machine-text.ts';
import { indexFiles, readTree } from '../../agent/depmod/index-build.ts';
import { readTreeText, TEXT_LIMIT } from '../../agent/depmod/tree-text.ts';
import { makeModuleDirectory } from '../fixtures/made-tree.ts';

t.test('texts, and what is none', (t) => {
  const dir = t.testdir({ text: Buffer.from([0x61, 0xe9, 0x0a]), größe: 'x', folder: {} });
  const read = (name: string) => readTreeText('', toMachineText(join(dir, name)));
  const big = openSync(join(dir, 'big'), 'w');
  ftruncateSync(big, TEXT_LIMIT + 1);
  closeSync(big);
  symlinkSync('loop', join(dir, 'loop'));
  t.same(read('text'), { kind: 'text', text: 'a\xe9\n' });
  t.same(read('größe'), { kind: 'text', text: 'x' });
  t.same(read('none'), { kind: 'unread', errno: ERRNO.ENOENT, why: 'No such file or directory' });
  t.same(read('folder'), { kind: 'unread', errno: ERRNO.EISDIR, why: 'Is a directory' });
  t.same(read('loop'), { kind: 'unread', errno: ERRNO.ELOOP, why: 'Too many levels of symbolic links' });
  t.match(read('big'), { kind: 'unread', errno: ERRNO.EFBIG, why: /^larger than 128 MiB/ });
  t.end();
});

t.test('a fifo in place of a text of the build stops nothing', async (t) => {
  const dir = t.testdir({});
  makeModuleDirectory(dir, { 'kernel/a.ko': {} });
  const names = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo', 'System.map', 'Module.symvers'];
  if (names.some((name) => spawnSync('mkfifo', [join(dir, name)]).status !== 0)) return;
  const said: string[] = [];
  const say = (level: string, text: string) => said.push(`${level}: ${text.replaceAll(dir, 'DIR')}`);
  const options = { root: '', moduleDir: dir, kernel: '1.0', configPaths: [], say };
  const reading = await readTree(options);
  if (reading.kind !== 'read') throw new Error(reading.kind);
  const files = indexFiles({ root: '', moduleDir: dir }, reading.tree, { layout: 'children-first', say });
  t.equal(files.get('modules.dep')?.toString(), 'kernel/a.ko:\n');
  t.same(
    said.filter((text) => text.startsWith('warning')),
    [
      'warning: could not open modules.order at DIR: not a regular file',
      'warning: could not open modules.builtin at DIR: not a regular file',
      'warning: could not open modules.builtin.modinfo at DIR: not a regular file',
    ],
  );
  for (const file of ['systemMap', 'symvers'] as const) {
    const path = join(dir, file === 'systemMap' ? 'System.map' : 'Module.symvers');
    t.same(await readTree({ ...options, [file]: path }), {
      kind: 'failed',
      why: `could not load ${path}: not a regular file`,
    });
  }
});
