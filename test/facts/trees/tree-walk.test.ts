import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { ERRNO, errnoName } from '../../../agent/base/errno.ts';
import { toMachineText } from '../../../agent/base/machine-text.ts';
import { walkModules, type Walk } from '../../../agent/facts/trees/tree-walk.ts';

/** Makes files, and links as `link -> target`; TOP is the test's folder. */
function plant(t: Test, entries: readonly string[]): string {
  const top = t.testdir({});
  for (const entry of entries) {
    const [path = '', target] = entry.split(' -> ');
    mkdirSync(dirname(join(top, path)), { recursive: true });
    if (path.endsWith('/')) mkdirSync(join(top, path), { recursive: true });
    else if (target === undefined) writeFileSync(join(top, path), 'x');
    else symlinkSync(target.replace('TOP', top), join(top, path));
  }
  return top;
}

/** Paths below TOP/tree, and faults as `kind ERRNO path`. */
function walk(top: string, options: Partial<Walk> = {}) {
  const tree = toMachineText(join(top, 'tree'));
  const found: string[] = [];
  const faults: string[] = [];
  const errno = walkModules(tree, {
    root: '',
    file: (path) => {
      found.push(path.slice(tree.length + 1));
      return false;
    },
    fault: ({ kind, path, errno: number }) =>
      faults.push(`${kind} ${number === 0 ? '-' : errnoName(number)} ${path.slice(tree.length + 1)}`),
    ...options,
  });
  return { errno, found, faults };
}

interface Row {
  readonly there: readonly string[];
  readonly found: readonly string[];
  readonly faults?: readonly string[];
  readonly options?: Partial<Walk>;
}

const ROWS: Readonly<Record<string, Row>> = {
  'module files, plain or compressed, by name': {
    there: [
      'tree/z.ko',
      'tree/k/b.ko.xz',
      'tree/k/c.ko.zst',
      'tree/k/d.ko.gz',
      'tree/k/e.ko.bz2',
      'tree/k/f.o',
      'tree/a.ko',
    ],
    found: ['a.ko', 'k/b.ko.xz', 'k/c.ko.zst', 'k/d.ko.gz', 'z.ko'],
  },
  'build and source are passed over, at any depth': {
    there: ['tree/build/a.ko', 'tree/source/b.ko', 'tree/k/build/c.ko', 'tree/k/d.ko'],
    found: ['k/d.ko'],
  },
  'a folder with a name like a file': { there: ['tree/g.ko/h.ko'], found: ['g.ko/h.ko'] },
  'links to files and to folders are followed': {
    there: ['tree/b.ko', 'tree/l.ko -> b.ko', 'store/s.ko', 'tree/kernel -> ../store'],
    found: ['b.ko', 'kernel/s.ko', 'l.ko'],
  },
  'a folder that two links lead to is walked once': {
    there: ['store/s.ko', 'tree/a -> ../store', 'tree/b -> ../store'],
    found: ['a/s.ko'],
  },
  'unless its files rank otherwise there': {
    there: ['store/s.ko', 'tree/a -> ../store', 'tree/b -> ../store'],
    found: ['a/s.ko', 'b/s.ko'],
    options: { rank: (directory) => (directory.endsWith('/a') ? 1 : 2) },
  },
  'a link to a directory above is a fault': {
    there: ['tree/k/a.ko', 'tree/k/here -> .', 'tree/k/up -> ..'],
    found: ['k/a.ko'],
    faults: ['loop ELOOP k/here', 'loop ELOOP k/up'],
  },
  'a link to itself is a fault, and the walk goes on': {
    there: ['tree/l.ko -> l.ko', 'tree/m.ko'],
    found: ['m.ko'],
    faults: ['entry ELOOP l.ko'],
  },
  'a link to nothing is a fault': {
    there: ['tree/n.ko -> none', 'tree/o.ko'],
    found: ['o.ko'],
    faults: ['entry ENOENT n.ko'],
  },
  'a device is a fault': { there: ['tree/null.ko -> /dev/null'], found: [], faults: ['special - null.ko'] },
  'names that are excluded': {
    there: ['tree/.debug/a.ko', 'tree/b.ko', 'tree/c.ko'],
    found: ['c.ko'],
    options: { excludes: new Set(['.debug', 'b.ko']) },
  },
  'the walk ends when the caller says so': {
    there: ['tree/a.ko', 'tree/b/c.ko', 'tree/d.ko'],
    found: [],
    options: { file: () => true },
  },
  'names that are not ASCII': { there: ['tree/höhe/a.ko'], found: ['h\xc3\xb6he/a.ko'] },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const top = plant(t, row.there);
    t.same(walk(top, row.options), { errno: undefined, found: row.found, faults: row.faults ?? [] });
    t.end();
  });
}

t.test('no such directory', (t) => {
  t.same(walk(t.testdir({})), { errno: ERRNO.ENOENT, found: [], faults: ['directory ENOENT '] });
  t.end();
});

t.test('links stay inside a root', (t) => {
  const top = plant(t, [
    'outside/evil.ko',
    'tree/usr/store/good.ko',
    'tree/a -> /usr/store',
    'tree/b -> TOP/outside',
    'tree/c -> ../outside',
  ]);
  t.same(walk(top, { root: join(top, 'tree') }).found, ['a/good.ko', 'usr/store/good.ko']);
  t.same(walk(top).found, ['b/evil.ko', 'usr/store/good.ko'], 'this machine follows them as they stand');
  t.end();
});

t.test('a fifo is not waited for', (t) => {
  const top = plant(t, ['tree/a.ko']);
  if (spawnSync('mkfifo', [join(top, 'tree/pipe.ko')]).status === 0) {
    t.same(walk(top), { errno: undefined, found: ['a.ko'], faults: ['special - pipe.ko'] });
  }
  t.end();
});
