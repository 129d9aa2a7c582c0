import t from 'tap';
import { buildPaths } from '../../../agent/dkms/build/build-paths.ts';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';

t.test('the paths of a build', async (t) => {
  t.same(buildPaths(defaultTrees('/mnt'), 'm', '1.0', { release: '6.1.0', arch: 'x86_64' }), {
    base: '/mnt/var/lib/dkms/m/1.0',
    source: '/mnt/var/lib/dkms/m/1.0/source',
    build: '/mnt/var/lib/dkms/m/1.0/build',
    log: '/mnt/var/lib/dkms/m/1.0/build/make.log',
    kernel: '/mnt/var/lib/dkms/m/1.0/6.1.0',
    result: '/mnt/var/lib/dkms/m/1.0/6.1.0/x86_64',
  });
});
