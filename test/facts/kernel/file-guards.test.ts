import t from 'tap';
import type { Host } from '../../../agent/base/host.ts';
import { appraisalIn, readFileGuards } from '../../../agent/facts/kernel/file-guards.ts';

const LINES: ReadonlyArray<readonly [rule: string, line: string, appraisal: string | undefined]> = [
  ['nothing', 'ro quiet', undefined],
  ['the policy for Secure Boot', 'ro ima_policy=secure_boot quiet', 'ima_policy=secure_boot'],
  ['among others', 'ima_policy=tcb|secure_boot', 'ima_policy=tcb|secure_boot'],
  ['in quotes', 'ima_policy="appraise_tcb|tcb"', 'ima_policy=appraise_tcb|tcb'],
  ['the old word', 'ima_appraise_tcb', 'ima_appraise_tcb'],
  ['a policy that only measures', 'ima_policy=tcb', undefined],
  ['a name that only begins so', 'ima_policy=secure_boots', undefined],
  ['switched off', 'ima_policy=secure_boot ima_appraise=off', undefined],
  ['only logged', 'ima_appraise=log ima_policy=secure_boot', undefined],
  ['the last mode counts', 'ima_appraise=log ima_policy=secure_boot ima_appraise=enforce', 'ima_policy=secure_boot'],
];
for (const [rule, line, appraisal] of LINES) {
  t.test(`IMA: ${rule}`, (t) => {
    t.equal(appraisalIn(line), appraisal);
    t.end();
  });
}

t.test('LoadPin by its sysctl, whatever the kernel calls it', (t) => {
  for (const [files, loadPin] of [
    [{ enforce: '1\n' }, true],
    [{ enforce: '0\n' }, false],
    [{ enabled: '1\n' }, true],
    [{}, false],
  ] as const) {
    const proc = t.testdir({ sys: { kernel: { loadpin: files } }, cmdline: 'ima_policy=secure_boot\n' });
    t.same(readFileGuards({ root: '', proc } as Host), { loadPin, appraisal: 'ima_policy=secure_boot' });
  }
  t.end();
});
