import t from 'tap';
import { TapPrinter } from './tap-printer.ts';

/** What is printed for one file of these lines, and the counts. */
function print(text: string, status = '0') {
  const printed: string[] = [];
  const printer = new TapPrinter((line) => printed.push(line));
  printer.file('x.test.js', text === '' ? [] : text.split('\n'), status, 12.4);
  return { text: printed.join('\n'), ...printer.total };
}

const FAILING = `# Subtest: outer
    # Subtest: inner
        ok 1 - fine
        not ok 2 - one is two
          ---
          diff: here
          not ok 9 - is only text
          ...
        1..2
    not ok 1 - inner # time=1ms
      ---
      at: elsewhere
      ...
    1..1
not ok 1 - outer # time=2ms
ok 2 - later
# { total: 3, pass: 2, fail: 1 }
# time=3ms`;

const ROWS: ReadonlyArray<readonly [rule: string, text: string, status: string, counts: string, shown: RegExp]> = [
  [
    'assertions count, subtests do not',
    '# Subtest: a\n    ok 1 - b\nok 1 - a # time=1ms',
    '0',
    '1 0 0',
    /^ok {5}x\S+ {2}1 passed {2}12ms$/,
  ],
  [
    'a failure counts once, however deep it is',
    FAILING,
    '1',
    '2 1 0',
    /^\nFAILED x.test.js > outer > inner > one is two\n/,
  ],
  ['its diagnostics are shown', FAILING, '1', '2 1 0', /diff: here\n.*not ok 9 - is only text\n/],
  ['those of the tests around it are not', FAILING, '1', '2 1 0', /^(?![^]*elsewhere)/],
  [
    'a skipped test is named with its reason',
    'ok 1 - a # SKIP no kernel\nok 2 - b',
    '0',
    '1 0 1',
    /^skipped: x.test.js > a: no kernel\n/,
  ],
  ['a comment is shown', 'ok 1 - a\n# nothing to see', '0', '1 0 0', /^# nothing to see$/m],
  ['a file that asserts nothing fails', '', '0', '0 1 0', /FAILED x.test.js: it ended with 0; it asserts nothing/],
  ['so does one that ends by a signal', 'ok 1 - a', 'SIGKILL', '1 1 0', /it ended with SIGKILL; its assertions passed/],
];

for (const [rule, text, status, counts, shown] of ROWS) {
  t.test(rule, (t) => {
    const printed = print(text, status);
    t.equal(`${printed.pass} ${printed.fail} ${printed.skip}`, counts);
    t.match(printed.text, shown);
    t.end();
  });
}
