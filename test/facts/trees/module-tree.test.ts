import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { readModuleTree } from '../../../agent/facts/trees/module-tree.ts';

t.test('files are read when they are asked for', (t) => {
  const dir = t.testdir({ 'modules.dep.bin': 'bytes\xff', 'modules.alias': 'alias a b\n' });
  const tree = readModuleTree({ root: '', moduleDir: dir });
  t.equal(tree?.dir, dir);
  t.same(tree?.readIndex('modules.dep'), Buffer.from('bytes\xff'));
  t.equal(tree?.readIndex('modules.alias'), undefined, 'there is no modules.alias.bin');
  t.equal(tree?.readText('modules.alias'), 'alias a b\n');
  t.equal(tree?.readText('modules.dep'), undefined);
  writeFileSync(`${dir}/modules.order`, Buffer.from([0x61, 0xe4, 0x0a]));
  t.equal(tree?.readText('modules.order'), 'a\xe4\n', 'one byte is one character');
  t.end();
});

t.test('no directory', (t) => {
  const dir = t.testdir({ file: '' });
  t.equal(readModuleTree({ root: '', moduleDir: `${dir}/nothing` }), undefined);
  t.equal(readModuleTree({ root: '', moduleDir: `${dir}/file` }), undefined);
  t.end();
});

t.test('a file that cannot be read', (t) => {
  const dir = t.testdir({ 'modules.dep.bin': {}, 'modules.dep': 'x' });
  const tree = readModuleTree({ root: '', moduleDir: dir });
  t.throws(() => tree?.readIndex('modules.dep'), {
    code: 'unreadable',
    message: /modules\.dep\.bin: a directory, not a file/,
  });
  if (process.getuid?.() !== 0) {
    chmodSync(`${dir}/modules.dep`, 0);
    t.throws(() => tree?.readText('modules.dep'), { code: 'unreadable', message: /permission denied/ });
  }
  t.end();
});

t.test('the generation changes with every change, and only then', (t) => {
  const dir = t.testdir({ 'modules.dep.bin': 'a', 'modules.builtin.modinfo': 'b', 'modules.devname': 'c' });
  const tree = readModuleTree({ root: '', moduleDir: dir });
  let last = tree?.generation();
  t.equal(tree?.generation(), last, 'nothing has happened');
  writeFileSync(`${dir}/modules.devname`, 'changed');
  t.equal(tree?.generation(), last, 'a file that takes no part in a lookup');
  const change = (what: string, work: () => void): void => {
    work();
    const now = tree?.generation();
    t.not(now, last, what);
    last = now;
  };
  change('a longer file', () => writeFileSync(`${dir}/modules.dep.bin`, 'aa'));
  change('a new file', () => writeFileSync(`${dir}/modules.alias`, ''));
  change('another file of the same size and name, as depmod does it', () => {
    writeFileSync(`${dir}/tmp`, 'zz');
    renameSync(`${dir}/tmp`, `${dir}/modules.dep.bin`);
  });
  change('a file less', () => rmSync(`${dir}/modules.builtin.modinfo`));
  t.end();
});
