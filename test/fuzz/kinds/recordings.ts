/** Recordings of a machine's devices. */
import { parseRecording, recordLine } from '../../../agent/facts/devices/recording.ts';
import type { Random } from '../../fixtures/random.ts';
import { check, type FuzzKind } from '../kind.ts';

const SAMPLES = [
  '{"devpath":"/devices/pci0000:00/0000:00:1f.2","subsystem":"pci","modalias":"pci:v00008086d00002922","driver":"ahci","module":"ahci"}\n{"devpath":"/devices/a","modaliases":["a","b"],"properties":{"DEVTYPE":"disk","X":"y"}}\n',
  '{"devpath":"/d\\u00e4\\u0142","modalias":"\\ud83d\\ude00","properties":{"DEVNAME":"\u0142"}}\n\n',
];
const WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\u0000',
  '\\u0142',
  '\\',
  'null',
  '1e999',
  '\n',
  '"devpath":"/',
  '"modaliases":[',
  '"properties":{',
  '"__proto__":',
  '"driver":',
  '\xff',
  '\ud83d',
];

function compose(random: Random): Buffer {
  const text = () => random.text('a/\u00e4\u0142\u0000"\\', 0, 10);
  const value = (): unknown =>
    random.of([
      text,
      () => null,
      () => random.below(9),
      () => [text(), text()],
      () => ({ DEVTYPE: text(), [text()]: 1 }),
    ])();
  const line = () =>
    JSON.stringify({
      ...(random.below(4) === 0 ? {} : { devpath: `/${text()}` }),
      ...Object.fromEntries(
        ['subsystem', 'modalias', 'modaliases', 'driver', 'module', 'properties', text()]
          .filter(() => random.below(3) === 0)
          .map((key) => [key, value()]),
      ),
    });
  return Buffer.from(Array.from({ length: random.below(10) }, line).join('\n'));
}

function read(input: Buffer): void {
  const devices = parseRecording(input.toString('utf8'), 'fuzz.jsonl');
  for (const device of devices) check(device.devpath.startsWith('/'), 'a device has a path');
  const once = devices.map(recordLine).join('');
  const again = parseRecording(once, 'again.jsonl').map(recordLine).join('');
  check(once === again, 'what is recorded reads back as it was');
  check(/^[\x00-\x7f]*$/.test(once), 'a recording is ASCII');
}

export const kind: FuzzKind = {
  samples: SAMPLES.map((text) => Buffer.from(text)),
  words: WORDS.map((word) => Buffer.from(word)),
  compose,
  read,
};
