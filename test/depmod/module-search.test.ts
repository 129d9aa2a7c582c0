import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { findNamedModules, searchModules } from '../../agent/depmod/module-search.ts';

interface Row {
  readonly files: readonly string[];
  /** depmod.d; DIR is the module directory, TOP the folder around it. */
  readonly config?: string;
  /** Links: `path -> target`. */
  readonly links?: readonly string[];
  readonly found: readonly string[];
  readonly said?: readonly string[];
}

const ROWS: Readonly<Record<string, Row>> = {
  'every module of the tree': { files: ['a.ko', 'k/b.ko.xz', 'k/c.txt'], found: ['a.ko', 'k/b.ko.xz'] },
  'updates come before the rest': { files: ['k/a.ko', 'updates/a.ko'], found: ['updates/a.ko'] },
  'earlier words of search count more': {
    files: ['extra/a.ko', 'updates/a.ko', 'k/a.ko'],
    config: 'search extra updates built-in\n',
    found: ['extra/a.ko'],
  },
  'built-in is what no other word covers': {
    files: ['extra/a.ko', 'k/a.ko'],
    config: 'search built-in extra\n',
    found: ['k/a.ko'],
  },
  'an override of this release': {
    files: ['extra/a.ko', 'updates/a.ko'],
    config: 'override a 1.* extra\noverride a 2.* updates\n',
    found: ['extra/a.ko'],
  },
  'a tie goes to the first by path, and is reported': {
    files: ['k/a.ko', 'k/z/a.ko'],
    found: ['k/a.ko'],
    said: ['warning: DIR/k/a.ko and DIR/k/z/a.ko have the same rank: the first counts (see search in depmod.d)'],
  },
  'one file under two names is no tie': { files: ['k/a.ko'], links: ['k/b/a.ko -> ../a.ko'], found: ['k/a.ko'] },
  'an external directory': {
    files: ['k/a.ko', '../opt/b.ko'],
    config: 'search external built-in\nexternal 1.0 TOP/opt\n',
    found: ['TOP/opt/b.ko', 'k/a.ko'],
  },
  'an external file counts before the same one of the tree where external is searched first': {
    files: ['k/a.ko', '../opt/a.ko'],
    config: 'search external built-in\nexternal * TOP/opt\n',
    found: ['TOP/opt/a.ko'],
  },
  'an external directory that is not there': {
    files: ['k/a.ko'],
    config: 'external * /nowhere/plugd\n',
    found: ['k/a.ko'],
    said: ['error: could not open directory /nowhere/plugd: No such file or directory'],
  },
  'names that are excluded': { files: ['.debug/a.ko', 'b.ko'], config: 'exclude .debug\n', found: ['b.ko'] },
  'a file without a name': {
    files: ['.x.ko', 'a.ko'],
    found: ['a.ko'],
    said: ['error: could not get modname from path DIR/.x.ko', 'error: failed DIR/.x.ko: Invalid argument'],
  },
  'what kmod says of links': {
    files: ['a.ko'],
    links: ['dangling.ko -> none', 'loop.ko -> loop.ko', 'null.ko -> /dev/null', 'k/up -> ..'],
    found: ['a.ko'],
    said: [
      'error: fstatat(3, dangling.ko): No such file or directory',
      'error: failed DIR/k/up: a symbolic link to a directory above it',
      'error: fstatat(3, loop.ko): Too many levels of symbolic links',
      'error: unsupported file type DIR/null.ko: 20000',
    ],
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const { top, dir, search } = plant(t, row);
    const { found, said } = search();
    const short = (text: string) => text.replaceAll(dir, 'DIR').replaceAll(top, 'TOP');
    t.same(found.map(short).toSorted(), row.found);
    t.same(said.map(short), row.said ?? []);
    t.end();
  });
}

function plant(t: Test, { files, links = [], config = '' }: Omit<Row, 'found'>) {
  const top = t.testdir({});
  const dir = join(top, 'modules');
  const place = (path: string) => {
    const target = join(dir, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  for (const path of files) writeFileSync(place(path), '');
  for (const link of links) {
    const [path = '', target = ''] = link.split(' -> ');
    symlinkSync(target, place(path));
  }
  const file = join(top, 'depmod.conf');
  writeFileSync(file, config.replaceAll('TOP', top));
  const search = () => {
    const said: string[] = [];
    const place = { root: '', moduleDir: dir, kernel: '1.0', configPaths: [file] };
    const found = searchModules(place, (level, text) => level !== 'info' && said.push(`${level}: ${text}`));
    if (found.kind === 'failed') throw new Error(String(found.errno));
    return { found: [...found.modules.values()].map(({ listed }) => listed), said };
  };
  return { top, dir, search };
}

t.test('a tree that cannot be read', (t) => {
  const place = { root: '', moduleDir: join(t.testdir({}), 'none'), kernel: '1.0', configPaths: [] };
  t.same(
    searchModules(place, () => undefined),
    { kind: 'failed', errno: 2 },
  );
  t.end();
});

t.test('files that are named one by one', (t) => {
  const { dir } = plant(t, { files: ['a.ko', 'b.ko', 'x/a.ko', 'c:d.ko'] });
  const named = (...files: string[]) => findNamedModules(files, dir);
  t.match(named(`${dir}/b.ko`, `${dir}/a.ko`), { kind: 'named', modules: [{ listed: 'b.ko' }, { listed: 'a.ko' }] });
  for (const [files, why] of [
    [['a.ko'], 'a.ko: not absolute path.'],
    [[`${dir}/none.ko`], `could not create module ${dir}/none.ko: No such file or directory`],
    [[`${dir}/a.ko`, `${dir}/a.ko`], `could not add module ${dir}/a.ko: File exists`],
    [[`${dir}/a.ko`, `${dir}/x/a.ko`], `could not create module ${dir}/x/a.ko: File exists`],
    [[`${dir}/c:d.ko`], `${dir}/c:d.ko: a path with a colon cannot be listed`],
  ] as const) {
    t.same(named(...files), { kind: 'failed', why });
  }
  const elsewhere = join(dir, '../outside.ko');
  renameSync(join(dir, 'b.ko'), elsewhere);
  linkSync(elsewhere, join(dir, 'hard.ko'));
  t.match(named(elsewhere), { modules: [{ listed: elsewhere }] }, 'outside of the tree the whole path is listed');
  t.end();
});
