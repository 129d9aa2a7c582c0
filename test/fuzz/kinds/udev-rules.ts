/** udev's rules, as far as plugd evaluates them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceView } from '../../../agent/rules/udev/device-view.ts';
import { evaluate } from '../../../agent/rules/udev/load-requests.ts';
import { parseLoadRules } from '../../../agent/rules/udev/load-rules.ts';
import { logicalLines, parsePairs } from '../../../agent/rules/udev/udev-line.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, latin1, type FuzzKind } from '../kind.ts';

const SHIPPED = readFileSync(join(import.meta.dirname, '../../../../rules/80-drivers.rules'));
const SAMPLES = [
  'ACTION!="add", GOTO="end"\nSUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="0bd[a-f]", RUN{builtin}+="kmod load r8152 $attr{idProduct} %k"\nLABEL="end"\n',
  'KERNEL=="a|b*|[!c]?", TEST{0644}=="power/control", RUN{builtin}:="kmod load $env{X}"\nRUN{builtin}="kmod load"\n',
  'IMPORT{builtin}="kmod load x", OPTIONS+="x", NAME="%c{1}", \\\n  RUN{builtin}+="kmod load e\\"q"\nGOTO="kmod"\nLABEL="kmod", GOTO="kmod"\n',
];
const KEYS = [
  'ACTION',
  'SUBSYSTEM',
  'KERNEL',
  'DEVPATH',
  'DRIVER',
  'ENV{MODALIAS}',
  'ENV{X}',
  'ATTR{a}',
  'ATTR{[x]y}',
  'ATTRS{a}',
  'SUBSYSTEMS',
  'TEST',
  'TEST{0644}',
  'PROGRAM',
  'RESULT',
  'CONST{arch}',
  'SYSCTL{x}',
  'TAG',
];
const WORDS = [
  ...KEYS,
  'RUN{builtin}+="kmod load"',
  'GOTO="',
  'LABEL="',
  '==',
  '!=',
  '+=',
  ':=',
  '=',
  '-=',
  '"',
  ', ',
  '\n',
  '\\\n',
  'e"',
  'i"',
  '*',
  '?',
  '[',
  ']',
  '|',
  '$',
  '%',
  '$attr{',
  '%E{',
  '$$',
  '%%',
  '{',
  '}',
  '\0',
  '#',
];
const DEVICE: DeviceView = {
  action: 'add',
  subsystem: 'usb',
  kernelName: '1-1.2',
  properties: new Map([
    ['MODALIAS', 'usb:v0BDAp8153d3100'],
    ['DEVTYPE', 'usb_device'],
    ['X', 'a b c'],
  ]),
  attribute: (name) => (name.length % 2 === 0 ? 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' : undefined),
  exists: (path) => path.length % 2 === 0,
  mode: (path) => (path.length % 2 === 0 ? 0o644 : undefined),
};

function compose(random: Random): Buffer {
  const text = () => random.text('abkmod *?[]|!-$%{}\\', 0, 20);
  const label = () => random.of(['one', 'two', 'three']);
  const pair = () =>
    random.of([
      () => `${random.of(KEYS)}${random.of(['==', '!=', '='])}"${text()}"`,
      () => `RUN{builtin}${random.of(['+=', '=', ':='])}"kmod load ${text()}"`,
      () => `GOTO="${label()}"`,
      () => `LABEL="${label()}"`,
    ])();
  const line = () => Array.from({ length: 1 + random.below(5) }, pair).join(', ');
  return bytes(Array.from({ length: random.below(40) }, line).join(random.of(['\n', '\n', ' \\\n'])));
}

function read(input: Buffer): void {
  const text = latin1(input);
  const lines = text.split('\n').length;
  for (const line of logicalLines(text)) parsePairs(line.text);
  // A file that never says kmod is passed over.
  const rules = parseLoadRules([{ file: '50-fuzz.rules', text: `${text}\n# kmod` }], {
    file: '80-drivers.rules',
    text: latin1(SHIPPED),
  });
  for (const { line, file } of [...rules.problems, ...rules.unevaluated]) {
    // Line 0 is the file as a whole: so many lines are wrong.
    check(line >= 0 && (file !== '50-fuzz.rules' || line <= lines + 1), 'a problem is inside the text');
  }
  const requests = evaluate(rules, DEVICE);
  check(
    requests.every(({ names, modalias }) => modalias || names.length > 0),
    'a request asks for something',
  );
}

export const kind: FuzzKind = { samples: [SHIPPED, ...SAMPLES.map(bytes)], words: WORDS, compose, read };
