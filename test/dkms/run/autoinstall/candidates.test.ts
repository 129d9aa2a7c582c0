import { rmSync } from 'node:fs';
import t from 'tap';
import { absentNeeds, findCandidates } from '../../../../agent/dkms/run/autoinstall/candidates.ts';
import { nameOf } from '../../../../agent/dkms/tree/dkms-places.ts';
import { RUNNING, SessionRig } from '../session-rig.ts';

const AUTO = 'AUTOINSTALL=yes';

t.test('what becomes of each module', async (t) => {
  const rig = new SessionRig(t.testdir({}));
  rig.add('wanted', '1', `${AUTO}\nBUILD_DEPENDS=other`);
  rig.add('unwanted', '1');
  rig.add('there', '1', AUTO);
  rig.install('there', '1');
  rig.add('built', '1', AUTO);
  rig.build('built', '1');
  rig.add('newer', '1.9', AUTO);
  rig.add('newer', '1.10', AUTO);
  rig.install('newer', '1.9');
  rig.add('older', '1', AUTO);
  rig.add('older', '2');
  rig.add('lost', '1', AUTO);
  rmSync(`${rig.trees.sourceTree}/lost-1`, { recursive: true });
  const { candidates, installed, unwanted, broken } = findCandidates(rig.session(), RUNNING);
  t.same(
    candidates.map(({ module, needs }) => [nameOf(module), ...needs]),
    [['built/1'], ['newer/1.10'], ['wanted/1', 'other']],
    'the newest of each name that is not installed, and what it needs',
  );
  t.same(installed.map(nameOf), ['there/1']);
  t.same(unwanted.map(nameOf), ['older/2', 'unwanted/1'], 'the newest decides');
  t.same(broken.map(nameOf), ['lost/1']);
  const other = findCandidates(rig.session(), { ...RUNNING, release: '5.10.0-1-amd64' });
  t.same(other.installed, [], 'nothing is installed for another kernel');
});

t.test('names that are needed and not there', async (t) => {
  const rig = new SessionRig(t.testdir({}));
  rig.add('known', '1');
  const rows: ReadonlyArray<
    readonly [needs: readonly string[], there: readonly string[], absent: readonly string[], unknown: boolean]
  > = [
    [[], [], [], false],
    [['known'], ['known'], [], false],
    [['known'], [], ['known'], false],
    [['stranger'], [], ['stranger'], true],
    [['known', 'stranger'], [], ['known', 'stranger'], false],
    [['known', 'stranger'], ['known'], ['stranger'], true],
  ];
  for (const [needs, there, absent, unknown] of rows)
    t.same(
      absentNeeds(rig.session(), needs, (name) => there.includes(name)),
      { absent, unknown },
      `${needs.join(' and ') || 'nothing'} is needed, ${there.join(' and ') || 'nothing'} is there`,
    );
});
