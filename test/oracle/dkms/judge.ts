/**
 * dkms's own suite judges plugd and, beside it, dkms itself. The compiler makes every build.
 *
 *     npm run oracle:dkms [-- [--kept] [--plugd] [BLOCK…]]
 *
 * `--kept` takes what earlier runs built, `--plugd` leaves out dkms. PLUGD_DKMS_SUITE names a checkout of another dkms than
 * Debian 13's.
 */
import { dkmsRoot } from './dkms-root.ts';
import { BLOCKS, dkmsSource, Suite, type Block, type Subject } from './dkms-suite.ts';

const words = process.argv.slice(2);
const named = words.filter((word): word is Block => BLOCKS.some((block) => block === word));
const unknown = words.filter((word) => !['--kept', '--plugd', ...BLOCKS].includes(word));
if (unknown.length > 0) {
  console.error(`usage: npm run oracle:dkms -- [--kept] [--plugd] [${BLOCKS.join(' | ')}]…`);
  process.exit(64);
}
const subjects: readonly Subject[] = words.includes('--plugd') ? ['plugd'] : ['plugd', 'dkms'];
const root = await dkmsRoot();
const source = await dkmsSource();
if (root.kind === 'missing' || source.kind === 'missing') {
  console.error(root.kind === 'missing' ? root.sentence : source.kind === 'missing' && source.sentence);
  process.exit(1);
}
const suite = new Suite(source.root, root);
console.log(`the suite of ${suite.version}, kernel ${root.kernel}`);
const total = new Map<Subject, { passed: number; failed: number }>();
for (const block of named.length > 0 ? named : BLOCKS) {
  for (const subject of subjects) {
    const judgement = await suite.judge(block, subject, words.includes('--kept') ? 'kept' : 'real');
    const { passed, failures, ended, output, seconds } = judgement;
    for (const { line, step, said } of failures) console.log(`\n--- ${subject}, line ${line}: ${step}\n${said}`);
    if (!ended) console.log(`\n--- ${subject}: the suite stopped\n${output.slice(-2000)}`);
    const failed = failures.length + (ended ? 0 : 1);
    console.log(`${block}, ${subject}: ${passed} passed, ${failed} failed (${seconds.toFixed(0)} s)`);
    const before = total.get(subject) ?? { passed: 0, failed: 0 };
    total.set(subject, { passed: before.passed + passed, failed: before.failed + failed });
  }
}
for (const [subject, { passed, failed }] of total) console.log(`${subject}: ${passed} passed, ${failed} failed`);
process.exitCode = (total.get('plugd')?.failed ?? 0) > 0 ? 1 : 0;
