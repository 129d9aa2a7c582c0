import { mkdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { isInPlace, statusOf, tellStatus } from '../../../agent/dkms/run/dkms-status.ts';
import { RUNNING, SessionRig } from './session-rig.ts';

const M = { name: 'm', version: '1' };
const OTHER = '5.10.0-1-amd64';

t.test('the state of a version', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, plant: (rig: SessionRig) => void, expected: object]> = [
    ['nothing was built', () => {}, { state: 'added', kernel: undefined }],
    ['built', (rig) => rig.build('m', '1'), { state: 'built', kernel: RUNNING, missing: false, differs: false }],
    ['installed', (rig) => rig.install('m', '1'), { state: 'installed', missing: false, differs: false }],
    ['another module lies in its place', (rig) => rig.install('m', '1', 'else'), { state: 'installed', differs: true }],
    [
      'a module of the same size',
      (rig) => rig.install('m', '1', '2'),
      { state: 'installed', missing: false, differs: true },
    ],
    [
      'nothing lies there',
      (rig) => {
        rig.install('m', '1');
        rmSync(`${rig.trees.installTree}/${RUNNING.release}/updates/m.ko`);
      },
      { state: 'installed', differs: true },
    ],
    [
      'the build has lost its module',
      (rig) => {
        rig.install('m', '1');
        rmSync(`${rig.trees.dkmsTree}/m/1/${RUNNING.release}/x86_64/module/m.ko`);
      },
      { state: 'installed', missing: true, differs: false },
    ],
    [
      'another version is installed',
      (rig) => {
        rig.add('m', '2');
        rig.build('m', '1');
        rig.install('m', '2');
      },
      { state: 'built' },
    ],
    [
      "the kernel's own module was put aside",
      (rig) => {
        rig.install('m', '1');
        mkdirSync(`${rig.trees.dkmsTree}/m/original_module/${RUNNING.release}/x86_64`, { recursive: true });
      },
      { state: 'installed', originals: true },
    ],
    [
      'its sources are gone',
      (rig) => rmSync(`${rig.trees.sourceTree}/m-1`, { recursive: true }),
      { state: 'broken', kernel: undefined },
    ],
  ];
  for (const [rule, plant, expected] of rows) {
    await t.test(rule, async (t) => {
      const rig = new SessionRig(t.testdir({}));
      rig.add('m', '1');
      plant(rig);
      const lines = statusOf(rig.session(), M);
      t.equal(lines.length, 1);
      t.match(lines[0], expected);
    });
  }
});

t.test('which lines', async (t) => {
  const rig = new SessionRig(t.testdir({}));
  for (const version of ['1', '2']) rig.add('m', version);
  rig.add('n', '1');
  rig.build('m', '1');
  rig.build('m', '1', '1', OTHER);
  const shown = (options: Parameters<SessionRig['session']>[0]) => {
    rig.told.length = 0;
    t.equal(tellStatus(rig.session(options)), 0);
    return rig.told.map((line) =>
      line.kind === 'status' ? `${line.module} ${line.kernel?.release ?? '-'}` : line.kind,
    );
  };
  const both = [`m/1 ${OTHER}`, `m/1 ${RUNNING.release}`];
  t.same(shown({}), [...both, 'm/2 -', 'n/1 -']);
  t.same(shown({ module: 'm' }), [...both, 'm/2 -']);
  t.same(shown({ module: 'm', version: '1' }), both);
  t.same(shown({ module: 'm', version: '1', kernels: [OTHER] }), [`m/1 ${OTHER}`]);
  t.same(shown({ module: 'm', version: '1', kernels: ['7.0'] }), ['m/1 -'], 'for another kernel it is added');
  t.same(shown({ module: 'm', version: '1', arches: ['aarch64'] }), ['m/1 -']);
  t.same(shown({ module: 'none' }), []);
  rmSync(`${rig.trees.sourceTree}/n-1`, { recursive: true });
  t.same(shown({ module: 'n' }), ['n/1 -', 'broken'], 'and what to do about it');
});

t.test('whether each module is in its place', async (t) => {
  const rig = new SessionRig(t.testdir({}));
  rig.add('m', '1');
  rig.install('m', '1', 'else');
  t.ok(isInPlace(rig.session(), M, RUNNING), 'whatever it is');
  rmSync(`${rig.trees.installTree}/${RUNNING.release}/updates/m.ko`);
  t.notOk(isInPlace(rig.session(), M, RUNNING));
});
