import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isUpToDate } from '../../agent/depmod/freshness.ts';

const MADE = 1_000_000;
/** Seconds after modules.dep at which a file was changed, by its path in the tree; and links, as text. */
const ROWS: Readonly<Record<string, readonly [files: Readonly<Record<string, number | string>>, upToDate: boolean]>> = {
  'nothing but modules.dep': [{}, true],
  'older modules': [{ 'a.ko': -1, 'k/b.ko.xz': -100 }, true],
  'a module of the same second': [{ 'a.ko': 0.9 }, true],
  'a newer module': [{ 'a.ko': -1, 'k/b.ko.zst': 1 }, false],
  'a newer file that is no module': [{ 'modules.order': 5 }, true],
  'a newer module in build': [{ 'build/a.ko': 5 }, true],
  'a newer module behind a link': [{ '../store/a.ko': 5, kernel: '../store' }, false],
  'a link that leads back': [{ 'k/up': '..', 'a.ko': -1 }, true],
  'a link to nothing': [{ 'a.ko': 'none' }, true],
};

for (const [name, [files, upToDate]] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const dir = join(t.testdir({}), 'tree');
    for (const [path, change] of Object.entries({ 'modules.dep': 0, ...files })) {
      const target = join(dir, path);
      mkdirSync(join(target, '..'), { recursive: true });
      if (typeof change === 'string') symlinkSync(change, target);
      else {
        writeFileSync(target, '');
        utimesSync(target, MADE + change, MADE + change);
      }
    }
    t.equal(
      isUpToDate({ root: '', moduleDir: dir }, () => undefined),
      upToDate,
    );
    t.end();
  });
}
