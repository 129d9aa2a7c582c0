import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { moduleNameFromPath } from '../../agent/base/names.ts';
import { readModules } from '../../agent/depmod/module-contents.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

t.test('modules are taken in their order, plain and compressed ones mixed', async (t) => {
  const dir = t.testdir({});
  mkdirSync(dir, { recursive: true });
  const listed = Array.from({ length: 40 }, (_, i) => `m${i}.ko${i % 3 === 0 ? '' : '.gz'}`);
  for (const [i, name] of listed.entries()) {
    // Larger ones first, so that later ones are unpacked before them.
    const image = moduleImage({
      modinfo: [`alias=of-${i}`, `description=${'x'.repeat((40 - i) * 5000)}`, 'softdep=pre: x', 'weakdep=y'],
    });
    writeFileSync(join(dir, name), name.endsWith('.gz') ? gzipSync(image) : image);
  }
  const modules = listed.map((name) => ({ name: moduleNameFromPath(name), path: join(dir, name), listed: name }));
  const taken: number[] = [];
  const facts = await readModules(
    '',
    modules,
    (position) => taken.push(position),
    () => undefined,
  );
  t.same(taken, [...listed.keys()]);
  for (const [i, each] of facts.entries())
    t.same(each, { aliases: [`of-${i}`], softdeps: ['pre: x'], weakdeps: ['y'] });
});

t.test('a file that is not a module is reported and has no facts', async (t) => {
  const dir = t.testdir({ 'text.ko': 'hello, world', 'bad.ko.xz': Buffer.from('fd377a585a00000000', 'hex') });
  const modules = ['text.ko', 'bad.ko.xz', 'none.ko'].map((listed) => ({
    name: moduleNameFromPath(listed),
    path: join(dir, listed),
    listed,
  }));
  const said: string[] = [];
  const facts = await readModules(
    '',
    modules,
    () => undefined,
    (level, text) => said.push(`${level}: ${text.replace(dir, 'DIR')}`),
  );
  t.same(
    facts.map(({ aliases }) => aliases),
    [[], [], []],
  );
  t.match(said, [
    'error: failed to load symbols from DIR/text.ko: Exec format error (not an ELF file)',
    /^error: failed to load symbols from DIR\/bad.ko.xz: Invalid argument \(damaged or truncated xz data\)$/,
    'error: failed to load symbols from DIR/none.ko: No such file or directory (No such file or directory)',
  ]);
});
