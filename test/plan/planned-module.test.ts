import t from 'tap';
import { moduleName } from '../../agent/base/names.ts';
import { FactTable, type Found, type ModuleFacts } from '../../agent/plan/planned-module.ts';
import { factSources, type Given } from './plan-rig.ts';

function tableOf(given: Given = {}): FactTable {
  return new FactTable(factSources(given));
}

function facts(name: string, given: Given = {}): ModuleFacts {
  return tableOf(given).found(moduleName(name)).facts;
}

/** All candidates that a name leads to. */
function candidates(name: string, given: Given): readonly Found[] {
  const table = tableOf(given);
  const lookup = table.sources.matcher.lookup(name);
  return lookup.kind === 'found' ? lookup.candidates.map((candidate) => table.ofCandidate(candidate, name)) : [];
}

const names = (found: readonly Found[]) => found.map(({ facts }) => facts.name).join(' ');

const DEPENDS: ReadonlyArray<readonly [rule: string, name: string, depends: string, direct: string]> = [
  ['none', 'a', '', ''],
  ['one', 'b', 'a', 'a'],
  ['deepest first, direct ones only in `direct`', 'c', 'a b', 'b'],
  ['a diamond', 'e_e', 'a b c d', 'c d'],
  ['a module without a line of its own', 'gap', 'nowhere', 'nowhere'],
  ['a module that modules.dep does not have', 'nothing', '', ''],
  ['a cycle: all of them, so that the plan can name it', 'q1', 'q3 q2', 'q3 q2'],
  ['a module that needs itself', 'r1', 'r1', 'r1'],
];
for (const [rule, name, depends, direct] of DEPENDS) {
  t.test(`dependencies: ${rule}`, (t) => {
    const found = facts(name);
    t.equal(names(found.depends), depends);
    t.equal(found.direct.map(({ module }) => module).join(' '), direct);
    t.ok(found.direct.every(({ required }) => required));
    t.end();
  });
}

const PATHS: ReadonlyArray<readonly [rule: string, name: string, path: string]> = [
  ['relative to the module directory', 'e_e', '/m/kernel/e-e.ko'],
  ['absolute for a module outside it', 'outside', '/opt/outside.ko'],
  ['none', 'nothing', ''],
];
t.test('paths', (t) => {
  for (const [rule, name, path] of PATHS) t.equal(facts(name).path, path, rule);
  t.equal(facts('gap').depends[0]?.facts.path, '/m/kernel/nowhere.ko.xz', "from another module's line");
  t.end();
});

const MEMBERS: ReadonlyArray<readonly [rule: string, given: Given, expected: string]> = [
  ['no softdep line', {}, ' | | '],
  ['modules before and after', { conf: 'softdep x pre: y a post: z' }, 'y a | z | '],
  ['the first line that matches', { conf: 'softdep x* pre: y\nsoftdep x pre: a' }, 'y | | '],
  ['names that no module has', { conf: 'softdep x pre: no-1 y post: no-2' }, 'y | | no-1 no-2'],
  ['all modules of an alias', { conf: 'softdep x pre: al', aliases: { al: 'y a' } }, 'y a | | '],
  ['itself', { conf: 'softdep x pre: x' }, 'x | | '],
];
for (const [rule, given, expected] of MEMBERS) {
  t.test(`softdeps: ${rule}`, (t) => {
    const { members, hasSoftdeps } = facts('x', given);
    t.equal(
      [names(members.pre), names(members.post), members.unknown.join(' ')].join(' | ').replaceAll('  ', ' '),
      expected,
    );
    t.equal(hasSoftdeps, members.pre.length + members.post.length > 0);
    t.end();
  });
}

const BLOCKED: ReadonlyArray<readonly [rule: string, name: string, given: Given, expected: readonly string[]]> = [
  ['nothing known', 'c', {}, []],
  ['no file and no command', 'nothing', {}, ['missing-module nothing: modules.dep has no module nothing']],
  ['no file, but a command', 'nothing', { conf: 'install nothing cmd' }, []],
  [
    'no file, and softdeps that void the command',
    'nothing',
    { conf: 'install nothing cmd\nsoftdep nothing pre: a' },
    ['missing-module nothing: modules.dep has no module nothing'],
  ],
  ['builtin', 'k', { builtin: ['k'], commandLine: 'module_blacklist=k' }, []],
  ['a cycle of two', 'p1', {}, ['cycle p1: modules.dep has a cycle: p1 → p2 → p1']],
  ['a cycle by its direct links', 'q1', {}, ['cycle q1: modules.dep has a cycle: q1 → q2 → q3 → q1']],
  ['a cycle of one', 'r1', {}, ['cycle r1: modules.dep has a cycle: r1 → r1']],
  ['a cycle below it', 's1', {}, ['cycle s1: modules.dep has a cycle: p1 → p2 → p1']],
  [
    'module_blacklist= names it and a dependency: the deepest first',
    'c',
    { commandLine: 'module_blacklist=c,a' },
    [
      'kernel-blacklisted a: module_blacklist=a on the kernel command line',
      'kernel-blacklisted c: module_blacklist=c on the kernel command line',
    ],
  ],
];
for (const [rule, name, given, expected] of BLOCKED) {
  t.test(`blocked: ${rule}`, (t) => {
    t.same(
      facts(name, given).blocked.map(({ kind, module, reason }) => `${kind} ${module}: ${reason}`),
      expected,
    );
    t.end();
  });
}

const ORIGINS: ReadonlyArray<readonly [rule: string, name: string, given: Given, expected: readonly string[]]> = [
  ['by its name', 'a', { conf: 'options a one=1\noptions b two=2' }, ['a: one=1']],
  ['by the alias as looked up', 'al-ias', { conf: 'options al_ias one=1', aliases: { al_ias: 'a' } }, ['a: one=1']],
  ["by a configured alias's pattern", 'my-disk', { conf: 'alias my* a\noptions my* one=1' }, ['a: one=1']],
  ['empty ones do not count', 'a', { conf: 'options a' }, ['a: ']],
  ['for each candidate', 'al', { conf: 'options x one=1', aliases: { al: 'x y' } }, ['x: one=1', 'y: ']],
];
for (const [rule, name, given, expected] of ORIGINS) {
  t.test(`options: ${rule}`, (t) => {
    t.same(
      candidates(name, given).map((found) => `${found.facts.name}: ${found.origins.map(({ text }) => text).join(' ')}`),
      expected,
    );
    t.end();
  });
}

t.test('a module is one object, however it was found', (t) => {
  const table = tableOf({ conf: 'options al one=1' });
  const byName = table.found(moduleName('a'));
  const byAlias = table.found(moduleName('a'), 'al');
  t.equal(byName.facts, byAlias.facts);
  t.not(byName, byAlias, 'but their options differ');
  t.equal(table.found(moduleName('a'), 'al'), byAlias);
  t.end();
});

t.test('a builtin alias makes its module builtin, though modules.builtin does not list it', (t) => {
  const given = { builtinAliases: { 'fs-t': 't' } };
  t.equal(tableOf(given).isBuiltin(moduleName('t')), false);
  t.equal(candidates('fs-t', given)[0]?.facts.builtin, true);
  t.end();
});

t.test('dependencies nested 2,000 deep need no deep stack', (t) => {
  const all = Array.from({ length: 2000 }, (_, i) => `n${i}`);
  const tree = Object.fromEntries(all.map((name, i) => [name, i + 1 < all.length ? (all[i + 1] ?? '') : 'n0']));
  const [blocked] = facts('n0', { tree }).blocked;
  t.equal(blocked?.kind, 'cycle');
  t.match(blocked?.reason, /^modules.dep has a cycle: n0 → n1 → .* → n1999 → n0$/);
  t.end();
});
