/**
 * The whole Secure Boot laboratory: `npm run lab:secureboot`; behind `--` a kernel's part alone, and one machine of it by the beginning of its
 * name: `npm run lab:secureboot -- trixie 'a key'`. Each machine takes one to five minutes.
 */
import t, { type Test } from 'tap';
import { APPRAISED, CURVE, ENFORCING, LOCKED, LOCKED_MORE, SECURE, SECURE_TOO, VALIDATION_OFF } from './cases.ts';
import { judge } from './judgement.ts';
import { compareKeyrings } from './keyrings.ts';
import { bootPlain, bootSecure, laboratory, type Laboratory } from './laboratory.ts';
import { ownKey } from './own-key.ts';
import { shimVariable } from './variable-store.ts';

const RELEASES = ['bookworm', 'trixie'] as const;

/** Each of the machines. */
const MACHINES: Readonly<
  Record<string, (t: Test, lab: Laboratory, release: (typeof RELEASES)[number]) => Promise<void>>
> = {
  'Secure Boot': async (t, lab, release) => {
    await using secure = await bootSecure(lab);
    await judge(t, secure.machine, [...SECURE, ...SECURE_TOO, ...CURVE[release]], true);
    await t.test('plugd keys lists what the keyrings hold', async (t) => compareKeyrings(t, secure.machine));
  },
  'validation switched off': async (t, lab) => {
    await using secure = await bootSecure(lab, [shimVariable('MokSBState', Buffer.from([1]))]);
    const { machine } = secure;
    t.match(await machine.output('od', ['-An', '-tu1', SECURE_BOOT]), / 1$/m, 'SecureBoot says on');
    await judge(t, machine, VALIDATION_OFF, false);
    await t.test('plugd keys lists what the keyrings hold', async (t) => compareKeyrings(t, machine));
  },
  'a key of its own': ownKey,
  'lockdown without Secure Boot': async (t, lab) => {
    await using machine = await bootPlain(lab, { append: 'lockdown=integrity' });
    await judge(t, machine, LOCKED, true);
  },
  'confidentiality without Secure Boot': async (t, lab) => {
    await using machine = await bootPlain(lab, { append: 'lockdown=confidentiality' });
    await judge(t, machine, LOCKED_MORE, true);
  },
  'appraisal by IMA': async (t, lab) => {
    await using machine = await bootPlain(lab, { append: 'ima_policy=secure_boot ima_appraise=enforce' });
    await judge(t, machine, APPRAISED, true);
  },
  'sig_enforce without Secure Boot': async (t, lab) => {
    await using machine = await bootPlain(lab, { append: 'module.sig_enforce=1' });
    await judge(t, machine, ENFORCING, true);
  },
};

const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

t.setTimeout(7_200_000);
const [only, part = ''] = process.argv.slice(2);
const machines = Object.entries(MACHINES).filter(([name]) => name.startsWith(part));
if (machines.length === 0) t.fail(`no machine is named ${part}; there are: ${Object.keys(MACHINES).join(', ')}`);
for (const release of RELEASES.filter((name) => only === undefined || name === only)) {
  const lab = await laboratory(release);
  await t.test(release, { skip: lab.kind === 'missing' && lab.sentence }, async (t) => {
    if (lab.kind === 'missing') return;
    for (const [name, run] of machines) await t.test(name, async (t) => run(t, lab, release));
  });
}
