import t from 'tap';
import { buildEnvironment } from '../../../../agent/dkms/build/process/build-environment.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const ALONE = { PATH, HOME: '/root', LC_ALL: 'C' };

const ROWS: ReadonlyArray<
  readonly [
    rule: string,
    caller: Readonly<Record<string, string | undefined>>,
    set: Readonly<Record<string, string>>,
    expected: Readonly<Record<string, string>>,
  ]
> = [
  ['an empty one gets a path and a home', {}, {}, ALONE],
  ["the caller's path and home pass", { PATH: '/p', HOME: '/h' }, {}, { ...ALONE, PATH: '/p', HOME: '/h' }],
  [
    'what crosses compilers passes',
    { ARCH: 'arm64', CROSS_COMPILE_COMPAT: 'x-' },
    {},
    { ...ALONE, ARCH: 'arm64', CROSS_COMPILE_COMPAT: 'x-' },
  ],
  ["compilers' flags and make's do not pass", { CC: 'x', CFLAGS: '-O0', MAKEFLAGS: '-j9', LDFLAGS: 'x' }, {}, ALONE],
  ['what bash would run does not pass', { BASH_ENV: '/x', ENV: '/x', BASH_FUNC_make: '() { :; }' }, {}, ALONE],
  ['a name must be the whole', { XPATH: 'x', PATHS: 'x', MY_KBUILD_X: 'x' }, {}, ALONE],
  ['messages are in English', { LANG: 'de_DE', LC_ALL: 'de_DE', LANGUAGE: 'de' }, {}, ALONE],
  ['what is set wins', { PATH: '/p' }, { PATH: '/q', CC: 'gcc-12' }, { ...ALONE, PATH: '/q', CC: 'gcc-12' }],
  ['an undefined one is none', { HOME: undefined }, {}, ALONE],
];

for (const [rule, caller, set, expected] of ROWS) {
  t.test(rule, (t) => {
    t.same(buildEnvironment(caller, set), expected);
    t.end();
  });
}
