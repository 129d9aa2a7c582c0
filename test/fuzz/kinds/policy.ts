/** The policy file. */
import { moduleName } from '../../../agent/base/names.ts';
import { judgePolicy, POLICY_KEYS } from '../../../agent/rules/policy/policy.ts';
import { parsePolicy } from '../../../agent/rules/policy/policy-text.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, latin1, type FuzzKind } from '../kind.ts';

const SAMPLES = [
  '# USB only from the dock\nallow module=usbhid\ndeny subsystem=usb modalias=usb:v0BDA* device=/devices/*/usb1/**\nafter-boot deny subsystem=usb\ndefault allow\nafter-boot default deny\n',
  'default deny\nallow module={snd,hid}_*\nallow module=[a-f]?* # comment\n',
];
const WORDS = [
  'allow',
  'deny',
  'default',
  'after-boot',
  ' ',
  '\n',
  '#',
  '=',
  '*',
  '**',
  '?',
  '{',
  '}',
  ',',
  '[',
  ']',
  '!',
  '(',
  ')',
  '|',
  '"',
  '\\',
  '/',
  '\0',
  '\t',
  ...POLICY_KEYS.map((key) => `${key}=`),
];
const SUBJECTS = [
  {
    modalias: 'usb:v0BDAp8153d3100',
    subsystem: 'usb',
    device: '/devices/pci0000:00/0000:00:14.0/usb1/1-1',
    module: moduleName('r8152'),
  },
  { modalias: '', subsystem: '', device: '', module: moduleName('snd_hda_intel') },
  {
    modalias: 'a'.repeat(300),
    subsystem: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    device: `/${'a/'.repeat(60)}`,
    module: moduleName('a'),
  },
];

function compose(random: Random): Buffer {
  const line = () => {
    const conditions = Array.from(
      { length: random.below(4) },
      () => `${random.of(POLICY_KEYS)}=${random.text('a*?[]{},!-/()|@+\\', 0, 30)}`,
    );
    return [
      random.of(['allow', 'deny', 'default allow', 'default deny', 'after-boot deny', 'after-boot default deny', '']),
      ...conditions,
    ].join(' ');
  };
  return bytes(Array.from({ length: random.below(20) }, line).join('\n'));
}

function read(input: Buffer): void {
  const text = latin1(input);
  const lines = text.split('\n').length;
  const policy = parsePolicy({ file: 'fuzz.policy', text });
  if (policy.kind === 'malformed') {
    check(policy.problems.length > 0, 'what is malformed has problems');
    check(
      policy.problems.every(
        // Line 0 is the file as a whole: after a thousand problems the rest are counted.
        ({ line, column }) => line >= 0 && line <= lines && column >= 0 && column <= text.length + 1,
      ),
      'a problem is inside the text',
    );
    return;
  }
  for (const subject of SUBJECTS) {
    for (const phase of ['boot', 'after-boot'] as const) {
      const { kind } = judgePolicy(policy.policy, subject, [moduleName('usbcore')], phase);
      check(kind === 'allowed' || kind === 'denied', 'a policy allows or denies');
    }
  }
}

export const kind: FuzzKind = { samples: SAMPLES.map(bytes), words: WORDS, compose, read };
