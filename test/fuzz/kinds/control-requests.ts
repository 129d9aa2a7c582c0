/** Lines that come to the control socket. */
import { LONGEST_REQUEST, readRequest, REQUESTS } from '../../../agent/daemon/control/control-protocol.ts';
import type { Random } from '../../fixtures/random.ts';
import { check, type FuzzKind } from '../kind.ts';

const COMMANDS = Object.keys(REQUESTS) as Array<keyof typeof REQUESTS>;
const MEMBERS = [...new Set(COMMANDS.flatMap((command) => Object.keys(REQUESTS[command])))];
const SAMPLES = [
  '{"command":"ping","id":1}',
  '{"command":"settle","module":"snd","timeoutMs":1000,"id":"a"}',
  '{"command":"monitor","kernel":true,"subsystems":["usb","pci"]}',
  '{"command":"load","names":["fs-ext4","pci:v*"]}',
];
const WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  'null',
  'true',
  '-1',
  '1e999',
  '"id":',
  '"command":"',
  '"__proto__":',
  '"constructor"',
  '"toString"',
  '\\u0000',
  ...COMMANDS,
  ...MEMBERS.map((member) => `"${member}":`),
];

function compose(random: Random): Buffer {
  const value = (): unknown =>
    random.of([
      () => true,
      () => random.text('ab\u0142"', 0, 5),
      () => random.below(9) - 2,
      () => null,
      () => ['a', random.below(2)],
      () => ({}),
      () => ['a', 'b'],
    ])();
  const names = [...MEMBERS, '__proto__', 'constructor', random.text('ab', 0, 4)].filter(() => random.below(6) === 0);
  const members = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value())}`);
  const command = JSON.stringify(random.below(4) === 0 ? value() : random.of([...COMMANDS, 'toString', '__proto__']));
  const id = random.below(2) === 0 ? [] : [`"id":${JSON.stringify(value())}`];
  return Buffer.from(`{${[`"command":${command}`, ...id, ...members].join(',')}}`);
}

function read(input: Buffer): void {
  const line = input.toString('utf8').slice(0, LONGEST_REQUEST);
  const found = readRequest(line);
  check(found.kind === 'request' || (found.kind === 'malformed' && found.why !== ''), 'a request, or why not');
  if (found.kind !== 'request') return;
  const { command, id, parameters } = found.request;
  check(COMMANDS.includes(command), 'a command of the table');
  check(id === undefined || ['number', 'string'].includes(typeof id), 'an id is a number or a string');
  const members: Readonly<Record<string, string>> = REQUESTS[command];
  for (const name of Object.keys(parameters)) check(Object.hasOwn(members, name), 'a member of the command');
}

export const kind: FuzzKind = { samples: SAMPLES.map((text) => Buffer.from(text)), words: WORDS, compose, read };
