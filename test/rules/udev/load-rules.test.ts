import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readShippedFile } from '../../../agent/facts/config/shipped-file.ts';
import { evaluate } from '../../../agent/rules/udev/load-requests.ts';
import { parseLoadRules } from '../../../agent/rules/udev/load-rules.ts';
import { ask, device, type Given } from './given-device.ts';

const LOAD = 'RUN{builtin}+="kmod load x"';

const REQUESTS: ReadonlyArray<readonly [rule: string, rules: string, given: Given, expected: readonly string[]]> = [
  ['kmod load alone is the MODALIAS', 'RUN{builtin}+="kmod load"', {}, ['1 modalias']],
  ['several names', 'RUN{builtin}+="kmod load a b  c"', {}, ['1 a b c']],
  ['quoted names', `RUN{builtin}+="kmod load 'a b' c"`, {}, ['1 a b c']],
  ['several RUN in a line', 'RUN{builtin}+="kmod load a", RUN{builtin}+="kmod load b"', {}, ['1 a', '1 b']],
  ['the same twice is one', 'RUN{builtin}+="kmod load a"\nRUN{builtin}+="kmod load a"', {}, ['1 a']],
  [
    '= drops what came before',
    'RUN{builtin}+="kmod load a"\nRUN{builtin}="kmod load b"\nRUN{builtin}+="kmod load c"',
    {},
    ['2 b', '3 c'],
  ],
  [':= also what comes after', 'RUN{builtin}:="kmod load a"\nRUN{builtin}="kmod load b"', {}, ['1 a']],
  [
    'values in names',
    'RUN{builtin}+="kmod load $env{A} x-%E{B} $attr{type} $kernel %k $number $$ %%"',
    { kernelName: 'eth12', properties: { A: 'a', B: 'b' }, attributes: { type: 't ' } },
    ['1 a x-b t eth12 eth12 12 $ %'],
  ],
  [
    'a value with blanks is one name',
    'RUN{builtin}+="kmod load $env{MODALIAS}"',
    { properties: { MODALIAS: 'platform:Fixed MDIO "bus"' } },
    ['1 platform:Fixed MDIO "bus"'],
  ],
  ['a value that is not there is no name', 'RUN{builtin}+="kmod load $env{A}"', {}, []],
  ['an unknown $ is itself', 'RUN{builtin}+="kmod load a$b"', {}, ['1 a$b']],
  ['a program is not a builtin', 'RUN+="kmod load a"\nRUN{program}+="/bin/kmod load a"', {}, []],
  ['another builtin', 'RUN{builtin}+="uaccess kmod load"', {}, []],
  ['other assignments are passed over', 'ENV{A}="1", MODE="0660", TAG+="x", RUN{builtin}+="kmod load a"', {}, ['1 a']],
  ['comments and empty lines', '# RUN{builtin}+="kmod load a"\n\n  # x\n RUN{builtin}+="kmod load b"', {}, ['4 b']],
  [
    'a line that goes on',
    'ACTION=="add", \\\n  # a comment between\n  RUN{builtin}+="kmod \\\nload b"\nRUN{builtin}+="kmod load c"',
    {},
    ['1 b', '5 c'],
  ],
  ['blanks around the operator', 'ACTION == "add" , RUN{builtin} += "kmod load a"', {}, ['1 a']],
  [
    'GOTO jumps to the LABEL',
    'GOTO="end"\nRUN{builtin}+="kmod load a"\nLABEL="end"\nRUN{builtin}+="kmod load b"',
    {},
    ['4 b'],
  ],
  [
    'GOTO only if its conditions hold',
    'ACTION!="add", GOTO="end"\nRUN{builtin}+="kmod load a"\nLABEL="end"',
    {},
    ['2 a'],
  ],
  [
    'a LABEL in the line of a load',
    'GOTO="here"\nRUN{builtin}+="kmod load a"\nLABEL="here", RUN{builtin}+="kmod load b"',
    {},
    ['3 b'],
  ],
  [
    'a load and a GOTO in one line',
    'RUN{builtin}+="kmod load a", GOTO="end"\nRUN{builtin}+="kmod load b"\nLABEL="end"',
    {},
    ['1 a'],
  ],
  [
    'a GOTO over a GOTO',
    'GOTO="two"\nGOTO="end"\nRUN{builtin}+="kmod load a"\nLABEL="two"\nRUN{builtin}+="kmod load b"\nLABEL="end"',
    {},
    ['5 b'],
  ],
  ['GOTO to the end of the file', 'GOTO="end"\nRUN{builtin}+="kmod load a"\nLABEL="end"\nACTION=="add"', {}, []],
];

t.test('requests', (t) => {
  for (const [rule, rules, given, expected] of REQUESTS) t.same(ask(rules, given), expected, rule);
  t.end();
});

t.test('labels are of one file', (t) => {
  const rules = parseLoadRules([
    { file: 'a', text: 'GOTO="end"\nRUN{builtin}+="kmod load a"\nLABEL="end"' },
    { file: 'none', text: 'IMPORT{program}="x", GOTO="nowhere"\n===' },
    { file: 'b', text: 'RUN{builtin}+="kmod load b"\nLABEL="end"' },
  ]);
  t.same(evaluate(rules, device({})), [{ names: ['b'], modalias: false, place: { file: 'b', line: 1 } }]);
  t.same(rules.problems, [], 'a file that loads nothing is not judged');
  t.same(rules.unevaluated, []);
  t.end();
});

const FAULTS: ReadonlyArray<readonly [rule: string, text: string, line: number, column: number, message: RegExp]> = [
  ['no operator', 'ACTION, RUN{builtin}+="kmod load a"', 1, 7, /expected one of == .* after ACTION/],
  ['no quotes', 'ACTION==add, RUN{builtin}+="kmod load a"', 1, 9, /expected a value in double quotes after ACTION==/],
  ['an open value', '\n  RUN{builtin}+="kmod load a', 2, 17, /no closing double quote/],
  ['an open attribute', 'RUN{builtin+="kmod load a"', 1, 4, /'\{' after RUN has no partner/],
  ['no key', '=="x", RUN{builtin}+="kmod load a"', 1, 1, /'=' begins no key/],
  ['an escape that is none', String.raw`ENV{X}==e"a\q", RUN{builtin}+="kmod load a"`, 1, 12, /is no escape/],
  [
    'a glob longer than any that is matched',
    `ENV{X}=="y|${'a'.repeat(70_000)}*", RUN{builtin}+="kmod load a"`,
    1,
    1,
    /a glob of 70001 characters/,
  ],
  ['a label that is not there', 'GOTO="x"\nRUN{builtin}+="kmod load last"', 1, 1, /no later line has the label 'x'/],
  ['a label that is above', 'LABEL="x"\nGOTO="x"\nRUN{builtin}+="kmod load last"', 2, 1, /no later line has the label/],
];

t.test('lines that are not rules are named; the others count', (t) => {
  for (const [rule, text, line, column, message] of FAULTS) {
    const rules = parseLoadRules([{ file: 'a', text: `${text}\nRUN{builtin}+="kmod load last"` }]);
    t.match(rules.problems, [{ file: 'a', line, column, severity: 'error', code: 'malformed', message }], rule);
    t.equal(rules.problems.length, 1, `${rule}: one problem`);
    t.same(evaluate(rules, device({}))[0]?.names, ['last'], `${rule}: the last line counts`);
  }
  t.end();
});

const UNEVALUATED: ReadonlyArray<readonly [text: string, why: RegExp]> = [
  ['KERNELS=="x", RUN{builtin}+="kmod load a"', /no KERNELS/],
  ['ATTRS{x}=="x", RUN{builtin}+="kmod load a"', /no ATTRS/],
  ['PROGRAM=="x", RUN{builtin}+="kmod load a"', /no PROGRAM/],
  ['PROGRAM="x", RUN{builtin}+="kmod load a"', /does not run PROGRAM/],
  ['IMPORT{builtin}="usb_id", RUN{builtin}+="kmod load a"', /does not run IMPORT/],
  ['TAG=="x", RUN{builtin}+="kmod load a"', /no TAG/],
  ['constructor=="x", RUN{builtin}+="kmod load a"', /no constructor/],
  ['ENV=="x", RUN{builtin}+="kmod load a"', /ENV needs a \{property\}/],
  ['ATTR=="x", RUN{builtin}+="kmod load a"', /ATTR needs an \{attribute\}/],
  ['ATTR{[net/lo]mtu}=="x", RUN{builtin}+="kmod load a"', /another device/],
  ['TEST=="a*", RUN{builtin}+="kmod load a"', /wildcard/],
  ['TEST{x}=="a", RUN{builtin}+="kmod load a"', /octal/],
  ['TEST=="$result", RUN{builtin}+="kmod load a"', /\$result is not known/],
  ['RUN{builtin}+="kmod load %c"', /\$result is not known/],
  ['KERNELS=="x", GOTO="end"\nRUN{builtin}+="kmod load last"\nLABEL="end"', /no KERNELS/],
];

t.test('lines that plugd cannot evaluate are named once and passed over', (t) => {
  for (const [text, why] of UNEVALUATED) {
    const rules = parseLoadRules([{ file: 'a', text: `${text}\nRUN{builtin}+="kmod load last"` }]);
    t.match(rules.unevaluated, [{ file: 'a', line: 1, severity: 'warning', message: why }], text);
    t.equal(rules.unevaluated.length, 1);
    t.same(
      evaluate(rules, device({})).map(({ names }) => names),
      [['last']],
    );
  }
  const passed = parseLoadRules([
    { file: 'a', text: 'KERNELS=="x", GOTO="end"\nLABEL="end"\nRUN{builtin}+="kmod load a"' },
  ]);
  t.same(passed.unevaluated, [], 'a jump over nothing needs no answer');
  t.end();
});

const shipped = readShippedFile('rules/80-drivers.rules') ?? { file: '', text: '' };

t.test('the shipped rules', (t) => {
  const rules = parseLoadRules([], shipped);
  t.same(rules.problems, []);
  t.same(rules.unevaluated, []);
  const names = (given: Given) =>
    evaluate(rules, device(given)).map((request) => request.names.join(' ') || 'modalias');
  t.same(names({ properties: { MODALIAS: 'pci:v1' } }), ['modalias']);
  t.same(names({ action: 'bind', properties: { MODALIAS: 'pci:v1' } }), [], 'on add only');
  t.same(names({ action: 'change', subsystem: 'memstick' }), []);
  t.same(names({ subsystem: 'tifm', properties: { TIFM_CARD_TYPE: 'SD' } }), ['tifm_sd']);
  t.same(names({ subsystem: 'tifm', properties: { TIFM_CARD_TYPE: 'MS', MODALIAS: 'x' } }), ['modalias', 'tifm_ms']);
  t.same(names({ subsystem: 'memstick' }), ['ms_block mspro_block']);
  t.same(names({ subsystem: 'i2o' }), ['i2o_block']);
  t.same(names({ subsystem: 'module', kernelName: 'parport_pc' }), ['ppdev']);
  t.same(names({ subsystem: 'module', kernelName: 'parport' }), []);
  t.same(names({ kernelName: 'mtd0ro', properties: { MTD_FTL: 'smartmedia' } }), ['sm_ftl']);
  t.same(names({ kernelName: 'mtd0ro' }), []);
  t.same(names({ subsystem: 'scsi', properties: { DEVTYPE: 'scsi_device' } }), ['sg']);
  t.same(names({ subsystem: 'scsi', properties: { DEVTYPE: 'scsi_device' }, paths: { '/sys/module/sg': 0 } }), []);
  t.same(names({ subsystem: 'scsi', properties: { DEVTYPE: 'scsi_host' } }), []);
  t.same(names({}), []);
  const source = readFileSync(join(import.meta.dirname, '../../../../rules/80-drivers.rules'), 'latin1');
  t.equal(shipped.text, source);
  t.end();
});

const asked = (texts: ReadonlyArray<readonly [file: string, text: string]>) => {
  const rules = parseLoadRules(
    texts.map(([file, text]) => ({ file, text })),
    shipped,
  );
  return evaluate(rules, device({ subsystem: 'memstick' })).map(({ names }) => names.join(' '));
};
const load = (name: string) => `RUN{builtin}+="kmod load ${name}"`;

t.test('the shipped file stands in for one that is missing or masked', (t) => {
  const own = 'ms_block mspro_block';
  t.same(asked([]), [own], 'missing');
  t.same(asked([['/etc/udev/rules.d/80-drivers.rules', '']]), [own], 'masked');
  t.same(asked([['/etc/udev/rules.d/80-drivers.rules', load('a')]]), ['a'], 'replaced');
  t.same(
    asked([
      ['/x/10-a.rules', load('a')],
      ['/x/90-b.rules', load('b')],
    ]),
    ['a', own, 'b'],
    'in the order of names',
  );
  t.end();
});

t.test('every truncation of the shipped rules', (t) => {
  const view = device({ subsystem: 'memstick', properties: { MODALIAS: 'x' } });
  const whole = evaluate(parseLoadRules([shipped]), view).length;
  let most = 0;
  for (let length = 0; length <= shipped.text.length; length++) {
    const rules = parseLoadRules([{ file: 'a', text: shipped.text.slice(0, length) }]);
    most = Math.max(most, evaluate(rules, view).length, rules.problems.length);
  }
  t.equal(most, whole);
  t.end();
});

t.test('hostile rules end quickly', (t) => {
  t.equal(parseLoadRules([{ file: 'a', text: 'kmod \\\n'.repeat(100_000) }]).problems.length, 1);
  t.equal(parseLoadRules([{ file: 'a', text: `${'A=="x" '.repeat(50_000)}${LOAD}` }]).unevaluated.length, 1);
  t.same(ask(`KERNEL=="${'*a'.repeat(30)}b", ${LOAD}`, { kernelName: 'a'.repeat(4000) }), []);
  t.same(ask(`KERNEL=="${'a|'.repeat(10_000)}b", ${LOAD}`, { kernelName: 'b' }), ['1 x']);
  t.end();
});
