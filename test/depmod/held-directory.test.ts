import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { holdDirectory } from '../../agent/depmod/held-directory.ts';

/** What holding IMAGE/lib/modules/1.0 comes to, with the test's folder as TOP. */
function hold(top: string, create = false): string {
  const root = join(top, 'image');
  const held = holdDirectory(root, join(root, 'lib/modules/1.0'), { create });
  if (held.kind !== 'held') return `${held.kind}: ${held.why.replaceAll(top, 'TOP')}`;
  writeFileSync(held.at('written'), 'x');
  held.close();
  return 'held';
}

interface Row {
  /** Folders, and links as `link -> target`; TOP is the test's folder. */
  readonly there: readonly string[];
  readonly create?: boolean;
  readonly outcome: string;
  /** The folder that the directory is. */
  readonly is?: string;
}

const OUTSIDE = 'outside: TOP/image/lib/modules/1.0 leads out of TOP/image through a link';
const ROWS: Readonly<Record<string, Row>> = {
  'a plain directory': { there: ['image/lib/modules/1.0'], outcome: 'held', is: 'image/lib/modules/1.0' },
  'lib is a link inside the image': {
    there: ['image/usr/lib/modules/1.0', 'image/lib -> usr/lib'],
    outcome: 'held',
    is: 'image/usr/lib/modules/1.0',
  },
  'a link that goes up and down again': {
    there: ['image/store/1.0', 'image/lib/modules', 'image/lib/modules/1.0 -> ../../store/1.0'],
    outcome: 'held',
    is: 'image/store/1.0',
  },
  'lib is a link to a directory elsewhere': {
    there: ['image', 'elsewhere/modules/1.0', 'image/lib -> TOP/elsewhere'],
    outcome: OUTSIDE,
  },
  'the directory itself is such a link': {
    there: ['image/lib/modules', 'elsewhere', 'image/lib/modules/1.0 -> TOP/elsewhere'],
    outcome: OUTSIDE,
  },
  'a relative link leads out': {
    there: ['image', 'elsewhere/modules/1.0', 'image/lib -> ../elsewhere'],
    outcome: OUTSIDE,
  },
  'the namesake inside is not what kmod would write to': {
    there: ['image/TOP/elsewhere/modules/1.0', 'elsewhere/modules/1.0', 'image/lib -> TOP/elsewhere'],
    outcome: OUTSIDE,
  },
  'nothing is made where a link leads out': {
    there: ['image', 'elsewhere/modules/1.0', 'image/lib -> TOP/elsewhere'],
    create: true,
    outcome: OUTSIDE,
  },
  'what is missing is not made unless asked for': {
    there: ['image/lib'],
    outcome: 'failed: could not open TOP/image/lib/modules/1.0: No such file or directory',
  },
  'what is missing is made': {
    there: ['image/usr/lib', 'image/lib -> usr/lib'],
    create: true,
    outcome: 'held',
    is: 'image/usr/lib/modules/1.0',
  },
  'a link to itself': {
    there: ['image', 'image/lib -> lib'],
    outcome: 'failed: could not open TOP/image/lib/modules/1.0: Too many levels of symbolic links',
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const top = t.testdir({});
    for (const entry of row.there.map((text) => text.replaceAll('TOP/', `${top.slice(1)}/`))) {
      const [path = '', target] = entry.split(' -> ');
      if (target === undefined) mkdirSync(join(top, path), { recursive: true });
      else symlinkSync(target.startsWith(top.slice(1)) ? `/${target}` : target, join(top, path));
    }
    const before = tree(top);
    t.equal(hold(top, row.create), row.outcome);
    if (row.is !== undefined) t.ok(tree(top).includes(`${row.is}/written`));
    else t.same(tree(top), before, 'nothing was made');
    t.end();
  });
}

function tree(top: string): readonly string[] {
  return readdirSync(top, { recursive: true, encoding: 'utf8' }).toSorted();
}

t.test("this machine's own tree may be linked to anything", (t) => {
  const top = t.testdir({ a: { b: {} } });
  symlinkSync(join(top, 'a'), join(top, 'link'));
  const held = holdDirectory('', join(top, 'link/b'), { create: false });
  t.equal(held.kind, 'held');
  if (held.kind === 'held') {
    writeFileSync(held.at('written'), 'x');
    held.close();
  }
  t.same(readdirSync(join(top, 'a/b')), ['written']);
  t.match(holdDirectory('', join(top, 'a/none'), { create: false }), { kind: 'failed' });
  t.end();
});

t.test('a directory that is moved and replaced meanwhile stays the same', (t) => {
  const top = t.testdir({ image: { lib: { modules: { '1.0': {} } } }, elsewhere: { modules: { '1.0': {} } } });
  const root = join(top, 'image');
  const held = holdDirectory(root, join(root, 'lib/modules/1.0'), { create: false });
  if (held.kind !== 'held') throw new Error(held.why);
  renameSync(join(root, 'lib'), join(root, 'moved'));
  symlinkSync(join(top, 'elsewhere'), join(root, 'lib'));
  writeFileSync(held.at('written'), 'x');
  held.close();
  t.same(readdirSync(join(root, 'moved/modules/1.0')), ['written']);
  t.same(readdirSync(join(top, 'elsewhere/modules/1.0')), []);
  t.end();
});
