/** dkms's own suite against plugd (see dkms-suite.ts): the blocks that say most. `npm run oracle:dkms` runs all. */
import t from 'tap';
import { dkmsRoot } from './dkms-root.ts';
import { dkmsSource, Suite, type Block } from './dkms-suite.ts';

t.setTimeout(3_000_000);

/**
 * What Debian 13's dkms 3.2.2 still expects and plugd, as dkms 3.4.3, says or does in another way: the steps, and how many of
 * their checks differ.
 */
const LATER: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  basic: { 'Building the test module for a kernel without headers installed (expected error)': 1 },
  signing: {},
  multiversion: {},
  // A dependency that dkms does not know puts autoinstall off; it was a failure.
  dependencies: { 'Running dkms autoinstall (expected error)': 1 },
  // "includes BUILD_EXCLUSIVE directives which do not match"
  exclusive: {
    '(Not) building the build-exclusive test module': 1,
    'Running dkms autoinstall (1 x skip)': 1,
    'Running dkms autoinstall (1 x skip, 1 x pass)': 1,
    'Running dkms autoinstall (1 x skip, 1 x fail, 1 x pass) (expected error)': 1,
    'Running dkms autoinstall (2 x skip, with dependency)': 1,
  },
  malformed: {},
};

async function missing(): Promise<string | false> {
  const root = await dkmsRoot();
  if (root.kind === 'missing') return root.sentence;
  const source = await dkmsSource();
  return source.kind === 'missing' && source.sentence;
}

t.test("dkms's suite", { skip: await missing() }, async (t) => {
  const root = await dkmsRoot();
  const source = await dkmsSource();
  if (root.kind === 'missing' || source.kind === 'missing') throw new Error('it was there');
  const suite = new Suite(source.root, root);
  for (const block of Object.keys(LATER) as Block[]) {
    const { passed, failures, ended, output, seconds } = await suite.judge(block, 'plugd', 'kept');
    t.comment(`${suite.version} ${block}: ${passed} passed, ${failures.length} failed, ${seconds.toFixed(0)} s`);
    t.ok(ended, `${block} came to its end`, ended ? {} : { output: output.slice(-2000) });
    t.ok(passed > 20, `${block}: ${passed} checks passed`);
    const differing: Record<string, number> = {};
    for (const { step } of failures) differing[step] = (differing[step] ?? 0) + 1;
    const told = failures.map(({ line, step, said }) => `line ${line}: ${step}\n${said}`).join('\n');
    t.same(differing, suite.version === 'dkms-3.2.2' ? LATER[block] : {}, block, { told });
  }
});
