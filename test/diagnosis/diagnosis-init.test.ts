import t from 'tap';
import type { Explanation, KnownFacts } from '../../agent/diagnosis/diagnosis-facts.ts';
import { inUse, noDevice, otherError, outOfMemory } from '../../agent/diagnosis/diagnosis-init.ts';
import { knownFactsGiven, type Given } from './diagnosis-rig.ts';

const ANSWERS: ReadonlyArray<
  readonly [rule: string, explain: (facts: KnownFacts) => Explanation, evidence: string, remedy: RegExp | undefined]
> = [
  ['no device', noDevice, 'its init found no device that it drives', undefined],
  ['busy', inUse, 'its init found something that it needs in use', /iomem.*ioports/],
  ['no memory', outOfMemory, 'the kernel or its init could not get memory', /meminfo.*vmallocinfo/],
  ['another error', otherError, 'the kernel or its init answered EIO: Input/output error', /dmesg/],
];
for (const [rule, explain, evidence, remedy] of ANSWERS) {
  t.test(rule, (t) => {
    const silent = explain(knownFactsGiven({ errno: 'EIO' }));
    t.same(silent.evidence, [evidence], 'the kernel logged nothing');
    if (remedy === undefined) t.equal(silent.remedy, undefined, 'nothing to do');
    else t.match(silent.remedy, remedy);
    const loud = explain(knownFactsGiven({ errno: 'EIO', log: ['m\xe9: chip dead', 'm: more'] }));
    t.same(loud.evidence, [evidence, 'the kernel said: m\xe9: chip dead'], 'its first line, byte for byte');
    t.equal(loud.remedy, silent.remedy);
    t.end();
  });
}

const OTHERS: ReadonlyArray<readonly [rule: string, given: Given, evidence: readonly string[]]> = [
  ['a number without a name', { errno: 521 }, ['the kernel or its init answered errno 521: Unknown error 521']],
  ['it was not tried, so nothing answered', {}, []],
];
for (const [rule, given, evidence] of OTHERS) {
  t.test(`another error: ${rule}`, (t) => {
    t.same(otherError(knownFactsGiven(given)).evidence, evidence);
    t.end();
  });
}
