import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { concerns, explain } from '../../agent/explain/insertion-trial.ts';
import type { Examiner } from '../../agent/explain/examination.ts';

const MODULE = 'snd_hda' as ModuleName;

const LINES: ReadonlyArray<readonly [rule: string, text: string, expected: boolean]> = [
  ['its name before a colon', 'snd_hda: no codec', true],
  ['with dashes', 'snd-hda: no codec', true],
  ['another name before a colon', 'snd_hda_intel: no codec', false],
  ['a name that only ends so', 'xsnd_hda: no codec', false],
  ['its name in quotes', "duplicate symbol of 'snd_hda'", true],
  ['its name as a word', 'audio driver snd-hda is busy', true],
  ['its name as a part of a word', 'audio driver snd_hdac is busy', false],
  ['its file', 'ima: denied /lib/modules/6.1/snd-hda.ko', true],
  ['its compressed file', 'ima: denied "snd_hda.ko.xz"', true],
  ['its file without a folder', 'snd_hda.ko is too old', true],
  ['a file whose name only ends so', 'ima: denied /lib/modules/6.1/xsnd_hda.ko', false],
  ['a file whose name only ends so, with a dash', 'ima: denied /lib/modules/6.1/x-snd-hda.ko', false],
  ['its file after another that only ends so', 'ima: denied x_snd_hda.ko, not snd_hda.ko', true],
  ['what the loader says without a name', 'Loading of unsigned module is rejected', true],
  ['what lockdown says without a name', 'Lockdown: modprobe: unsigned module loading is restricted', true],
  ['LoadPin', 'LoadPin: kernel-module denied obj="/x"', true],
  ['IMA without a name', 'ima: impossible to appraise a module without a file descriptor.', true],
  ['a module without a name', 'Module has invalid ELF structures', true],
  ['its own blacklist', 'Module snd_hda is blacklisted', true],
  ["another module's blacklist", 'Module nouveau is blacklisted', false],
  ['another device', 'usb 1-1: new high-speed USB device', false],
  ['nothing', '', false],
];
for (const [rule, text, expected] of LINES) {
  t.test(`a line of the kernel: ${rule}`, (t) => {
    t.equal(concerns(text, MODULE), expected);
    t.end();
  });
}

t.test('a name that is not ASCII', (t) => {
  t.equal(concerns('m\xe9: no', 'm\xe9' as ModuleName), true);
  t.equal(concerns('m\xe8: no', 'm\xe9' as ModuleName), false);
  t.end();
});

t.test('an install command that failed is explained without a look at the file', (t) => {
  const nobody = undefined as unknown as Examiner;
  const step = { module: MODULE, path: '/snd_hda.ko', origins: [] };
  t.same(
    explain(step, { kind: 'command-failed', code: 1, why: 'it ended with status 1' }, undefined, nobody, new Set()),
    {
      cause: 'other',
      errno: undefined,
      evidence: ['its install command failed: it ended with status 1'],
      remedy: 'correct the install line, or remove it',
    },
  );
  t.end();
});
