import t from 'tap';
import { duplicatesOf, includedModules, MOST_RECORDS, readModules } from '../../../agent/dkms/conf/conf-modules.ts';

type Given = Readonly<Record<string, readonly string[]>>;

/** The modules of `{ BUILT_MODULE_NAME: ['a', 'b'] }`. */
function modules(given: Given) {
  const values = new Map(
    Object.entries(given).map(([name, list]) => [name, new Map(list.map((value, i) => [i, value]))]),
  );
  return readModules({ values, matches: new Map(), release: '6.1.0', option: undefined });
}

const AT = '/updates';

t.test('what a record says', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, given: Given, expected: readonly object[]]> = [
    ['no record', { PACKAGE_NAME: ['p'] }, []],
    [
      'the only one may have the name of the package',
      { PACKAGE_NAME: ['p'], DEST_MODULE_LOCATION: [AT] },
      [{ name: 'p', destName: 'p' }],
    ],
    [
      'one of two may not',
      { PACKAGE_NAME: ['p'], BUILT_MODULE_NAME: ['', 'b'], DEST_MODULE_LOCATION: [AT, AT] },
      [{ name: '' }, { name: 'b' }],
    ],
    ['another name in the end', { BUILT_MODULE_NAME: ['a'], DEST_MODULE_NAME: ['b'] }, [{ name: 'a', destName: 'b' }]],
    [
      'a location ends in a slash',
      { BUILT_MODULE_NAME: ['a'], BUILT_MODULE_LOCATION: ['src'] },
      [{ location: 'src/' }],
    ],
    ['or has one', { BUILT_MODULE_NAME: ['a'], BUILT_MODULE_LOCATION: ['src/'] }, [{ location: 'src/' }]],
    ['stripped unless it says no', { BUILT_MODULE_NAME: ['a'], STRIP: ['No'] }, [{ strip: false }]],
    [
      'the first STRIP is for all',
      { BUILT_MODULE_NAME: ['a', 'b'], STRIP: ['no'] },
      [{ strip: false }, { strip: false }],
    ],
    [
      'but for those with their own',
      { BUILT_MODULE_NAME: ['a', 'b'], STRIP: ['no', 'yes'] },
      [{ strip: false }, { strip: true }],
    ],
    [
      'the first exclusion is for all',
      { BUILT_MODULE_NAME: ['a', 'b'], BUILD_EXCLUSIVE_KERNEL_MIN: ['7.0'] },
      [{ exclusion: { record: 0 } }, { exclusion: { record: 0 } }],
    ],
    [
      'a later one for its own module',
      { BUILT_MODULE_NAME: ['a', 'b'], BUILD_EXCLUSIVE_KERNEL_MIN: ['', '7.0'] },
      [{ exclusion: undefined }, { exclusion: { record: 1 } }],
    ],
  ];
  for (const [rule, given, expected] of rows) {
    const found = modules(given).modules;
    t.equal(found.length, expected.length, rule);
    t.match(found, expected, rule);
  }
});

t.test('what is wrong with a record', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, given: Given, errors: readonly object[]]> = [
    ['nothing', { BUILT_MODULE_NAME: ['a'], DEST_MODULE_LOCATION: [AT] }, []],
    [
      'no destination',
      { BUILT_MODULE_NAME: ['a'] },
      [{ kind: 'no-record-directive', directive: 'DEST_MODULE_LOCATION', record: 0 }],
    ],
    [
      'no name',
      { BUILT_MODULE_NAME: ['a', ''], DEST_MODULE_LOCATION: [AT, AT] },
      [{ kind: 'no-record-directive', directive: 'BUILT_MODULE_NAME', record: 1 }],
    ],
    [
      'a suffix',
      { BUILT_MODULE_NAME: ['a.ko'], DEST_MODULE_NAME: ['b.o'], DEST_MODULE_LOCATION: [AT] },
      [{ kind: 'suffix' }, { kind: 'suffix', directive: 'DEST_MODULE_NAME' }],
    ],
    [
      'a name that is a path',
      { BUILT_MODULE_NAME: ['a/b'], DEST_MODULE_LOCATION: [AT] },
      [{ kind: 'unsafe-name', value: 'a/b' }],
    ],
    [
      'a name in the end that is one',
      { BUILT_MODULE_NAME: ['a'], DEST_MODULE_NAME: ['../b'], DEST_MODULE_LOCATION: [AT] },
      [{ kind: 'unsafe-name', value: '../b' }],
    ],
    [
      'a destination that leads up',
      { BUILT_MODULE_NAME: ['a'], DEST_MODULE_LOCATION: ['/updates/../..'] },
      [{ kind: 'unsafe-name' }],
    ],
    [
      'a destination elsewhere',
      { BUILT_MODULE_NAME: ['a'], DEST_MODULE_LOCATION: ['/etc'] },
      [{ kind: 'destination', record: 0 }],
    ],
  ];
  for (const [rule, given, errors] of rows) {
    const found = modules(given).errors;
    t.equal(found.length, errors.length, rule);
    t.match(found, errors, rule);
  }
  const many = { values: new Map([['BUILT_MODULE_NAME', new Map([[MOST_RECORDS, 'a']])]]) };
  t.same(readModules({ ...many, matches: new Map(), release: '6.1.0', option: undefined }), {
    modules: [],
    errors: [{ kind: 'too-many-records', most: MOST_RECORDS }],
  });
});

t.test('names that two modules have', async (t) => {
  const found = (given: Given) =>
    duplicatesOf(modules(given).modules).map((error) => ('directive' in error ? error.directive : ''));
  t.same(found({ BUILT_MODULE_NAME: ['a', 'b'] }), []);
  t.same(found({ BUILT_MODULE_NAME: ['a', 'a'] }), ['BUILT_MODULE_NAME', 'DEST_MODULE_NAME']);
  t.same(
    found({ BUILT_MODULE_NAME: ['a', 'a'], BUILT_MODULE_LOCATION: ['x', 'y'] }),
    ['DEST_MODULE_NAME'],
    'built in two folders',
  );
  t.same(
    found({ BUILT_MODULE_NAME: ['a', 'b'], DEST_MODULE_NAME: ['', 'a'] }),
    ['DEST_MODULE_NAME'],
    'one is installed as the other',
  );
});

t.test('those for this kernel', async (t) => {
  const { modules: both } = modules({ BUILT_MODULE_NAME: ['a', 'b'], BUILD_EXCLUSIVE_KERNEL_MAX: ['', '5.0'] });
  t.same(
    includedModules({ modules: both }).map(({ name }) => name),
    ['a'],
  );
});
