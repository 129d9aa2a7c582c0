import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fnmatch } from '../../../agent/base/fnmatch.ts';
import { readShippedFile } from '../../../agent/facts/config/shipped-file.ts';
import type { DeviceView } from '../../../agent/rules/udev/device-view.ts';
import { compileGlob, isGlob } from '../../../agent/rules/glob.ts';
import { evaluate, parseLoadRules } from '../../../agent/rules/udev/load-rules.ts';

interface Given {
  readonly action?: string;
  readonly subsystem?: string;
  readonly kernelName?: string;
  readonly properties?: Record<string, string>;
  readonly attributes?: Record<string, string>;
  /** Paths that are there, with their permission bits. */
  readonly paths?: Record<string, number>;
}

function device(given: Given): DeviceView {
  return {
    action: given.action ?? 'add',
    subsystem: given.subsystem ?? '',
    kernelName: given.kernelName ?? '',
    properties: new Map(Object.entries(given.properties ?? {})),
    attribute: (name) => given.attributes?.[name],
    exists: (path) => given.paths?.[path] !== undefined,
    mode: (path) => given.paths?.[path],
  };
}

/** The requests of `rules` for a device, a line of text each: `LINE names…` or `LINE modalias`. */
function ask(rules: string, given: Given): string[] {
  const requests = evaluate(parseLoadRules([{ file: 'a.rules', text: rules }]), device(given));
  return requests.map(({ names, modalias, place }) => `${place.line} ${modalias ? 'modalias' : names.join(' ')}`);
}

const LOAD = 'RUN{builtin}+="kmod load x"';

const CONDITIONS: ReadonlyArray<readonly [rule: string, condition: string, given: Given, holds: boolean]> = [
  ['ACTION ==', 'ACTION=="add"', {}, true],
  ['ACTION == another', 'ACTION=="add"', { action: 'change' }, false],
  ['!=', 'ACTION!="add"', { action: 'change' }, true],
  ['SUBSYSTEM', 'SUBSYSTEM=="pci"', { subsystem: 'pci' }, true],
  ['alternatives', 'SUBSYSTEM=="usb|pci"', { subsystem: 'pci' }, true],
  ['!= with alternatives means none of them', 'SUBSYSTEM!="usb|pci"', { subsystem: 'pci' }, false],
  ['alternatives with wildcards', 'KERNEL=="sd*|hd?"', { kernelName: 'hda' }, true],
  ['? is one character', 'KERNEL=="hd?"', { kernelName: 'hd' }, false],
  ['a set', 'KERNEL=="tty[A-Z]*"', { kernelName: 'ttyS0' }, true],
  ['a negated set', 'KERNEL=="tty[!A-Z]*"', { kernelName: 'ttyS0' }, false],
  ['* crosses /', 'ENV{MODALIAS}=="dmi*:pnY*"', { properties: { MODALIAS: 'dmi:bvnA/B:pnY/Z' } }, true],
  ['an empty alternative is no value', 'ENV{X}=="a||b"', {}, true],
  ['an empty value is no value', 'ENV{X}==""', { properties: { X: 'a' } }, false],
  ['?* is any value', 'ENV{MODALIAS}=="?*"', { properties: { MODALIAS: 'a' } }, true],
  ['?* is not no value', 'ENV{MODALIAS}=="?*"', {}, false],
  ['* is no value too', 'ENV{X}=="*"', {}, true],
  ['a property that is not there is unequal', 'ENV{X}!="a"', {}, true],
  ['case counts', 'KERNEL=="SDA"', { kernelName: 'sda' }, false],
  ['case does not count with i', 'KERNEL==i"SD[A-C]"', { kernelName: 'sda' }, true],
  ['without wildcards a backslash is itself', String.raw`ENV{X}=="a\b"`, { properties: { X: 'a\\b' } }, true],
  ['an escaped quote', String.raw`ENV{X}=="a\"b"`, { properties: { X: 'a"b' } }, true],
  ['e"": escapes', String.raw`ENV{X}==e"a\x20b\tc\\\"\101"`, { properties: { X: 'a b\tc\\"A' } }, true],
  ['e"": a code point is its UTF-8 bytes', String.raw`ENV{X}==e"\u00e9"`, { properties: { X: '\xc3\xa9' } }, true],
  ['DRIVER is the one the kernel names', 'DRIVER=="e1000e"', { properties: { DRIVER: 'e1000e' } }, true],
  ['ATTR', 'ATTR{type}=="1"', { attributes: { type: '1' } }, true],
  ['ATTR without its trailing blanks', 'ATTR{vendor}=="Acme"', { attributes: { vendor: 'Acme   ' } }, true],
  ['ATTR with them when the rule has some', 'ATTR{vendor}=="Acme "', { attributes: { vendor: 'Acme ' } }, true],
  ['ATTR that is not there is not equal', 'ATTR{type}=="1"', {}, false],
  ['ATTR that is not there is not unequal', 'ATTR{type}!="1"', {}, false],
  [
    'ATTR of a name with a value in it',
    'ATTR{port%n/type}=="a"',
    { kernelName: 'p7', attributes: { 'port7/type': 'a' } },
    true,
  ],
  ['TEST below the device', 'TEST=="power/control"', { paths: { 'power/control': 0o644 } }, true],
  ['TEST absolute', 'TEST=="/sys/module/x"', { paths: { '/sys/module/x': 0 } }, true],
  ['TEST !=', 'TEST!="/sys/module/x"', {}, true],
  ['TEST of a module', 'TEST=="[module/sg]"', { paths: { '/sys/module/sg': 0 } }, true],
  ['TEST of a module that is not there', 'TEST!="[module/sg]"', {}, true],
  [
    "TEST of a module's parameter",
    'TEST=="[module/sg]/parameters"',
    { paths: { '/sys/module/sg/parameters': 0 } },
    true,
  ],
  [
    'TEST of a device on a bus',
    'TEST=="[pci/0000:00:02.0]x"',
    { paths: { '/sys/bus/pci/devices/0000:00:02.0/x': 0 } },
    true,
  ],
  ['TEST of a device of a class', 'TEST=="[net/lo]"', { paths: { '/sys/class/net/lo': 0 } }, true],
  ['TEST of a driver', 'TEST=="[drivers/usb:hub]"', { paths: { '/sys/bus/usb/drivers/hub': 0 } }, true],
  ['TEST of a mode that is there', 'TEST{0200}=="x"', { paths: { x: 0o644 } }, true],
  ['TEST of a mode that is not there', 'TEST{0111}=="x"', { paths: { x: 0o644 } }, false],
  ['TEST of a mode of nothing', 'TEST{0111}!="x"', {}, true],
  [
    'TEST of a path with a value in it',
    'TEST=="/sys/module/$env{M}"',
    { properties: { M: 'm' }, paths: { '/sys/module/m': 0 } },
    true,
  ],
  ['all conditions must hold', 'ACTION=="add", SUBSYSTEM=="usb"', { subsystem: 'pci' }, false],
  ['commas are blanks', 'ACTION=="add" SUBSYSTEM=="pci",,', { subsystem: 'pci' }, true],
];

t.test('conditions', (t) => {
  for (const [rule, condition, given, holds] of CONDITIONS) {
    t.same(ask(`${condition}, ${LOAD}`, given), holds ? ['1 x'] : [], rule);
  }
  const { mode: _, ...noModes } = { ...device({ paths: { x: 0 } }), mode: undefined };
  const rules = parseLoadRules([{ file: 'a', text: `TEST{0111}=="x", ${LOAD}` }]);
  t.equal(evaluate(rules, noModes).length, 1, 'without modes, TEST{mode} asks whether it is there');
  t.end();
});

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
