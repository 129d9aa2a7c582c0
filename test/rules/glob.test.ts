import t from 'tap';
import { fnmatch } from '../../agent/base/fnmatch.ts';
import { compileGlob, globFault, isGlob } from '../../agent/rules/glob.ts';

t.test('globs mean what fnmatch means', (t) => {
  const patterns = [
    '*',
    '**',
    '?*',
    'a*',
    '*a',
    '[a-c]*',
    '[!a]b',
    '[^a]b',
    'a\\*b',
    '[abc',
    'a[]]b',
    'a?b',
    '.*',
    '?',
    '??',
    '*.*',
    'a**b',
    '+(a)',
    '!a',
    '#a',
    ' ',
    '',
    '[a-',
    'a]b',
    '{a,b}',
    'mtd*ro',
    '\xe9*',
    '[\xe0-\xff]',
    '[a/b]*',
    '*/*',
    '[!/]',
    'a/b',
    '.',
    '..',
    '[.]',
    '*b*c*',
    '[[:digit:]]*',
    '**/b',
    '@(a|b)',
  ];
  const texts = [
    '',
    'a',
    'b',
    'ab',
    'a*b',
    '/',
    'a/b',
    'mtd0ro',
    'mtdro',
    '.',
    '..',
    '.a',
    '..a',
    'a.',
    '[abc',
    'a]b',
    '+(a)',
    'a\nb',
    '!a',
    '#a',
    '\xe9',
    ' ',
    '  ',
    '{a,b}',
    'xbxc',
    'a[]]b',
    '1x',
    'zx',
    './a',
    'a/',
    '//',
    'a//b',
    '[a-',
    'x/y/b',
    '@(a|b)',
  ];
  const wrong: string[] = [];
  for (const pattern of patterns) {
    const matches = compileGlob(pattern);
    for (const text of texts) if (matches(text) !== fnmatch(pattern, text)) wrong.push(`${pattern} on ${text}`);
  }
  t.same(wrong, []);
  t.same(['a', 'a*', 'a?', '[a]', 'a\\b', '{a}'].filter(isGlob), ['a*', 'a?', '[a]', 'a\\b']);
  t.end();
});

t.test('a glob that is too long is told where it is read, not when it is matched', (t) => {
  const rows: ReadonlyArray<readonly [string, string, boolean]> = [
    ['the longest', `${'a'.repeat(4095)}*`, true],
    ['one more', `${'a'.repeat(4096)}*`, false],
    ['more than minimatch takes', `?${'a'.repeat(70_000)}[b]*c`, false],
    ['no glob: text may be longer', 'a'.repeat(70_000), true],
  ];
  for (const [name, pattern, fits] of rows) {
    t.equal(globFault(pattern) === undefined, fits, name);
    if (fits) t.doesNotThrow(() => compileGlob(pattern)(pattern), `${name}: a test`);
    else
      t.throws(() => compileGlob(pattern), { code: 'usage', message: /characters; at most 4096/ }, `${name}: an error`);
  }
  t.end();
});
