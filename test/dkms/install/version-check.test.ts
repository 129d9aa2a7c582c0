import t from 'tap';
import { checkVersion, isObsolete } from '../../../agent/dkms/install/version-check.ts';

const of = (version: string, srcversion = '') => ({ version, srcversion });

t.test('a built module against the one that is present', async (t) => {
  const rules: ReadonlyArray<
    readonly [string, ReturnType<typeof of>, ReturnType<typeof of> | undefined, boolean, string]
  > = [
    ['nothing is present', of('1.0'), undefined, false, 'install'],
    ['a higher version', of('2.0'), of('1.0'), false, 'install'],
    ['a lower version', of('1.0'), of('2.0'), false, 'not-newer'],
    ['digits count as numbers', of('1.10'), of('1.9'), false, 'install'],
    ['the same version and source', of('1.0', 'AB'), of('1.0', 'AB'), false, 'same'],
    ['the same version, another source', of('1.0', 'AB'), of('1.0', 'CD'), false, 'install'],
    ['the same version, no source version', of('1.0'), of('1.0'), false, 'same'],
    ['no version, the same source', of('', 'AB'), of('', 'AB'), false, 'same'],
    ['no version at all, other bytes', of(''), of(''), false, 'install'],
    ['no version at all, the same bytes', of(''), of(''), true, 'same'],
    ['only the present one has a version', of(''), of('9.9'), false, 'install'],
    ['only the built one has a version', of('0.1'), of(''), false, 'install'],
  ];
  for (const [rule, built, present, identical, verdict] of rules) {
    t.equal(
      checkVersion(built, present, () => identical),
      verdict,
      rule,
    );
  }
});

t.test('OBSOLETE_BY', async (t) => {
  const rules: ReadonlyArray<readonly [string, string, string | undefined, boolean]> = [
    ['not given', '6.1.0-1-amd64', undefined, false],
    ['empty', '6.1.0-1-amd64', '', false],
    ['an older kernel', '6.1.0-1-amd64', '6.2', false],
    ['a newer kernel', '6.3.0-1-amd64', '6.2', true],
    ['the kernel itself', '6.2-1', '6.2', true],
    ['a lower number of the distribution', '6.2.0-10-generic', '6.2.0-20', false],
    ['its number', '6.2.0-20-generic', '6.2.0-20', true],
    ['a higher number', '6.2.0-21-generic', '6.2.0-20', true],
    ['the number does not count for another version', '6.3.0-1-generic', '6.2.0-20', true],
  ];
  for (const [rule, release, obsoleteBy, obsolete] of rules) t.equal(isObsolete(release, obsoleteBy), obsolete, rule);
});
