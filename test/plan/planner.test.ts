import t from 'tap';
import type { Plan } from '../../agent/plan/plan.ts';
import { kmodOptions, type PlanOptions } from '../../agent/plan/planner.ts';
import { open, type Given } from './plan-rig.ts';

/** `module(state)<required edges>~soft edges` of each step. */
function shape(plans: readonly Plan[]): string {
  const steps = plans.flatMap((plan) =>
    plan.steps.map(({ module, after, state }) => {
      const edges = (kind: boolean) => after.filter(({ required }) => required === kind).map((edge) => edge.module);
      const hard = edges(true).length > 0 ? `<${edges(true).join(',')}` : '';
      const soft = edges(false).length > 0 ? `~${edges(false).join(',')}` : '';
      return `${module}${state === undefined ? '' : `(${state})`}${hard}${soft}`;
    }),
  );
  const blocked = plans.flatMap((plan) => plan.blocked.map(({ kind, module }) => `!${kind}:${module}`));
  return [...steps, ...blocked].join(' ');
}

const SHAPES: ReadonlyArray<readonly [rule: string, name: string, given: Given, expected: string]> = [
  ['no dependencies', 'a', {}, 'a'],
  ['a chain: deepest first, edges to the nearest only', 'c', {}, 'a b<a c<b'],
  ['a diamond: no edge between its sides', 'e-e', {}, 'a b<a c<b d<a e_e<c,d'],
  ['names are normalised', 'e_e', {}, 'a b<a c<b d<a e_e<c,d'],
  ['softdep pre: before, without being required', 'x', { conf: 'softdep x pre: y' }, 'y x~y'],
  ['softdep pre: members do not wait for each other', 'x', { conf: 'softdep x pre: y a' }, 'y a x~y,a'],
  ['softdep post: after', 'x', { conf: 'softdep x post: y' }, 'x y~x'],
  ['a softdep brings its dependencies, which wait for nothing', 'x', { conf: 'softdep x post: z' }, 'x y z<y~x'],
  ['a softdep of a softdep', 'x', { conf: 'softdep x pre: y\nsoftdep y pre: a' }, 'a y~a x~y'],
  ['a softdep of a dependency', 'z', { conf: 'softdep y pre: a post: x' }, 'a y~a x~y z<y'],
  ['a softdep that is a dependency too is required', 'z', { conf: 'softdep z pre: y' }, 'y z<y'],
  ['the first softdep line that matches counts', 'x', { conf: 'softdep x* pre: y\nsoftdep x pre: a' }, 'y x~y'],
  ['a softdep line without a list is a match too', 'x', { conf: 'softdep x y\nsoftdep x pre: a' }, 'x'],
  ['a softdep by alias', 'x', { conf: 'softdep x pre: al-ias', aliases: { al_ias: 'y a' } }, 'y a x~y,a'],
  ['a softdep by configured alias', 'x', { conf: 'softdep x pre: foo-1\nalias foo* y' }, 'y x~y'],
  ['a softdep that no module has', 'x', { conf: 'softdep x pre: nothing y' }, 'y x~y'],
  ['a softdep that is built in', 'x', { conf: 'softdep x pre: k y', builtin: ['k'] }, 'y x~y'],
  ['a softdep on itself', 'x', { conf: 'softdep x pre: x post: x' }, 'x'],
  ['a softdep cycle of pre is broken where it closes', 'x', { conf: 'softdep x pre: y\nsoftdep y pre: x' }, 'y x~y'],
  ['a softdep cycle of post', 'x', { conf: 'softdep x post: y\nsoftdep y post: x' }, 'x y~x'],
  ['a softdep cycle of pre and post', 'x', { conf: 'softdep x pre: y\nsoftdep y post: x' }, 'y x~y'],
  ['a softdep on a module that depends on this one', 'a', { conf: 'softdep a pre: b' }, 'a b<a'],
  ['a loaded target is the only step', 'c', { loaded: { c: 'live' }, conf: 'softdep c pre: x' }, 'c(live)'],
  ['a loaded dependency', 'c', { loaded: { a: 'live' } }, 'a(live) b<a c<b'],
  [
    'a module that is coming is inserted again',
    'c',
    { loaded: { b: 'coming', c: 'coming' } },
    'a b(coming)<a c(coming)<b',
  ],
  ['a builtin target', 'k', { builtin: ['k'] }, ''],
  ['a builtin target that cannot be a module', 'fs-t', { builtinAliases: { 'fs-t': 't' } }, ''],
  [
    'ignoreLoaded: a builtin softdep that cannot be a module',
    'x',
    { builtinAliases: { 'fs-t': 't' }, conf: 'softdep x pre: fs-t', options: { ignoreLoaded: true } },
    't(builtin) x',
  ],
  ['firstTime: loaded', 'a', { loaded: { a: 'live' }, options: { firstTime: true } }, '!already-loaded:a'],
  ['firstTime: builtin', 'k', { builtin: ['k'], options: { firstTime: true } }, '!already-loaded:k'],
  ['firstTime: not loaded', 'b', { loaded: { a: 'live' }, options: { firstTime: true } }, 'a(live) b<a'],
  [
    'ignoreLoaded: as if no module were loaded',
    'b',
    { loaded: { b: 'live' }, options: { ignoreLoaded: true } },
    'a b(live)<a',
  ],
  [
    'ignoreLoaded: builtin is a step',
    'x',
    { builtin: ['k'], conf: 'softdep x pre: k', options: { ignoreLoaded: true } },
    'k(builtin) x',
  ],
  [
    'ignoreLoaded: … once',
    'x',
    { builtin: ['k'], conf: 'softdep x pre: k k2\nalias k2 k', options: { ignoreLoaded: true } },
    'k(builtin) x',
  ],
  [
    'ignoreCommands: no softdeps of the target',
    'x',
    { conf: 'softdep x pre: y', options: { ignoreCommands: true } },
    'x',
  ],
  [
    'ignoreCommands: those of dependencies stay',
    'z',
    { conf: 'softdep z pre: x\nsoftdep y pre: a', options: { ignoreCommands: true } },
    'a y~a z<y',
  ],
  ['an alias of a module that does not exist', 'foo', { conf: 'alias foo bar' }, '!missing-module:bar'],
  ['a module that only an install line has', 'foo', { conf: 'install foo x' }, 'foo'],
  [
    '… is missing without its command',
    'foo',
    { conf: 'install foo x', options: { ignoreCommands: true } },
    '!missing-module:foo',
  ],
  [
    '… or when softdeps make the command void',
    'foo',
    { conf: 'install foo x\nsoftdep foo pre: a' },
    '!missing-module:foo',
  ],
  ['a module that only a remove line has', 'foo', { conf: 'remove foo x' }, '!missing-module:foo'],
  ['a softdep that cannot be loaded is left out', 'x', { conf: 'softdep x pre: foo p1 y\nalias foo bar' }, 'y x~y'],
  ['a cycle of two', 'p1', {}, '!cycle:p1'],
  ['a cycle among the dependencies', 's1', {}, '!cycle:s1'],
  ['a module that needs itself', 'r1', {}, '!cycle:r1'],
  ['module_blacklist= on the target', 'b', { commandLine: 'module_blacklist=b' }, '!kernel-blacklisted:b'],
  ['module_blacklist= on a dependency', 'c', { commandLine: 'module_blacklist=x,a' }, '!kernel-blacklisted:a'],
  [
    'module_blacklist= on a softdep leaves it out',
    'x',
    { conf: 'softdep x pre: z a', commandLine: 'module_blacklist=y' },
    'a x~a',
  ],
  [
    'module_blacklist= is left to the kernel on request',
    'b',
    { commandLine: 'module_blacklist=a,b', kernelBlacklist: false },
    'a b<a',
  ],
  [
    'module_blacklist= on a loaded module',
    'b',
    { commandLine: 'module_blacklist=b', loaded: { b: 'live' } },
    'b(live)',
  ],
  [
    'module_blacklist= does not stop a command',
    'b',
    { conf: 'install b x', commandLine: 'module_blacklist=b' },
    'a b<a',
  ],
  ['a dependency without a line of its own', 'gap', {}, 'nowhere gap<nowhere'],
];

t.test('steps, their order and their edges', (t) => {
  for (const [rule, name, given, expected] of SHAPES) t.equal(shape(open(given)(name)), expected, rule);
  t.end();
});

t.test('paths, reasons and what is required', (t) => {
  const [plan] = open({ conf: '\nsoftdep c pre: z post: x' })('c');
  t.same(
    plan?.steps.map(({ module, path, why, for: wanting, place, required }) => [
      module,
      path,
      why,
      wanting,
      place?.line,
      required,
    ]),
    [
      ['a', '/m/kernel/a.ko', 'depends', 'c', undefined, true],
      ['b', '/m/kernel/b.ko', 'depends', 'c', undefined, true],
      ['y', '/m/kernel/y.ko', 'depends', 'z', undefined, false],
      ['z', '/m/kernel/z.ko', 'softdep-pre', 'c', 2, false],
      ['c', '/m/kernel/c.ko', 'target', undefined, undefined, true],
      ['x', '/m/kernel/x.ko', 'softdep-post', 'c', 2, false],
    ],
  );
  t.equal(open({})('outside')[0]?.steps[0]?.path, '/opt/outside.ko', 'an absolute path stays');
  t.equal(open({})('gap')[0]?.steps[0]?.path, '/m/kernel/nowhere.ko.xz', 'the path that the other line has');
  t.equal(open({ conf: 'softdep z pre: y' })('z')[0]?.steps[0]?.required, true, 'a dependency first met as softdep');
  t.end();
});

t.test('parameters and where they come from', (t) => {
  const given = {
    conf: 'options a one=1\noptions al-ias two=2\noptions pat* three=3\nalias pat* a\noptions a  \noptions b four=4',
    commandLine: 'a.five=5',
    aliases: { al_ias: 'a' },
  };
  const params = (name: string, options?: PlanOptions) =>
    open(given)(name, options).flatMap(({ steps }) => steps.map((step) => [step.params, kmodOptions(step.origins)]));
  t.same(params('a'), [['one=1   five=5', 'one=1   five=5 ']], 'by name; trailing spaces stay');
  t.same(params('al-ias'), [['one=1 two=2   five=5', 'one=1 two=2   five=5 ']], 'and by the alias that led to it');
  t.same(
    params('pat1'),
    [['one=1 three=3   five=5', 'one=1 three=3   five=5 ']],
    'a configured alias counts by its pattern',
  );
  t.same(
    params('b', { extraParams: 'six=6' }),
    [
      ['one=1   five=5', 'one=1   five=5 '],
      ['four=4 six=6', 'four=4 six=6'],
    ],
    'extra ones for the target',
  );
  t.same(params('x', { extraParams: 'six=6' }), [['six=6', 'six=6']]);
  t.same(params('x'), [['', '']]);
  const [plan] = open(given)('b', { extraParams: 'six=6' });
  t.same(plan?.steps[1]?.origins, [{ text: 'four=4', place: { file: 'conf', line: 6 } }, { text: 'six=6' }]);
  t.end();
});

t.test('install commands', (t) => {
  const commands = (name: string, given: Given) =>
    open(given)(name).flatMap(({ steps }) => steps.map((step) => `${step.module}: ${step.command?.text ?? '-'}`));
  const conf = 'install b* x $CMDLINE_OPTS; y "$CMDLINE_OPTS"\noptions b o=$&\ninstall b too late';
  t.same(
    commands('c', { conf }),
    ['a: -', 'b: x o=$& ; y "o=$& "', 'c: -'],
    "$CMDLINE_OPTS, every time, with kmod's space",
  );
  t.same(commands('b', { conf, options: { extraParams: 'p=1' } }), ['a: -', 'b: x o=$& p=1; y "o=$& p=1"']);
  t.same(commands('b', { conf, options: { ignoreCommands: true } }), ['a: -', 'b: -'], 'ignored on request');
  t.same(
    commands('c', { conf, options: { ignoreCommands: true } })[1],
    'b: x o=$& ; y "o=$& "',
    '… for the target only',
  );
  const ignored = { conf: 'install b x\nsoftdep b pre: y' };
  t.same(commands('b', ignored), ['a: -', 'y: -', 'b: -'], 'void for a module with softdeps');
  t.match(open(ignored)('b')[0]?.notes, [{ kind: 'install-ignored', module: 'b', place: { file: 'conf', line: 1 } }]);
  t.same(
    commands('b', { conf: 'install b x\nsoftdep b pre: nothing' }),
    ['a: -', 'b: x'],
    '… unless none of them is there',
  );
  t.match(open({ conf: 'install b  x \\$y' })('b')[0]?.steps[1]?.command, {
    raw: ' x $y',
    place: { file: 'conf', line: 1 },
  });
  t.end();
});

t.test('notes', (t) => {
  const notes = (conf: string) =>
    open({ conf })('z')[0]?.notes.map(({ kind, module, message }) => `${kind} ${module}: ${message}`);
  t.same(notes('softdep z pre: no-1 y post: no-2'), [
    'softdep-unknown z: no module has the name or alias no-1',
    'softdep-unknown z: no module has the name or alias no-2',
  ]);
  t.same(notes('softdep y post: foo\nalias foo bar'), [
    'softdep-left-out y: bar is left out: modules.dep has no module bar',
  ]);
  t.same(notes(''), []);
  t.end();
});

t.test('modprobe prints a module twice where kmod does, but it is one step', (t) => {
  const [plan] = open({ conf: 'softdep a pre: y\nsoftdep c pre: z' })('c');
  t.same(
    plan?.printed.map(({ module }) => module),
    ['y', 'a', 'b', 'y', 'z', 'c'],
  );
  t.same(
    plan?.steps.map(({ module }) => module),
    ['y', 'a', 'b', 'z', 'c'],
  );
  const [plain] = open({})('c');
  t.equal(plain?.printed, plain?.steps);
  t.end();
});

t.test('a module reached by name and by alias is one step, with the options of the first', (t) => {
  const conf = 'softdep z pre: al y\noptions al by=alias\noptions y by=name';
  const [plan] = open({ conf, aliases: { al: 'y' } })('z');
  t.same(
    plan?.steps.map(({ module, params }) => `${module} ${params}`),
    ['y by=name', 'z '],
  );
  t.same(
    plan?.printed.map(({ module, params }) => `${module} ${params}`),
    ['y by=name', 'y by=alias by=name', 'y by=name', 'z '],
  );
  t.end();
});

t.test('several candidates are several plans', (t) => {
  t.equal(shape(open({ aliases: { many: 'x c' } })('many')), 'x a b<a c<b');
  t.end();
});

t.test('each plan asks for the present state', (t) => {
  const loaded: Record<string, 'live'> = {};
  const plan = open({ loaded });
  t.equal(shape(plan('b')), 'a b<a');
  loaded['a'] = 'live';
  t.equal(shape(plan('b')), 'a(live) b<a');
  loaded['b'] = 'live';
  t.equal(shape(plan('b')), 'b(live)');
  t.equal(
    shape(plan('b', { ignoreCommands: true, ignoreLoaded: true })),
    'a(live) b(live)<a',
    'options apply to one plan only',
  );
  t.end();
});

t.test('very deep softdeps are cut off, and the module still has its plan', (t) => {
  const names = Array.from({ length: 5000 }, (_, i) => `n${i}`);
  const plan = open({
    tree: Object.fromEntries(names.map((name) => [name, ''])),
    conf: names.map((name, i) => `softdep ${name} pre: n${i + 1}\n`).join(''),
  });
  const steps = plan('n0')[0]?.steps ?? [];
  t.equal(steps.at(-1)?.module, 'n0');
  t.ok(steps.length > 100 && steps.length < 5000, `${steps.length} steps`);
  t.end();
});
