import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DIRECTIVE_NAMES, directivesOf, patternSubject } from '../../../../agent/dkms/conf/conf-directives.ts';
import { evaluatePlainly } from '../../../../agent/dkms/conf/shell/plain-evaluation.ts';
import type { ShellQuestion } from '../../../../agent/dkms/conf/shell/shell-question.ts';
import { evaluateInBash } from '../../../../agent/dkms/conf/shell/shell-run.ts';
import { NASTY_CONFS } from './nasty-confs.ts';

const QUESTION: ShellQuestion = {
  variables: { kernelver: '6.1.0-56-amd64', arch: 'x86_64', kernel_source_dir: '/lib/modules/6.1.0-56-amd64/build' },
  known: DIRECTIVE_NAMES,
  patterns: directivesOf('pattern').map((name) => [name, patternSubject(name)]),
  last: [],
};
const listing = () => readdirSync('.', { encoding: 'latin1' });

/** Writes machine text to a file of the test's folder. */
function written(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text, 'latin1');
  return join(folder, name);
}

t.test('plain files have the values that the shell gives them, and no other file is plain', async (t) => {
  const folder = t.testdir({});
  for (const [rule, reader, text] of NASTY_CONFS) {
    const plain = evaluatePlainly([text], QUESTION, listing);
    t.equal(plain === undefined ? 'shell' : 'plain', reader, rule);
    if (plain === undefined) continue;
    const bash = evaluateInBash([written(folder, 'dkms.conf', text)], QUESTION);
    t.match(bash, { kind: 'values', complaint: '' }, `${rule}: the shell has no complaint`);
    if (bash.kind !== 'values') continue;
    t.same(plain.values, bash.values, `${rule}: values`);
    t.same(plain.matches, bash.matches, `${rule}: matches`);
  }
  t.comment(`${NASTY_CONFS.filter(([, reader]) => reader === 'plain').length} of ${NASTY_CONFS.length} are plain`);
});

t.test('several files, each seeing those before it', async (t) => {
  const folder = t.testdir({});
  const texts = ['A=1\nMAKE="a\r\r"\nSTRIP=no\n', 'MAKE="$MAKE b"\n', 'MAKE[1]="c $STRIP"\n'];
  const question = { ...QUESTION, last: ['STRIP=a  "b"', 'OTHER=c'] };
  const files = texts.map((text, index) => written(folder, `${index}.conf`, text));
  const bash = evaluateInBash([files[0] ?? '', ...files.slice(1)], question);
  const plain = evaluatePlainly(texts, question, listing);
  t.equal(bash.kind, 'values');
  if (bash.kind === 'values') t.same(plain, { values: bash.values, matches: bash.matches });
  t.equal(
    evaluatePlainly(['A=1\n', 'MAKE=$A\n'], QUESTION, listing),
    undefined,
    'a variable of another file is unknown',
  );
});

t.test('a name that is known and given has a value before', async (t) => {
  const question: ShellQuestion = { variables: { a: '1  2', b: '3' }, known: ['a', 'b'], patterns: [], last: [] };
  const folder = t.testdir({});
  const text = 'b="$b $a"\n';
  const bash = evaluateInBash([written(folder, 'a.conf', text)], question);
  t.match(bash, { kind: 'values' });
  if (bash.kind === 'values')
    t.same(evaluatePlainly([text], question, listing), { values: bash.values, matches: bash.matches });
});

t.test('what was found for one kernel is used for another only where it holds', async (t) => {
  const other = { ...QUESTION.variables, kernelver: '5.10.0-1-arm64', arch: 'aarch64' };
  const questions: ReadonlyArray<readonly [rule: string, question: ShellQuestion]> = [
    ['another kernel', { ...QUESTION, variables: other }],
    ['a directive of the command line', { ...QUESTION, last: ['STRIP=no'] }],
    ['a variable that is no more', { ...QUESTION, variables: { kernelver: '5.10.0-1-arm64' } }],
    ['a known name with a value', { ...QUESTION, variables: { ...other, STRIP: 'yes' } }],
    ['other known names', { ...QUESTION, known: [...DIRECTIVE_NAMES, 'kernelver'] }],
  ];
  const texts = [
    'MAKE="make KERNELRELEASE=$kernelver"\n',
    'STRIP=no\nBUILD_EXCLUSIVE_KERNEL="^6"\nBUILD_EXCLUSIVE_ARCH=aarch64\nPATCH_MATCH[1]="5[.]10"\n',
    'arch=x\nMAKE=$arch\n',
    'MAKE="$STRIP"\n',
  ];
  const folder = t.testdir({});
  for (const text of texts) {
    for (const [rule, question] of questions) {
      for (const each of [QUESTION, question]) {
        const plain = evaluatePlainly([text], each, listing);
        if (plain === undefined) continue;
        const bash = evaluateInBash([written(folder, 'dkms.conf', text)], each);
        t.match(bash, { kind: 'values' });
        if (bash.kind === 'values') t.same(plain, { values: bash.values, matches: bash.matches }, `${text}: ${rule}`);
      }
    }
  }
  const plain = [texts[1] ?? ''];
  t.equal(
    evaluatePlainly(plain, QUESTION, listing)?.values,
    evaluatePlainly(plain, { ...QUESTION, variables: other }, listing)?.values,
    'it is not found twice',
  );
});
