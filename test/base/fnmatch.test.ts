import t from 'tap';
import { bracketEnd, fnmatch, isLiteral } from '../../agent/base/fnmatch.ts';

// Each row was asked of glibc's fnmatch(pattern, text, 0); test/oracle/indexes/fnmatch.test.ts asks it again with random ones.
const ROWS: ReadonlyArray<readonly [rule: string, pattern: string, yes: readonly string[], no: readonly string[]]> = [
  [
    'a text matches itself',
    'usb:v1D6Bp0002',
    ['usb:v1D6Bp0002'],
    ['usb:v1D6Bp0003', 'usb:v1D6Bp000', 'usb:v1D6Bp00021', ''],
  ],
  ['nothing matches nothing', '', [''], ['a']],
  ['a star takes any run', 'a*c', ['ac', 'abc', 'abcbc', 'a*c', 'a/c'], ['a', 'abcd', 'bac']],
  ['a star takes slashes and leading dots', '*', ['', '.x', '/a/b', 'of:N-T(null)'], []],
  ['stars side by side are one', 'a**b***', ['ab', 'axbx'], ['a', 'ba']],
  ['the last star can take what an earlier one left', '*ab*ab', ['abab', 'xabyab', 'ababab'], ['ab', 'aba', 'abba']],
  ['a question mark takes one byte', 'a?c', ['abc', 'a/c', 'a.c', 'a\xffc'], ['ac', 'abbc']],
  ['a set takes a member', 'v[0-35]x', ['v0x', 'v3x', 'v5x'], ['v4x', 'vx', 'v-x', 'v00x']],
  ['a set with ! or ^ takes the others', '[!0-9][^a]', ['ab', '/b', '\xe4\xe4'], ['1b', 'aa', 'a', '']],
  ['] first is a member', '[]a]', [']', 'a'], ['[', '[]a]', '']],
  ['] first behind ! is a member', '[!]a]', ['b'], [']', 'a']],
  ['a dash at an end is a member', '[a-][-b]', ['a-', '-b', 'ab'], ['bb', 'a.']],
  ['a range upside down has no members', '[z-a]', [], ['a', 'z', 'm', '-']],
  ['a dash behind a range is a member', '[a-c-e]', ['a', 'c', '-', 'e'], ['d']],
  ['a range may begin with a dash', '[--0]', ['-', '.', '/', '0'], ['1', ',']],
  ['a backslash means the next byte', '\\*\\?\\[\\\\', ['*?[\\'], ['a?[\\', '\\*\\?\\[\\\\']],
  ['a backslash in a set means the next byte', '[\\]a-\\c]', [']', 'a', 'b', 'c'], ['\\', '-']],
  ['a backslash at the end matches nothing', 'a\\', [], ['a', 'a\\']],
  ['a bracket without a partner is itself', 'a[b', ['a[b'], ['ab', 'a', 'a[']],
  ['wildcards behind such a bracket count', 'a[*', ['a[', 'a[bc'], ['ab']],
  ['a class takes its bytes', '[[:digit:][:upper:]_]', ['0', 'Z', '_'], ['a', ':', 'd', '[']],
  ['an unknown class matches nothing', '[[:nope:]a]', [], ['n', 'a', ':']],
  ['not even turned round', '[![:nope:]]', [], ['n']],
  ['a member before an unknown class counts', '[a[:nope:]]', ['a'], ['n']],
  ['equivalence and collating elements are their byte', '[[=a=][.b.]]', ['a', 'b'], ['=', '.', 'c']],
  ['an opened class that does not close is members', '[[:x]', ['[', ':', 'x'], ['y', ']']],
  ['case counts', 'A[a-c]', ['Ab'], ['ab', 'AB']],
];

for (const [rule, pattern, yes, no] of ROWS) {
  t.test(rule, (t) => {
    for (const text of yes) t.ok(fnmatch(pattern, text), `${pattern} takes ${text}`);
    for (const text of no) t.notOk(fnmatch(pattern, text), `${pattern} does not take ${text}`);
    t.end();
  });
}

t.test('many stars do not make it slow', (t) => {
  // 40 stars against 4,000 bytes: exponential time would not end in this universe.
  t.notOk(fnmatch(`${'*a'.repeat(40)}b`, 'a'.repeat(4000)));
  t.ok(fnmatch(`${'*a'.repeat(40)}*`, 'a'.repeat(4000)));
  t.notOk(fnmatch('*[a-z]'.repeat(40), `${'a'.repeat(2000)}0`));
  t.end();
});

t.test('where a bracket ends', (t) => {
  const rows = [
    ['[a]', 3],
    ['[]]', 3],
    ['[!]]x', 4],
    ['[a', -1],
    ['[', -1],
    ['[!', -1],
    ['[]', -1],
    ['[\\]]', 4],
    ['[a-]]', 4],
    ['[[:alpha:]]', 11],
    ['[[:alpha]', 9],
  ] as const;
  for (const [pattern, end] of rows) t.equal(bracketEnd(pattern, 0), end, pattern);
  t.equal(bracketEnd('x[]a]y', 1), 5);
  t.end();
});

t.test('which patterns are plain text', (t) => {
  for (const text of ['', 'net-pf-10', 'a]b']) t.ok(isLiteral(text), text);
  for (const text of ['a*', 'a?', '[a', 'a\\b']) t.notOk(isLiteral(text), text);
  t.end();
});
