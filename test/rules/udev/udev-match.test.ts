import t from 'tap';
import { evaluate } from '../../../agent/rules/udev/load-requests.ts';
import { parseLoadRules } from '../../../agent/rules/udev/load-rules.ts';
import { compileCondition } from '../../../agent/rules/udev/udev-match.ts';
import { ask, device, type Given } from './given-device.ts';

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

t.test('cheap conditions come first: those of action and subsystem, then names, then files', (t) => {
  const cost = (key: string, attribute?: string) => {
    const condition = compileCondition({ key, attribute, operator: '==', value: 'a', ignoreCase: false });
    return 'why' in condition ? condition.why : condition.cost;
  };
  t.same([cost('ACTION'), cost('KERNEL'), cost('ENV', 'X'), cost('ATTR', 'x'), cost('TEST')], [0, 1, 1, 2, 3]);
  t.match(cost('TAG'), /no TAG/);
  t.end();
});
