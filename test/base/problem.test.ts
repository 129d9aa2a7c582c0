import t from 'tap';
import { FileProblems, problemText, type Problem } from '../../agent/base/problem.ts';

const BASE: Problem = { file: '/x', line: 3, column: 9, severity: 'error', code: 'malformed', message: 'a bad word' };

const ROWS: ReadonlyArray<readonly [rule: string, problem: Partial<Problem>, text: string]> = [
  ['a word', {}, '/x:3:9: a bad word'],
  ['a whole line', { column: 0 }, '/x:3: a bad word'],
  ['a whole file', { line: 0, column: 0 }, '/x: a bad word'],
  ['the kernel command line has one line only', { file: '/proc/cmdline', line: 1 }, '/proc/cmdline:9: a bad word'],
  ['the name of the file becomes machine text, as the message is', { file: '/é', message: 'Ã©' }, '/Ã©:3:9: Ã©'],
];
for (const [rule, problem, text] of ROWS) {
  t.test(rule, (t) => {
    t.equal(problemText({ ...BASE, ...problem }), text);
    t.end();
  });
}

for (const [count, told, last] of [
  [0, 0, undefined],
  [1000, 1000, 'a bad word'],
  [1001, 1001, '1 more line of this file is wrong'],
  [300_000, 1001, '299000 more lines of this file are wrong'],
] as const) {
  t.test(`a file with ${count} problems`, (t) => {
    const list: Problem[] = [];
    let made = 0;
    const problems = new FileProblems('/x', list);
    for (let i = 0; i < count; i++) problems.add(() => (made++, BASE));
    problems.end();
    t.equal(list.length, told);
    t.equal(list.at(-1)?.message, last);
    t.ok(made <= 1000, 'no more are made');
    t.end();
  });
}
