import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { openModuleFile } from '../../agent/facts/modfiles/module-file.ts';
import { rewriteModule } from '../../agent/trust/rewritten-module.ts';
import { moduleImage } from '../fixtures/elf-image.ts';
import { needCommands } from '../fixtures/commands.ts';

const image = moduleImage({ modinfo: ['license=GPL'] });
const changed = Buffer.concat([image, Buffer.from('more')]);
const tools = await needCommands(['xz', 'zstd']);

const FILES: Readonly<Record<string, () => Buffer>> = {
  'x.ko': () => image,
  'x.ko.gz': () => gzipSync(image),
  'x.ko.xz': () => execFileSync('xz', ['-c'], { input: image }),
  'x.ko.zst': () => execFileSync('zstd', ['-qc'], { input: image }),
};

for (const [name, make] of Object.entries(FILES)) {
  const skip = /xz|zst/.test(name) && tools.kind === 'missing' ? tools.sentence : false;
  t.test(`${name} is changed, and stays what it is`, { skip }, (t) => {
    const path = join(t.testdir({}), name);
    writeFileSync(path, make());
    chmodSync(path, 0o640);
    const before = openModuleFile('', path);
    t.same(
      rewriteModule(path, (given) => (given.equals(image) ? changed : undefined)),
      { kind: 'written' },
    );
    const after = openModuleFile('', path);
    t.ok(before.kind === 'module' && after.kind === 'module');
    if (before.kind === 'module' && after.kind === 'module') {
      t.equal(after.compression, before.compression);
      t.ok(after.image().equals(changed));
      before.close();
      after.close();
    }
    t.equal(statSync(path).mode & 0o7777, 0o640);
    t.end();
  });
}

t.test('xz is compressed so that the kernel can undo it', { skip: tools.kind === 'missing' }, (t) => {
  const path = join(t.testdir({}), 'x.ko.xz');
  writeFileSync(path, execFileSync('xz', ['-c', '--check=sha256'], { input: image }));
  rewriteModule(path, () => changed);
  t.equal(readFileSync(path)[7], 1, 'CRC32');
  t.end();
});

t.test('what is not changed', (t) => {
  const folder = t.testdir({ text: 'no module' });
  const path = join(folder, 'x.ko');
  writeFileSync(path, image);
  t.same(
    rewriteModule(path, () => undefined),
    { kind: 'kept' },
  );
  t.match(
    rewriteModule(path, () => ({ why: 'I will not' })),
    { kind: 'failed', why: /x\.ko: I will not$/ },
  );
  t.match(
    rewriteModule(join(folder, 'text'), () => changed),
    { kind: 'failed', why: /text: / },
  );
  t.match(
    rewriteModule(join(folder, 'none'), () => changed),
    { kind: 'failed', why: /none: No such file/ },
  );
  t.match(
    rewriteModule(path, () => changed, join(folder, 'text/y')),
    { kind: 'failed', why: /could not write it/ },
  );
  t.same(readdirSync(folder), ['text', 'x.ko']);
  t.ok(readFileSync(path).equals(image));
  t.end();
});
