import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { FactTable } from '../../agent/plan/planned-module.ts';
import { sequenceOf, type Sequence } from '../../agent/plan/sequence.ts';
import { factSources, type Given } from './plan-rig.ts';

function open(name: string, given: Given = {}, ignoreCommands = false): Sequence {
  const sources = factSources(given);
  return sequenceOf(new FactTable(sources).found(name as ModuleName), ignoreCommands);
}

/** `name` for each position; `=` marks a repetition, `!` one that the target cannot do without. */
function order({ items }: Sequence): string {
  return items
    .map(({ found, first, required }) => `${first ? '' : '='}${found.facts.name}${required ? '!' : ''}`)
    .join(' ');
}

const ORDERS: ReadonlyArray<readonly [rule: string, name: string, given: Given, expected: string]> = [
  ['a module alone', 'a', {}, 'a!'],
  ['dependencies come first, deepest first, and are required', 'c', {}, 'a! b! c!'],
  ['a softdep is not required', 'x', { conf: 'softdep x pre: y post: a' }, 'y x! a'],
  ['nor are the dependencies of a softdep', 'x', { conf: 'softdep x pre: z' }, 'y z x!'],
  [
    'a dependency that is a softdep, too, is repeated and stays required',
    'z',
    { conf: 'softdep z pre: y' },
    'y! =y! z!',
  ],
  ['a module that two softdeps name has one position', 'x', { conf: 'softdep x pre: y post: y' }, 'y x!'],
  ['so is one that softdeps of two modules bring', 'z', { conf: 'softdep y pre: a\nsoftdep z pre: b' }, 'a y! =a b z!'],
  ['a softdep that is blocked is left out', 'x', { conf: 'softdep x pre: p1 y' }, 'y x!'],
];

for (const [rule, name, given, expected] of ORDERS) {
  t.test(rule, (t) => {
    t.equal(order(open(name, given)), expected);
    t.end();
  });
}

t.test("with the target's commands ignored its softdeps are left out, those of its dependencies stay", (t) => {
  const given = { conf: 'softdep z pre: x\nsoftdep y pre: a' };
  t.equal(order(open('z', given)), 'a y! x z!');
  t.equal(order(open('z', given, true)), 'a y! z!');
  t.end();
});

t.test('each position says why it is there, for which module, and which line says so', (t) => {
  const { items } = open('z', { conf: '# one\nsoftdep z pre: x' });
  t.same(
    items.map((item) => [item.found.facts.name, item.why, item.for, item.place?.line]),
    [
      ['y', 'depends', 'z', undefined],
      ['x', 'softdep-pre', 'z', 2],
      ['z', 'target', undefined, undefined],
    ],
  );
  t.end();
});

t.test('an edge leads back only: one that would close a cycle is not there', (t) => {
  const edges = ({ items }: Sequence) =>
    items.map(({ found, after }) => `${found.facts.name}<${after.map(({ module }) => module).join(',')}`).join(' ');
  t.equal(edges(open('x', { conf: 'softdep x pre: y\nsoftdep y pre: x' })), 'y< x<y');
  t.equal(edges(open('x', { conf: 'softdep x pre: k', builtin: ['k'] })), 'k< x<');
  t.end();
});

const NOTES: ReadonlyArray<readonly [rule: string, conf: string, kind: string, message: string, line: number]> = [
  [
    'a softdep that cannot be loaded',
    'softdep x pre: p1',
    'softdep-left-out',
    'p1 is left out: modules.dep has a cycle',
    1,
  ],
  ['a softdep that no module has', 'softdep x pre: none', 'softdep-unknown', 'no module has the name or alias none', 1],
  [
    'an install command beside softdeps',
    'softdep x pre: y\ninstall x /bin/true',
    'install-ignored',
    "'install x /bin/true'",
    2,
  ],
];

for (const [rule, conf, kind, message, line] of NOTES) {
  t.test(`noted, once: ${rule}`, (t) => {
    const { notes } = open('x', { conf });
    t.match(notes, [{ kind, module: 'x', message, place: { file: 'conf', line } }]);
    t.equal(notes.length, 1);
    t.end();
  });
}

t.test('a chain of softdeps ends at 500 deep', (t) => {
  const conf = Array.from({ length: 600 }, (_, i) => `softdep m${i} pre: m${i + 1}`).join('\n');
  const tree = Object.fromEntries(Array.from({ length: 601 }, (_, i) => [`m${i}`, '']));
  t.equal(open('m0', { conf, tree }).items.length, 501);
  t.end();
});
