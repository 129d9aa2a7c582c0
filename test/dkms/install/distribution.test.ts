import t from 'tap';
import { destinationOf, outranksKernel, readDistribution } from '../../../agent/dkms/install/distribution.ts';

t.test('the name of a distribution', async (t) => {
  const rules: ReadonlyArray<readonly [string, string, string]> = [
    ['its ID', 'ID=debian\n', 'debian'],
    ['the first of its ancestors', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'ubuntu'],
    ['Ubuntu itself', 'ID=ubuntu\nID_LIKE=debian\n', 'ubuntu'],
    ['quotes', "ID='opensuse-leap'\n", 'opensuse-leap'],
    ['CentOS', 'ID="centos"\nID_LIKE="rhel fedora"\n', 'rhel'],
    ['no name', 'NAME=x\n', ''],
  ];
  for (const [rule, text, name] of rules) {
    t.equal(readDistribution(t.testdir({ etc: { 'os-release': text } })), name, rule);
  }
  t.equal(readDistribution(t.testdir({})), undefined, 'no os-release');
  t.equal(readDistribution(t.testdir({ usr: { lib: { 'os-release': 'ID=arch\n' } } })), 'arch', 'the one below /usr');
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
