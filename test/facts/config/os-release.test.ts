import { symlinkSync } from 'node:fs';
import t from 'tap';
import { readOsRelease, type OsRelease } from '../../../agent/facts/config/os-release.ts';

t.test('the names of a distribution', async (t) => {
  const rules: ReadonlyArray<readonly [string, string, OsRelease]> = [
    ['a name alone', 'ID=debian\n', { id: 'debian', like: [] }],
    [
      'what it derives from',
      'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
      { id: 'linuxmint', like: ['ubuntu', 'debian'] },
    ],
    ['single quotes', "ID='opensuse-leap'\n", { id: 'opensuse-leap', like: [] }],
    ['a name that only ends so', 'VARIANT_ID=server\nID=fedora\n', { id: 'fedora', like: [] }],
    ['no name', 'NAME=x\n', { id: '', like: [] }],
  ];
  const home = t.testdir(Object.fromEntries(rules.map(([rule, text]) => [rule, { etc: { 'os-release': text } }])));
  for (const [rule, , names] of rules) t.same(readOsRelease(`${home}/${rule}`), names, rule);
});

t.test('the two files', async (t) => {
  const usr = () => ({ lib: { 'os-release': 'ID=arch\n' } });
  const home = t.testdir({
    neither: {},
    usr: { usr: usr() },
    link: { etc: {}, usr: usr() },
    folder: { etc: { 'os-release': {} }, usr: usr() },
  });
  symlinkSync('../usr/lib/os-release', `${home}/link/etc/os-release`);
  t.equal(readOsRelease(`${home}/neither`), undefined, 'neither');
  t.same(readOsRelease(`${home}/usr`), { id: 'arch', like: [] }, 'the one below /usr');
  t.same(readOsRelease(`${home}/link`), { id: 'arch', like: [] }, 'a link inside the root');
  t.same(readOsRelease(`${home}/folder`), { id: 'arch', like: [] }, 'what is no file does not count');
});
