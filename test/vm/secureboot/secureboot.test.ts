/** The short run of the Secure Boot laboratory: one machine with Debian 12's kernel. `npm run lab:secureboot` is all of it. */
import t from 'tap';
import { SECURE } from './cases.ts';
import { judge } from './judgement.ts';
import { compareKeyrings } from './keyrings.ts';
import { bootSecure, laboratory } from './laboratory.ts';

t.setTimeout(1_200_000);
const lab = await laboratory('bookworm');

t.test('a machine with Secure Boot', { skip: lab.kind === 'missing' && lab.sentence }, async (t) => {
  if (lab.kind === 'missing') return;
  await using secure = await bootSecure(lab);
  const { machine } = secure;
  t.match(await machine.output('dmesg'), /Kernel is locked down from EFI Secure Boot/, 'the firmware enforces it');
  await judge(t, machine, SECURE, false);
  await t.test('plugd keys lists what the keyrings hold', async (t) => compareKeyrings(t, machine));
});
