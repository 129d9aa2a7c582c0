import t from 'tap';
import { readForcedModules } from '../../../agent/dkms/conf/forced-modules.ts';

t.test('words of packages', async (t) => {
  const folder = t.testdir({
    nvidia: 'nvidia-current\n  nvidia-old\n',
    sta: 'broadcom-sta_version-override wl',
    zlast: 'wl_version-override\n',
    '.hidden': 'hidden\n',
    empty: '',
    folder: {},
  });
  t.same(
    [...readForcedModules(folder)],
    [
      ['nvidia-current', 'force'],
      ['nvidia-old', 'force'],
      ['broadcom-sta', 'version-override'],
      ['wl', 'version-override'],
    ],
    'the last file decides; hidden files and folders do not count',
  );
  t.equal(readForcedModules(`${folder}/none`).size, 0, 'no folder');
});
