import { execFileSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readDkmsConf, type ConfReading } from '../../../agent/dkms/conf/dkms-conf.ts';
import type { ConfRequest } from '../../../agent/dkms/conf/conf-request.ts';
import { confRequest } from './conf-request.ts';

const HEAD = 'PACKAGE_NAME=x\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=x\nDEST_MODULE_LOCATION=/extra\n';

type Files = Readonly<Record<string, string>>;

function read(t: Tap, text: string, changes: Partial<ConfRequest> = {}, etc: Files = {}): ConfReading {
  const config = { '.config': 'CONFIG_A=y\nCONFIG_M=m\nCONFIG_S="text"\n# CONFIG_N is not set\n' };
  const folder = t.testdir({ 'dkms.conf': text, etc, modules: { '6.1.0-56-amd64': { build: config } } });
  return readDkmsConf(confRequest(folder, changes));
}

type Tap = Pick<typeof t, 'testdir'>;

/** What the summary says, without the folder of the test. */
function kinds(reading: ConfReading): readonly string[] {
  return reading.messages.map((message) => (message.kind === 'conf-error' ? message.error.kind : message.kind));
}

t.test('a value is evaluated twice, as dkms does', async (t) => {
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    ['several lines become one', 'MAKE="a\n  b\t c"', 'a b c'],
    ['escaped quotes vanish', String.raw`MAKE="A=\"10.5\" make"`, 'A=10.5 make'],
    ['single quotes inside stay', `MAKE="make 'a b'"`, `make 'a b'`],
    ['an escaped semicolon stays', String.raw`MAKE="find -exec mv {} X \;"`, String.raw`find -exec mv {} X \;`],
    ['an escaped variable acts the second time', String.raw`MAKE="\${kernelver} \$arch"`, '6.1.0-56-amd64 x86_64'],
    ['so does a command', String.raw`MAKE="\$(echo hi)"`, 'hi'],
    ["the file's own variable is gone by then", `OWN=1; MAKE='a\${OWN}b'`, 'ab'],
    ['blanks at the ends are one blank', `MAKE='  a  '`, ' a '],
    ['one CR at the end is cut', 'MAKE="a"\r', 'a'],
    ['a scalar is element 0', 'MAKE=a', 'a'],
    ['a word that echo would take for its option stays', 'MAKE="-n a"', '-n a'],
    ['a value that is no string the second time is lost', String.raw`MAKE="A=\"one two\" b"`, 'DEFAULT'],
    ['and takes nothing else with it', String.raw`PRE_BUILD="a\"b"; MAKE=c`, 'c'],
    ["the file's IFS splits", 'IFS=,; MAKE=a,b', 'a b'],
    ['options in effect can be seen', `MAKE="make \${parallel_jobs+-j$parallel_jobs}"`, 'make -j2'],
    [
      'BASH_SOURCE is the path of the file',
      'pushd $(dirname $BASH_SOURCE); MAKE=$(basename $BASH_SOURCE); popd',
      'dkms.conf',
    ],
    ['conditions and sourced files count', 'if [ -f $kernel_config ]; then . $kernel_config; fi; MAKE=$CONFIG_A', 'y'],
    ['a name that is no directive is not passed on', 'LOAD=no', 'DEFAULT'],
    ['DKMS_DIRECTIVE sets what it names', 'MAKE=a; DKMS_DIRECTIVE1="MAKE=b  c"', 'b c'],
    ['a process that the file leaves behind is ended', 'sleep 1000 & MAKE=a', 'a'],
    ['after a syntax error the rest is not read', 'MAKE=a\n)\nMAKE=b', 'a'],
  ];
  for (const [rule, text, make] of rows) {
    const reading = read(t, `${HEAD}${text}\n`);
    if (reading.kind !== 'read') t.fail(`${rule}: ${JSON.stringify(reading.messages)}`);
    else if (make === 'DEFAULT')
      t.match(reading.conf.make, /^make -C .*\/build M=\/var\/lib\/dkms\/x\/1\/build$/, rule);
    else t.equal(reading.conf.make, make, rule);
  }
});

t.test("nothing of the caller's environment decides", async (t) => {
  for (const [name, value] of Object.entries({
    MAKE: 'bad',
    BASH_ENV: '/dev/stdin',
    CFLAGS: 'bad',
    PRE_BUILD: 'bad',
  })) {
    const before = process.env[name];
    process.env[name] = value;
    t.teardown(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
  const reading = read(t, `${HEAD}if false; then :; fi; POST_BUILD="$CFLAGS"`);
  t.match(reading, { kind: 'read', conf: { preBuild: undefined, postBuild: undefined, make: /^make -C/ } });
});

t.test('overrides and --directive win in order', async (t) => {
  const text = `${HEAD}MAKE[0]=a\nMAKE[1]=b\nMAKE_MATCH[1]=^6\nSTRIP=yes\n`;
  const etc = {
    'x.conf': 'MAKE[1]="${MAKE[1]} over $PACKAGE_NAME"\nOWN=1\n',
    'x-1-6.1.0-56-amd64.conf': 'MAKE[1]="${MAKE[1]} over2$OWN"\n',
    'x--6.1.0-56-amd64-x86_64.conf': 'STRIP=no\n',
    'x-1-7.0.conf': 'MAKE[1]=other\n',
  };
  t.match(read(t, text, {}, etc), { kind: 'read', conf: { make: 'b over x over2', modules: [{ strip: false }] } });
  t.match(
    read(t, text, { module: '' }, etc),
    { kind: 'read', conf: { make: 'b' } },
    'without a name there are no overrides',
  );
  const directives = ['STRIP=no', 'PRE_BUILD=a  "b" $c', 'nonsense'];
  t.match(
    read(t, text, { directives }),
    {
      kind: 'read',
      conf: { preBuild: 'a  "b" $c', modules: [{ strip: false }] },
      messages: [
        { kind: 'conf-directive', name: 'STRIP', value: 'no' },
        { kind: 'conf-directive', name: 'PRE_BUILD', value: 'a  "b" $c' },
      ],
    },
    'a directive of the command line is taken as it is',
  );
});

t.test('what is wrong is told in order', async (t) => {
  const rows: ReadonlyArray<readonly [string, string, readonly string[]]> = [
    ['nothing', HEAD, []],
    ['an empty file', '', ['no-directive', 'no-directive', 'conf-bad']],
    ['exit leaves nothing', `${HEAD}exit 0`, ['no-directive', 'no-directive', 'conf-bad']],
    ['stderr comes first', `echo a >&2\n`, ['conf-complaint', 'no-directive', 'no-directive', 'conf-bad']],
    ['then what is deprecated', `CLEAN=x\n`, ['conf-deprecated', 'no-directive', 'no-directive', 'conf-bad']],
    ['no modules is a warning', 'PACKAGE_NAME=x\nPACKAGE_VERSION=1\n', ['conf-zero-modules']],
    ['a slash in the name', `${HEAD}PACKAGE_NAME=../x`, ['unsafe-name', 'conf-bad']],
    ['a dot-dot version', `${HEAD}PACKAGE_VERSION=..`, ['unsafe-name', 'conf-bad']],
    ['a line break in a version', `${HEAD}PACKAGE_VERSION='$(printf "1\\v2")'`, ['unsafe-name', 'conf-bad']],
    [
      'two of one name',
      `${HEAD}BUILT_MODULE_NAME[1]=x\nDEST_MODULE_LOCATION[1]=/extra`,
      ['duplicate', 'duplicate', 'conf-bad'],
    ],
    ['a billion records', `${HEAD}BUILT_MODULE_NAME[999999999]=x`, ['too-many-records', 'conf-bad']],
  ];
  for (const [rule, text, expected] of rows) t.same(kinds(read(t, text)), expected, rule);
  const lenient = { strict: false };
  t.same(kinds(read(t, `${HEAD}CLEAN=x\nBUILT_MODULE_NAME[1]=x\nDEST_MODULE_LOCATION[1]=/extra`, lenient)), []);
  t.same(kinds(read(t, 'PACKAGE_NAME=x\nPACKAGE_VERSION=1\n', lenient)), []);
  t.match(read(t, '').messages.at(-1), { kind: 'conf-bad', file: '' }, 'a file that was not named is not named');
  t.match(read(t, '', { named: true }).messages.at(-1), { kind: 'conf-bad', file: /dkms.conf$/ });
});

t.test('what is no file of the kind is an error, and nothing waits', async (t) => {
  const folder = t.testdir({ folder: {}, 'large.conf': '', etc: { 'y.conf': {} }, 'dkms.conf': HEAD });
  const request = (file: string) => confRequest(folder, { file: join(folder, file) });
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  truncateSync(join(folder, 'large.conf'), 200 << 20);
  t.match(readDkmsConf(request('none')), { kind: 'missing', messages: [{ kind: 'conf-missing' }] });
  t.match(readDkmsConf(request('folder')), { kind: 'bad', errors: [{ kind: 'unreadable', why: /directory/ }] });
  t.match(readDkmsConf(request('pipe')), { kind: 'bad', errors: [{ kind: 'unreadable', why: /not a regular/ }] });
  t.match(readDkmsConf(request('large.conf')), { kind: 'bad', errors: [{ kind: 'unreadable', why: /larger/ }] });
  t.match(readDkmsConf({ ...request('dkms.conf'), module: 'y' }), {
    kind: 'bad',
    errors: [{ kind: 'unreadable', file: /y\.conf$/ }],
  });
  const state = readDkmsConf({ ...request('dkms.conf'), module: 'y', strict: false });
  t.match(
    state,
    { kind: 'read', conf: { packageName: 'x' }, messages: [{ kind: 'conf-error', error: { kind: 'unreadable' } }] },
    'to show a state, the other files will do',
  );
});

t.test('the configuration of the kernel decides', async (t) => {
  const rows: ReadonlyArray<readonly [string, boolean]> = [
    ['CONFIG_A CONFIG_M !CONFIG_N !CONFIG_OTHER', true],
    ['!CONFIG_M', false],
    ['CONFIG_S', false],
    ['CONFIG_N', false],
  ];
  for (const [words, fits] of rows) {
    const reading = read(t, `${HEAD}BUILD_EXCLUSIVE_CONFIG="${words}"\n`);
    t.equal(reading.kind === 'read' && reading.conf.exclusion === undefined, fits, words);
  }
});
