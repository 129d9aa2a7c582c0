import t from 'tap';
import { END, FileEnds, type FileEnd } from './file-ends.ts';

const FILES = ['/a.js', '/b.js', '/c.js'];

/** The lines of a file, and those of the subtest behind it. */
const own = (file: string) => [`# Subtest: tests of ${file}`, '    ok 1 - it holds', `ok 1 - tests of ${file}`];
const mark = (file: string) => [
  `# Subtest: ${END}${file}`,
  '    ok 1 - (unnamed test)',
  '    1..1',
  `ok 2 - ${END}${file}`,
];

const CASES: ReadonlyArray<
  readonly [name: string, lines: readonly string[], status: string, ended: ReadonlyArray<Omit<FileEnd, 'ms'>>]
> = [
  [
    'each ran to its end',
    FILES.flatMap((file) => [...own(file), ...mark(file)]),
    '0',
    FILES.map((file) => ({ file, lines: own(file), status: '0' })),
  ],
  [
    'one failed, which the status repeats',
    [...own('/a.js'), ...mark('/a.js'), 'not ok 3 - b', ...mark('/b.js'), ...own('/c.js'), ...mark('/c.js')],
    '1',
    [
      { file: '/a.js', lines: own('/a.js'), status: '0' },
      { file: '/b.js', lines: ['not ok 3 - b'], status: '0' },
      { file: '/c.js', lines: own('/c.js'), status: '0' },
    ],
  ],
  [
    'none failed, and the program did',
    FILES.flatMap((file) => [...own(file), ...mark(file)]),
    '1',
    FILES.map((file) => ({ file, lines: own(file), status: file === '/c.js' ? '1' : '0' })),
  ],
  [
    'it ended in the middle of the second',
    [...own('/a.js'), ...mark('/a.js'), '# Subtest: tests of /b.js'],
    'SIGSEGV',
    [
      { file: '/a.js', lines: own('/a.js'), status: '0' },
      { file: '/b.js', lines: ['# Subtest: tests of /b.js'], status: 'SIGSEGV' },
      { file: '/c.js', lines: [], status: 'SIGSEGV, before it began' },
    ],
  ],
  [
    'it wrote nothing',
    [],
    '70',
    FILES.map((file) => ({ file, lines: [], status: file === '/a.js' ? '70' : '70, before it began' })),
  ],
];

for (const [name, lines, status, expected] of CASES)
  t.test(name, (t) => {
    const ends = new FileEnds(FILES);
    for (const [i, line] of lines.entries()) ends.line(line, i);
    const ended = ends.end(status, lines.length);
    t.same(
      ended.map(({ file, lines, status }) => ({ file, lines, status })),
      expected,
    );
    t.equal(ended.reduce((sum, { ms }) => sum + ms, 0) <= lines.length, true, 'no time counts twice');
    t.end();
  });

t.test('a file alone has no mark', (t) => {
  const ends = new FileEnds(['/a.js']);
  for (const line of own('/a.js')) ends.line(line, 1);
  t.same(ends.end('0', 5), [{ file: '/a.js', lines: own('/a.js'), status: '0', ms: 5 }]);
  t.end();
});
