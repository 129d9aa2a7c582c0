import t from 'tap';
import { evaluateConf } from '../../../agent/dkms/conf/evaluated-conf.ts';
import { assign } from '../../../agent/dkms/conf/shell/shell-values.ts';
import { confRequest } from './conf-request.ts';

const ONE = { PACKAGE_NAME: 'x', PACKAGE_VERSION: '1', DEST_MODULE_LOCATION: '/extra' };

/** Evaluates `{ 'MAKE[1]': 'b', MAKE: 'a' }`; patterns named in `fits` fit. */
function evaluate(given: Readonly<Record<string, string>>, fits: readonly string[] = [], strict = true) {
  const values = new Map<string, Map<number, string>>();
  const matches = new Map<string, Map<number, boolean>>();
  const place = (key: string) => [key.replace(/\[.*/, ''), Number(/\[(\d+)\]/.exec(key)?.[1] ?? 0)] as const;
  for (const [key, value] of Object.entries(given)) assign(values, ...place(key), value);
  for (const key of fits) assign(matches, ...place(key), true);
  return evaluateConf(confRequest('/t', { strict }), { values, matches, release: '6.1.0', option: undefined });
}

t.test('defaults', async (t) => {
  t.match(evaluate(ONE), {
    errors: [],
    conf: {
      modules: [{ name: 'x', location: '', destName: 'x', destLocation: '/extra', strip: true, exclusion: undefined }],
      exclusion: undefined,
      make: 'make -C /t/modules/6.1.0-56-amd64/build M=/var/lib/dkms/x/1/build',
      patches: [],
      autoinstall: false,
      noWeakModules: false,
      hasExclusives: false,
      deprecated: [],
    },
  });
});

t.test('one record and its neighbours', async (t) => {
  const rows: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, object]> = [
    ['a location gets its slash', { BUILT_MODULE_LOCATION: 'a/b' }, [{ location: 'a/b/' }]],
    ['and no second', { BUILT_MODULE_LOCATION: 'a/' }, [{ location: 'a/' }]],
    ['a name to install under', { DEST_MODULE_NAME: 'y' }, [{ name: 'x', destName: 'y' }]],
    ['the first STRIP counts for all', { ...second(), STRIP: 'No' }, [{ strip: false }, { strip: false }]],
    ['each has its own', { ...second(), STRIP: 'no', 'STRIP[1]': 'Y' }, [{ strip: false }, { strip: true }]],
    ['other texts are a yes', { STRIP: 'maybe' }, [{ strip: true }]],
  ];
  for (const [rule, given, modules] of rows)
    t.match(evaluate({ ...ONE, ...given }), { errors: [], conf: { modules } }, rule);
});

function second() {
  return { BUILT_MODULE_NAME: 'x', 'BUILT_MODULE_NAME[1]': 'y', 'DEST_MODULE_LOCATION[1]': '/extra' };
}

t.test('exclusives of the package and of a module', async (t) => {
  const two = { ...ONE, ...second() };
  const kernel = (index: number) => ({ directive: 'BUILD_EXCLUSIVE_KERNEL', record: index, value: '^7' });
  t.match(evaluate({ ...two, 'BUILD_EXCLUSIVE_KERNEL[1]': '^7' }), {
    conf: { exclusion: undefined, hasExclusives: true, modules: [{ exclusion: undefined }, { exclusion: kernel(1) }] },
  });
  t.match(
    evaluate({ ...two, BUILD_EXCLUSIVE_KERNEL: '^7', 'BUILD_EXCLUSIVE_KERNEL[1]': '^6' }, [
      'BUILD_EXCLUSIVE_KERNEL[1]',
    ]),
    { conf: { exclusion: kernel(0), modules: [{ exclusion: kernel(0) }, { exclusion: kernel(0) }] } },
    'the first element counts for all',
  );
  t.match(evaluate({ PACKAGE_NAME: 'x', PACKAGE_VERSION: '1', BUILD_EXCLUSIVE_KERNEL: '^7' }), {
    conf: { exclusion: undefined, modules: [] },
  });
  t.match(evaluate({ ...ONE, OBSOLETE_BY: '6.0' }), {
    conf: { obsoleteBy: '6.0', exclusion: { directive: 'BUILD_EXCLUSIVE_KERNEL_MAX', value: '6.0' } },
  });
  t.match(evaluate({ ...ONE, OBSOLETE_BY: '6.0', 'BUILD_EXCLUSIVE_KERNEL_MAX[1]': '7' }), {
    conf: { exclusion: undefined },
  });
});

t.test('the command for the kernel', async (t) => {
  const rows: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, readonly string[], string | RegExp]> = [
    ['the only one', { MAKE: 'a' }, [], 'a'],
    [
      'the last that fits',
      { MAKE: 'a', 'MAKE[1]': 'b', 'MAKE_MATCH[1]': '6', 'MAKE[2]': 'c', 'MAKE_MATCH[2]': '7' },
      ['MAKE_MATCH[1]'],
      'b',
    ],
    ['the first needs no pattern', { MAKE: 'a', 'MAKE[1]': 'b', 'MAKE_MATCH[1]': '7' }, [], 'a'],
    ['the first with a pattern', { MAKE: 'a', MAKE_MATCH: '7' }, [], /^make -C/],
    ['others need one', { 'MAKE[1]': 'b' }, [], /^make -C/],
    ['an empty one is none', { MAKE: '', 'MAKE[1]': 'b', 'MAKE_MATCH[1]': '6' }, ['MAKE_MATCH[1]'], 'b'],
  ];
  for (const [rule, given, fits, make] of rows) t.match(evaluate({ ...ONE, ...given }, fits).conf, { make }, rule);
  const patches = { 'PATCH[2]': 'c', PATCH: 'a', 'PATCH[1]': 'b', 'PATCH_MATCH[1]': '7', 'PATCH_MATCH[2]': '6' };
  t.same(evaluate({ ...ONE, ...patches }, ['PATCH_MATCH[2]']).conf.patches, ['a', 'c']);
});

t.test('a folder to look for the module in', async (t) => {
  const rows: ReadonlyArray<readonly [location: string, stays: boolean]> = [
    ['src', true],
    ['src/../lib/', true],
    ['./a/./b/', true],
    ['..', false],
    ['a/../../b/', false],
    ['../', false],
  ];
  for (const [location, stays] of rows) {
    const wrong = [
      { kind: 'unsafe-name', directive: 'BUILT_MODULE_LOCATION', value: `${location.replace(/\/$/, '')}/` },
    ];
    t.same(evaluate({ ...ONE, BUILT_MODULE_LOCATION: location }).errors, stays ? [] : wrong, location);
  }
});

t.test('errors in their order', async (t) => {
  const { errors } = evaluate({
    'BUILT_MODULE_NAME[1]': 'a.o',
    DEST_MODULE_LOCATION: '/x',
    NO_WEAK_MODULES: 'z',
    AUTOINSTALL: 'x',
    BUILD_DEPENDS_REBUILD: 'y',
  });
  t.same(errors, [
    { kind: 'no-directive', directive: 'PACKAGE_NAME' },
    { kind: 'no-directive', directive: 'PACKAGE_VERSION' },
    { kind: 'no-record-directive', directive: 'BUILT_MODULE_NAME', record: 0 },
    { kind: 'destination', record: 0 },
    { kind: 'suffix', directive: 'BUILT_MODULE_NAME', record: 1 },
    { kind: 'suffix', directive: 'DEST_MODULE_NAME', record: 1 },
    { kind: 'no-record-directive', directive: 'DEST_MODULE_LOCATION', record: 1 },
    { kind: 'unsupported-value', directive: 'AUTOINSTALL', value: 'x' },
    { kind: 'unsupported-value', directive: 'BUILD_DEPENDS_REBUILD', value: 'y' },
    { kind: 'unsupported-value', directive: 'NO_WEAK_MODULES', value: 'z' },
  ]);
  const duplicates = { ...ONE, ...second(), 'BUILT_MODULE_NAME[1]': 'x' };
  t.same(evaluate(duplicates).errors, [
    { kind: 'duplicate', directive: 'BUILT_MODULE_NAME', record: 1, module: 'x' },
    { kind: 'duplicate', directive: 'DEST_MODULE_NAME', record: 1, module: 'x' },
  ]);
  t.same(
    evaluate({ ...duplicates, AUTOINSTALL: 'x' }).errors,
    [{ kind: 'unsupported-value', directive: 'AUTOINSTALL', value: 'x' }],
    'duplicates are looked for when nothing else is wrong',
  );
  t.same(
    evaluate({ ...ONE, 'BUILT_MODULE_LOCATION[2]': 'c' }).errors.filter(({ kind }) => kind === 'duplicate'),
    [],
    'records without a name are no duplicates',
  );
  t.same(evaluate(duplicates, [], false).errors, [], 'who removes a package does not care');
});

t.test('names that would lead elsewhere', async (t) => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['PACKAGE_NAME', 'a/b'],
    ['PACKAGE_NAME', '..'],
    ['PACKAGE_VERSION', '.'],
    ['PACKAGE_VERSION', '1\n2'],
    ['BUILT_MODULE_NAME', 'a/b'],
    ['DEST_MODULE_NAME', '../../etc/x'],
    ['DEST_MODULE_LOCATION', '/kernel/../../../etc'],
  ];
  for (const [directive, value] of rows)
    t.same(
      evaluate({ ...ONE, BUILT_MODULE_NAME: 'x', [directive]: value }).errors,
      [{ kind: 'unsafe-name', directive, value }],
      `${directive}=${value}`,
    );
  for (const version of ['0.1.1dev+git20220316.e5c53d64', '0.3.0-1', '1:2~rc1', '..1'])
    t.same(evaluate({ ...ONE, PACKAGE_VERSION: version }).errors, [], version);
});

t.test('flags and what is deprecated', async (t) => {
  t.match(evaluate({ ...ONE, AUTOINSTALL: 'YeS', NO_WEAK_MODULES: 'no', BUILD_DEPENDS_REBUILD: 'yes' }), {
    errors: [],
    conf: { autoinstall: true, noWeakModules: false, buildDependsRebuild: true },
  });
  const given = { ...ONE, CLEAN: 'make clean', OBSOLETE_BY: '7', 'MODULES_CONF[2]': 'x', REMAKE_INITRD: 'no' };
  t.same(
    evaluate(given).conf.deprecated.map(({ directive }) => directive),
    ['CLEAN', 'REMAKE_INITRD', 'MODULES_CONF', 'OBSOLETE_BY'],
  );
  t.same(evaluate(given, [], false).conf.deprecated, [], 'only packagers are told');
  for (const clean of ['true', '/bin/true', '/usr/bin/true'])
    t.same(evaluate({ ...ONE, CLEAN: clean }).conf.deprecated, []);
});
