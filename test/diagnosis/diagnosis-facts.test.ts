import t from 'tap';
import { errnoIs, factsOf, knownFactsOf, said } from '../../agent/diagnosis/diagnosis-facts.ts';
import { factsGiven, IMAGE, inputOf, KERNEL, knownFactsGiven, type Given } from './diagnosis-rig.ts';

t.test('the file is an image only if it is a module', (t) => {
  t.same(factsGiven({}).image, IMAGE);
  t.equal(factsGiven({ file: { kind: 'missing', elsewhere: undefined } }).image, undefined);
  t.equal(factsGiven({ file: { kind: 'unusable', why: 'truncated', compressed: false } }).image, undefined);
  t.end();
});

t.test('the input is in the facts as it was given', (t) => {
  const input = inputOf({ errno: 'EPERM', blacklisted: true });
  const { module, kernel, config, refusal, file } = factsOf(input);
  t.same({ module, kernel, config, refusal }, input);
  t.equal(file, input.module.file);
  t.end();
});

t.test('before the file is read there is none, even if the input has one', (t) => {
  const known = knownFactsGiven({ errno: 'EPERM' });
  t.equal(known.file, undefined);
  t.same(known.kernel, KERNEL);
  t.end();
});

t.test('the kernel is asked for only when somebody looks, and then each time', (t) => {
  let asked = 0;
  const { module, refusal } = inputOf({ errno: 'EPERM' });
  const facts = knownFactsOf({
    module,
    refusal,
    get kernel() {
      asked++;
      return KERNEL;
    },
  });
  facts.logged(/./);
  t.equal(asked, 0);
  t.equal(facts.kernel, KERNEL);
  t.equal(asked, 1);
  t.end();
});

const LOGS: ReadonlyArray<readonly [rule: string, given: Given, pattern: RegExp, line: string | undefined]> = [
  ['the first line that matches', { errno: 'EIO', log: ['m: a', 'm: b1', 'm: b2'] }, /b/, 'm: b1'],
  ['none that matches', { errno: 'EIO', log: ['m: a'] }, /b/, undefined],
  ['an empty line has no character', { errno: 'EIO', log: ['', 'm: a'] }, /./, 'm: a'],
  ['the kernel logged nothing', { errno: 'EIO', log: [] }, /./, undefined],
  ['it was not tried', {}, /./, undefined],
  ['bytes that are not ASCII', { errno: 'EIO', log: ['m\xe9: no firmware'] }, /^m\xe9:/, 'm\xe9: no firmware'],
];
for (const [rule, given, pattern, line] of LOGS) {
  t.test(`the log: ${rule}`, (t) => {
    t.equal(factsGiven(given).logged(pattern), line);
    t.equal(knownFactsGiven(given).logged(pattern), line, 'before the file is read too');
    t.end();
  });
}

t.test('an error is one of those named', (t) => {
  const { refusal } = inputOf({ errno: 'EPERM' });
  t.equal(errnoIs(refusal, 'EACCES', 'EPERM'), true);
  t.equal(errnoIs(refusal, 'EACCES'), false);
  t.equal(errnoIs(refusal), false, 'of none');
  t.equal(errnoIs(undefined, 'EPERM'), false, 'it was not tried');
  t.equal(errnoIs(inputOf({ errno: 521 }).refusal, 'EPERM'), false, 'a number without a name');
  t.end();
});

t.test('what the kernel said is evidence; nothing said is none', (t) => {
  t.same(said('m: chip dead'), ['the kernel said: m: chip dead']);
  t.same(said(undefined), []);
  t.end();
});
