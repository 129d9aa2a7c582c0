import { writeFileSync } from 'node:fs';
import t from 'tap';
import { staleModules } from '../../../agent/dkms/run/dependents.ts';
import { nameOf } from '../../../agent/dkms/tree/dkms-places.ts';
import { RUNNING, SessionRig } from './session-rig.ts';

t.test('modules that were built against another version', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, conf: string, note: string | undefined, stale: boolean]> = [
    ['of a module that it needs', 'BUILD_DEPENDS=base\nBUILD_DEPENDS_REBUILD=yes', '1\n', true],
    ['no note: nobody knows which one', 'BUILD_DEPENDS=base\nBUILD_DEPENDS_REBUILD=yes', undefined, true],
    ['it was the same version', 'BUILD_DEPENDS=base\nBUILD_DEPENDS_REBUILD=yes', '2\n', false],
    ['it does not ask for it', 'BUILD_DEPENDS=base', '1\n', false],
    ['it needs another one', 'BUILD_DEPENDS=stranger\nBUILD_DEPENDS_REBUILD=yes', '1\n', false],
  ];
  for (const [rule, conf, note, stale] of rows) {
    await t.test(rule, async (t) => {
      const rig = new SessionRig(t.testdir({}));
      rig.add('base', '2');
      rig.install('base', '2');
      rig.add('m', '1', conf);
      rig.install('m', '1');
      const folder = `${rig.trees.dkmsTree}/m/1/${RUNNING.release}/x86_64`;
      if (note !== undefined) writeFileSync(`${folder}/.dep_base`, note);
      t.same(staleModules(rig.session(), RUNNING).map(nameOf), stale ? ['m/1'] : []);
    });
  }
});
