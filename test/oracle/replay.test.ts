/** `plugd test --replay`: recordings of whole real machines against an image with Debian's modules. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Replay } from '../../agent/records/replay.ts';
import { debianTree, plantTree } from '../fixtures/debian.ts';
import { fits, plugd } from '../fixtures/diagnostics-rig.ts';

const corpus = process.env['PLUGD_CORPUS'];

t.setTimeout(600_000);
t.test(
  'recorded machines against an image',
  { skip: corpus === undefined && 'PLUGD_CORPUS names no folder of recordings' },
  async (t) => {
    const tree = await debianTree('amd64');
    if (tree.kind === 'missing') return t.comment(tree.sentence);
    const image = mkdtempSync(join(tmpdir(), 'plugd-image-'));
    t.teardown(() => rmSync(image, { recursive: true }));
    plantTree(tree, image);
    mkdirSync(join(image, 'etc/modprobe.d'), { recursive: true });
    const rules = join(image, 'etc/modprobe.d/image.conf');
    const folder = join(corpus ?? '', 'machines');
    const replay = (name: string) => {
      const words = ['test', '--json', '--root', image, '--kernel', tree.kernel, '--replay', join(folder, name)];
      const ended = spawnSync(process.execPath, [plugd, ...words], { encoding: 'utf8', maxBuffer: 1 << 28 });
      t.equal(ended.stderr, '', name);
      const run = JSON.parse(ended.stdout) as Replay;
      fits(t, 'replay', run);
      return { status: ended.status, run };
    };
    const recordings = readdirSync(folder).filter((name) => /^(dell|hp|nvidia|samsung|vm)_.*\.jsonl$/.test(name));
    t.ok(recordings.length >= 5, `${recordings.length} recordings of amd64 machines`);
    for (const name of recordings) {
      writeFileSync(rules, '');
      const { status, run } = replay(name);
      t.equal(status, 0, `${name}: Debian has the drivers of all that had one and says so`);
      const driven = run.devices.filter(({ driver }) => driver !== undefined);
      t.equal(run.kept + run.unknown, driven.length, `${run.kept} kept, ${run.unknown} cannot be told`);
      for (const device of driven) {
        const own = device.driver?.replaceAll('-', '_') ?? '';
        if (device.modules.some((module) => module === own)) t.equal(device.fate, 'kept', `${device.name}: ${own}`);
      }
      // A driver that one module alone can be: without it the device has none.
      const [victim] = driven.find(({ fate, modules }) => fate === 'kept' && modules.length === 1)?.modules ?? [];
      writeFileSync(rules, `blacklist ${victim ?? ''}\n`);
      const without = replay(name);
      t.equal(without.status, 1, `${name} without ${victim ?? 'nothing'}`);
      const lost = without.run.devices.filter(({ fate }) => fate === 'lost');
      t.ok(lost.length > 0 && lost.every(({ modules }) => modules.length === 1 && modules[0] === victim));
      t.ok(
        lost.every(
          ({ because, remedy }) => because?.includes(`blacklist ${victim ?? ''}`) === true && remedy !== undefined,
        ),
      );
      rmSync(rules);
    }
  },
);
