import t from 'tap';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';
import * as places from '../../../agent/dkms/tree/dkms-places.ts';

t.test("dkms's own names", async (t) => {
  const trees = defaultTrees('');
  const module = { name: 'v4l2loopback', version: '0.12.7' };
  const kernel = { release: '6.1.0-56-amd64', arch: 'x86_64' };
  const rows: ReadonlyArray<readonly [found: string, expected: string]> = [
    [places.nameOf(module), 'v4l2loopback/0.12.7'],
    [places.moduleFolder(trees, 'v4l2loopback'), '/var/lib/dkms/v4l2loopback'],
    [places.versionFolder(trees, module), '/var/lib/dkms/v4l2loopback/0.12.7'],
    [places.sourceLink(trees, module), '/var/lib/dkms/v4l2loopback/0.12.7/source'],
    [places.sourceFolder(trees, module), '/usr/src/v4l2loopback-0.12.7'],
    [places.buildFolder(trees, module), '/var/lib/dkms/v4l2loopback/0.12.7/build'],
    [places.builtFolder(trees, module, kernel), '/var/lib/dkms/v4l2loopback/0.12.7/6.1.0-56-amd64/x86_64'],
    [places.installedLink(trees, 'v4l2loopback', kernel), '/var/lib/dkms/v4l2loopback/kernel-6.1.0-56-amd64-x86_64'],
    [
      places.originalsFolder(trees, 'v4l2loopback', kernel),
      '/var/lib/dkms/v4l2loopback/original_module/6.1.0-56-amd64/x86_64',
    ],
    [places.kernelTree(trees, kernel.release), '/lib/modules/6.1.0-56-amd64'],
  ];
  for (const [found, expected] of rows) t.equal(found, expected);
  t.equal(places.kernelTree(defaultTrees('/mnt'), '6.1'), '/mnt/lib/modules/6.1', "another system's");
});
