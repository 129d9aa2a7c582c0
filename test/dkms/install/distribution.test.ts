import t from 'tap';
import { destinationOf, distributionOf, outranksKernel } from '../../../agent/dkms/install/distribution.ts';

t.test('the name of a distribution', async (t) => {
  const rules: ReadonlyArray<readonly [string, string, readonly string[], string]> = [
    ['its own', 'debian', [], 'debian'],
    ['the first of its ancestors', 'linuxmint', ['ubuntu', 'debian'], 'ubuntu'],
    ['Ubuntu itself', 'ubuntu', ['debian'], 'ubuntu'],
    ['CentOS', 'centos', ['rhel', 'fedora'], 'rhel'],
    ['none', '', [], ''],
  ];
  for (const [rule, id, like, name] of rules) t.equal(distributionOf({ id, like }), name, rule);
});

t.test('where modules go', async (t) => {
  const rules: ReadonlyArray<readonly [string, string, string, string]> = [
    ['debian', '', '/kernel/extra', '/updates/dkms'],
    ['ubuntu', '', '/kernel/extra', '/updates/dkms'],
    ['arch', '', '/kernel/extra', '/updates/dkms'],
    ['fedora', '', '/kernel/extra', '/extra'],
    ['rhel', '', '/updates', '/extra'],
    ['opensuse-leap', '', '/extra', '/updates'],
    ['alpine', '', '/kernel/extra/', '/kernel/extra'],
    ['gentoo', '', '/kernel/drivers/net', '/kernel/drivers/net'],
    ['debian', 'mine', '/kernel/extra', '/mine'],
  ];
  for (const [distribution, forced, written, place] of rules) {
    t.equal(destinationOf(distribution, forced, written), place, `${distribution} ${forced}`);
  }
  for (const place of ['/updates', '/updates/dkms', '/extra']) t.ok(outranksKernel(place), place);
  for (const place of ['/kernel/extra', '/updatesx', '/weak-updates']) t.notOk(outranksKernel(place), place);
});
