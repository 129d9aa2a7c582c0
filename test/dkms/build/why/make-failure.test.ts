import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { explanationText } from '../../../../agent/dkms/build/why/failure-words.ts';
import { explainFailure } from '../../../../agent/dkms/build/why/make-failure.ts';

const OF = { build: '/var/lib/dkms/m/1.0/build', kernel: '6.1.0-56-amd64' };

/** What really failed, by name: failing-builds.ts writes it. */
const LOGS = new Map(
  readFileSync(join(import.meta.dirname, '../../../../../test/dkms/build/why/failing-builds.txt'), 'utf8')
    .split(/^==== /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)] as const),
);

t.test('builds that really failed', async (t) => {
  const rows: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'function-removed': {
      class: 'api-change',
      place: { file: 'm.c', line: 7 },
      text: "implicit declaration of function 'init_timer'",
      source: 'init_timer(&timer);',
      subject: 'init_timer',
      more: 1,
      change: { kind: 'gone', since: '4.15', now: 'timer_setup()' },
    },
    'function-too-new': { class: 'api-change', subject: 'hrtimer_setup', change: { kind: 'added', since: '6.13' } },
    'too-many-arguments': {
      class: 'api-change',
      place: { file: 'm.c', line: 5 },
      subject: 'access_ok',
      change: { since: '5.0' },
    },
    'too-few-arguments': { class: 'api-change', subject: 'proc_create', place: { file: 'm.c', line: 5 } },
    'pointer-type': {
      class: 'api-change',
      text: "passing argument 4 of 'proc_create' from incompatible pointer type",
      source: 'proc_create("m", 0444, NULL, &ops);',
      change: { symbol: 'proc_create', since: '5.6' },
      more: 0,
    },
    'no-member': { class: 'api-change', subject: 'timer_list.data', change: { since: '4.15' } },
    'read-only': { class: 'api-change', subject: 'dev_addr', change: { since: '5.17' } },
    'kernel-header': { class: 'api-change', subject: 'linux/ide.h', change: { since: '5.14' } },
    'user-header': { class: 'missing-package', subject: 'libnosuch/nosuch.h', place: { file: 'tool.c', line: 1 } },
    package: { class: 'missing-package', subject: 'libnosuch', place: { file: 'make.log', line: 2 } },
    library: { class: 'missing-package', subject: 'libnosuch' },
    config: { class: 'config-off', subject: 'CONFIG_NOSUCH_SUBSYSTEM', place: { file: 'm.c', line: 3 } },
    option: { class: 'compiler', subject: '-fnosuch-option' },
    'no-compiler': { class: 'compiler', subject: 'gcc-99' },
    'no-space': { class: 'no-space' },
    killed: { class: 'killed' },
    tool: { class: 'missing-tool', subject: 'nosuch-flex' },
    permission: { class: 'permission', subject: './configure' },
    'not-exported': { class: 'symbol-not-exported', subject: 'kallsyms_lookup_name', change: { since: '5.7' } },
    'gpl-only': { class: 'gpl-only', subject: 'device_create_file' },
    'other-kernel': { class: 'wrong-kernel', subject: '5.4.0-1-nosuch' },
    syntax: { class: 'source', place: { file: 'm.c', line: 5 }, text: "expected expression before ';' token" },
    'no-target': { class: 'source', subject: '/var/lib/dkms/m/1.0/build/m.o' },
  };
  t.same([...LOGS.keys()].toSorted(), Object.keys(rows).toSorted(), 'each log has its row');
  for (const [name, expected] of Object.entries(rows)) {
    const failure = explainFailure(LOGS.get(name) ?? '', OF);
    t.match(failure, expected, name);
    if (failure === undefined) continue;
    const told = explanationText({ failure, module: 'm', version: '1.0', kernel: OF.kernel }).trimEnd().split('\n');
    t.match(told[0], /^first error: [^\s:]+:\d+: ./, `${name}: file and line`);
    t.match(told.at(-1), /: \S.*\.$/, `${name}: a remedy`);
  }
});

t.test('single lines, as other compilers and tools write them', async (t) => {
  const rows: ReadonlyArray<readonly [line: string, kind: string, subject: string | undefined]> = [
    [
      "m.c:7:9: error: call to undeclared function 'from_timer'; ISO C99 and later do not support implicit function declarations [-Wimplicit-function-declaration]",
      'api-change',
      'from_timer',
    ],
    ["m.c:7:9: error: no member named 'data' in 'struct timer_list'", 'api-change', 'timer_list.data'],
    ["m.c:2:10: fatal error: 'linux/nosuch.h' file not found", 'missing-header', 'linux/nosuch.h'],
    ["clang: error: unknown argument: '-fconserve-stack'", 'compiler', '-fconserve-stack'],
    ['gcc: fatal error: Killed signal terminated program cc1', 'killed', 'cc1'],
    ['/tmp/x.c:1:2: fatal error: error writing to /tmp/ccX.s: No space left on device', 'no-space', undefined],
    ['FAILED: load BTF from vmlinux: Invalid argument', 'objtool', undefined],
    ['/bin/sh: 1: bc: not found', 'missing-tool', 'bc'],
    ['make[2]: flex: No such file or directory', 'missing-tool', 'flex'],
    ['/bin/sh: 1: x86_64-linux-gnu-gcc-13: not found', 'compiler', 'x86_64-linux-gnu-gcc-13'],
    [
      'm.c:3:5: error: this statement may fall through [-Werror=implicit-fallthrough=]',
      'compiler',
      '-Wimplicit-fallthrough=',
    ],
    ['ERROR: Kernel configuration is invalid.', 'missing-header', undefined],
    [
      "make: *** No rule to make target 'tools/objtool/objtool', needed by 'x'.  Stop.",
      'missing-tool',
      'tools/objtool/objtool',
    ],
    ['make: *** [Makefile:3: all] Error 2', 'unknown', undefined],
  ];
  for (const [line, kind, subject] of rows) {
    const failure = explainFailure(`  CC [M]  m.o\n${line}\n`, OF);
    t.match(failure, { class: kind, ...(subject === undefined ? {} : { subject }) }, line);
  }
  t.equal(explainFailure('  CC [M]  m.o\nmake: Leaving directory\n', OF), undefined, 'no error, no explanation');
  const gone = 'make: getcwd: No such file or directory\n';
  t.equal(explainFailure(gone, OF), undefined, 'the folder was removed; getcwd is no program');
});

t.test('the member of a struct that a line of source names', async (t) => {
  const log = `m.c:9:19: error: initialization of 'void (*)(struct i2c_client *)' from incompatible pointer type 'int (*)(struct i2c_client *)' [-Werror=incompatible-pointer-types]
    9 |         .remove = m_remove,
      |                   ^~~~~~~~
`;
  t.match(explainFailure(log, OF), { class: 'api-change', source: '.remove = m_remove,', change: { kind: 'changed' } });
});

t.test('what was added explains nothing on a kernel that has it', async (t) => {
  const log = "m.c:7:9: error: implicit declaration of function 'timer_setup'\n";
  t.equal(explainFailure(log, OF)?.change, undefined);
  t.match(explainFailure(log, { ...OF, kernel: '4.9.0' })?.change, { kind: 'added' });
});
