import t from 'tap';
import { countable, coverageOf, mappings, paint, summary, type FileCoverage } from './coverage.ts';

const ranges = (...list: Array<readonly [number, number, number]>) => ({
  ranges: list.map(([startOffset, endOffset, count]) => ({ startOffset, endOffset, count })),
});

const painted: Record<string, readonly [ReturnType<typeof ranges>[], string]> = {
  'what no range covers has not run': [[], '00000000'],
  'a block within a function has its own count': [[ranges([0, 8, 1], [2, 4, 0])], '11001111'],
  'a function within another has its own count': [[ranges([0, 8, 1]), ranges([3, 6, 0], [4, 5, 2])], '11101011'],
  'whatever the order': [[ranges([3, 6, 0]), ranges([0, 8, 5])], '11100011'],
};
for (const [name, [functions, expected]] of Object.entries(painted)) {
  t.test(`painted: ${name}`, (t) => {
    t.equal(paint(functions, 8).join(''), expected);
    t.end();
  });
}

const counted: Record<string, readonly [text: string, statements: readonly string[], branches: readonly string[]]> = {
  'types and imports are no statements': ["import a from 'a';\ninterface B { c: 1 }\ntype D = 1;", [], []],
  'a function is not, what is in it is': ['function f() { return 1; }', ['return 1;'], []],
  'an arrow has a statement': ['const f = () => 1;', ['const f = () => 1;', '1'], []],
  'both arms of if': ['if (a) b(); else c();', ['if (a) b(); else c();', 'b();', 'c();'], ['b();', 'c();']],
  'both arms of ?:': ['a ? b : c;', ['a ? b : c;'], ['b', 'c']],
  'the right side of a logical operator': [
    'a && b; c || d; e ?? f;',
    ['a && b;', 'c || d;', 'e ?? f;'],
    ['b', 'd', 'f'],
  ],
  'not that of another': ['a + b;', ['a + b;'], []],
  'a loop, a catch and a case': [
    'for (;;) { a; } try { b; } catch { c; } switch (d) { case 1: e; }',
    ['for (;;) { a; }', 'a;', 'try { b; } catch { c; }', 'b;', 'c;', 'switch (d) { case 1: e; }', 'e;'],
    ['{ a; }', '{ c; }', 'e;'],
  ],
};
for (const [name, [text, statements, branches]] of Object.entries(counted)) {
  t.test(`counted: ${name}`, (t) => {
    const found = countable(text);
    t.same(
      found.statements.map(([start, end]) => text.slice(start, end)),
      statements,
    );
    t.same(
      found.branches.map(([start, end]) => text.slice(start, end)),
      branches,
    );
    t.end();
  });
}

t.test('mappings are differences, in base 64', (t) => {
  t.same(mappings({ sources: ['a.ts', 'b.ts'], mappings: 'AAAA,gBACE;ACDF,C' }), [
    { generatedLine: 0, generatedColumn: 0, source: 'a.ts', originalLine: 0, originalColumn: 0 },
    { generatedLine: 0, generatedColumn: 16, source: 'a.ts', originalLine: 1, originalColumn: 2 },
    { generatedLine: 1, generatedColumn: 0, source: 'b.ts', originalLine: 0, originalColumn: 0 },
  ]);
  t.end();
});

t.test('what ran in any form of a source has run; a line counts once', (t) => {
  const text = 'a ? b : c; d;\ne;\nf;';
  const at = (...ran: string[]) =>
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [text.indexOf(name), ran.includes(name)] as const);
  t.same(coverageOf(text, [at('a', 'b'), at('a', 'e')]), {
    lines: { all: 3, ran: 2 },
    branches: { all: 2, ran: 1 },
    missed: [3],
  });
  t.same(coverageOf(text, []).missed, [1, 2, 3], 'nothing ran of what no test loads');
  t.end();
});

t.test('a floor that does not hold is named', (t) => {
  const file = (ran: number): FileCoverage => ({ lines: { all: 100, ran }, branches: { all: 0, ran: 0 }, missed: [] });
  const { table, failures } = summary(
    new Map([
      ['plan/a.ts', file(89)],
      ['load/a.ts', file(99)],
      ['cli.ts', file(50)],
    ]),
  );
  t.same(failures, ['plan: 89.0 % of lines, at least 90 %', 'all: 79.3 % of lines, at least 80 %']);
  t.equal(table[1], 'plan          89.0     100.0');
  t.end();
});
