import t from 'tap';
import { problemText, type Problem } from '../../agent/base/problem.ts';

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
