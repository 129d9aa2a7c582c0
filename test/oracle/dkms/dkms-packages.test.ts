/** Some of Debian's packages of modules with plugd in dkms's place (see dkms-packages.ts). `npm run oracle:dkms-packages` has all. */
import t from 'tap';
import { dkmsRoot } from './dkms-root.ts';
import { differences, packageFiles, runPackages } from './dkms-packages.ts';

t.setTimeout(3_000_000);

const SOME = ['v4l2loopback-dkms', 'acpi-call-dkms'];

async function missing(): Promise<string | false> {
  const root = await dkmsRoot();
  if (root.kind === 'missing') return root.sentence;
  const debs = await packageFiles();
  return typeof debs !== 'string' && debs.sentence;
}

t.test('packages leave the same behind with plugd as with dkms', { skip: await missing() }, async (t) => {
  const root = await dkmsRoot();
  const debs = await packageFiles();
  if (root.kind === 'missing' || typeof debs !== 'string') throw new Error('it was there');
  const dkms = await runPackages(root, debs, 'dkms', SOME);
  const plugd = await runPackages(root, debs, 'plugd', SOME);
  for (const [index, theirs] of dkms.entries()) {
    const ours = plugd[index] ?? theirs;
    t.not(ours, theirs, theirs.name);
    t.ok(Object.keys(theirs.installed.modules).length > 0, `${theirs.name} brings modules`);
    t.same(differences(ours, theirs), [], theirs.name, { output: ours.installed.output });
  }
});
