import t from 'tap';
import { isSafeName, unsafePart } from '../../../agent/dkms/tree/safe-name.ts';

t.test('names that may be a directory', async (t) => {
  const rules: ReadonlyArray<readonly [string, string, boolean]> = [
    ['letters', 'v4l2loopback', true],
    ['what versions have', '0.1.1dev+git20220316.e5c53d64~rc1:2-1', true],
    ['a leading dot', '.hidden', true],
    ['blanks', 'a b', true],
    ['nothing', '', false],
    ['this folder', '.', false],
    ['the folder above', '..', false],
    ['a slash', 'a/b', false],
    ['a way out', '../../etc', false],
    ['a new line', 'a\nb', false],
    ['an escape', 'a\x1b[31m', false],
    ['DEL', 'a\x7f', false],
    ['as long as a name may be', 'a'.repeat(255), true],
    ['longer', 'a'.repeat(256), false],
  ];
  for (const [rule, name, safe] of rules) t.equal(isSafeName(name), safe, rule);
});

t.test('the part that is unsafe', async (t) => {
  t.equal(unsafePart({ name: 'a', version: '1.0' }), undefined);
  t.same(unsafePart({ name: '..', version: '..' }), { what: 'module name', value: '..' });
  t.same(unsafePart({ name: 'a', version: '1/2' }), { what: 'version', value: '1/2' });
});
