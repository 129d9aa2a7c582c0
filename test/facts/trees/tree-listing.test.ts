import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { moduleFile } from '../../../agent/base/names.ts';
import { changedAt, listModuleFiles } from '../../../agent/facts/trees/tree-listing.ts';

t.test('every module file counts, plain or compressed, where depmod looks', (t) => {
  const moduleDir = t.testdir({
    'a.ko': '',
    kernel: {
      'b.ko.xz': '',
      'c.ko.zst': '',
      'd.ko.gz': '',
      'e.ko.bz2': '',
      'f.o': '',
      'g.ko': {},
      build: { 'h.ko': '' },
    },
    build: { 'i.ko': '' },
    source: { 'j.ko': '' },
  });
  symlinkSync('b.ko.xz', `${moduleDir}/kernel/link.ko`);
  symlinkSync('nowhere', `${moduleDir}/kernel/broken.ko`);
  symlinkSync('kernel', `${moduleDir}/folder`);
  const found = listModuleFiles(moduleDir);
  t.same(found.map(({ path }) => path).toSorted(), [
    'a.ko',
    'kernel/b.ko.xz',
    'kernel/build/h.ko',
    'kernel/c.ko.zst',
    'kernel/d.ko.gz',
    'kernel/link.ko',
  ]);
  t.equal(found[0]?.seconds, changedAt(`${moduleDir}/${found[0]?.path}`));
  t.same(listModuleFiles(`${moduleDir}/none`), []);
  t.equal(changedAt(`${moduleDir}/none`), undefined);
  t.end();
});

t.test('paths are those of modules.dep, byte for byte', (t) => {
  const moduleDir = `${t.testdir({})}/größe`;
  mkdirSync(moduleDir);
  mkdirSync(`${moduleDir}/höhe`);
  writeFileSync(`${moduleDir}/höhe/a.ko`, 'x');
  const [found] = listModuleFiles(moduleDir);
  t.equal(found?.path, 'h\xc3\xb6he/a.ko');
  t.equal(readFileSync(moduleFile({ moduleDir }, found?.path ?? ''), 'utf8'), 'x');
  t.end();
});
