/** `plugd test --replay`: recordings of whole real machines against an image with Debian's modules. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Replay } from '../../agent/records/replay.ts';
import { debianTree, plantTree } from '../fixtures/debian.ts';
import { fits, plugd } from '../fixtures/diagnostics-rig.ts';

/** From outside the kernel, newer than 6.1, or not in Debian's configuration. */
const NOT_IN_DEBIAN =
  /^(nvidia|NVIDIA ACPI Video Driver|vboxdrv|ptdma|mlx5_fwctl\.mlx5_fwctl|kgdboc|wireless-hotkey|intc_sar|amd-pmf|rtw89_8852ce|snd_pci_ps|hts221_i2c|RSI-SDIO WLAN)$/;

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
    // The kernel and its configuration say what is built in.
    cpSync(join(tree.root, 'boot'), join(image, 'boot'), { recursive: true });
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
      t.equal(status, run.lost + run.replaced > 0 ? 1 : run.unknown > 0 ? 3 : 0, name);
      const driven = run.devices.filter(({ driver }) => driver !== undefined);
      t.equal(run.kept + run.lost + run.replaced + run.unknown, driven.length, `${run.kept} kept`);
      const named = driven.filter(({ modaliases }) => modaliases.length > 0);
      const untold = named.filter(({ fate }) => fate === 'unknown');
      t.ok(untold.length <= 0.03 * named.length, `${untold.length} of ${named.length} cannot be told`);
      const gone = named.filter(({ fate }) => fate === 'lost' || fate === 'replaced');
      t.same(
        gone.filter(({ driver }) => !NOT_IN_DEBIAN.test(driver ?? '')).map(({ driver, because }) => [driver, because]),
        [],
        'every driver that is lost or replaced is not in this kernel',
      );
      for (const device of driven) {
        const own = device.driver?.replaceAll('-', '_') ?? '';
        if (device.modules.some((module) => module === own)) t.equal(device.fate, 'kept', `${device.name}: ${own}`);
      }
      // A driver that one module alone can be: without it the device has none.
      const [victim] =
        driven.find(
          ({ fate, driver, modules: [module, ...more] }) =>
            fate === 'kept' && more.length === 0 && module === driver?.replaceAll('-', '_'),
        )?.modules ?? [];
      writeFileSync(rules, `blacklist ${victim ?? ''}\n`);
      const without = replay(name);
      t.equal(without.status, 1, `${name} without ${victim ?? 'nothing'}`);
      const before = new Set(run.devices.filter(({ fate }) => fate !== 'kept').map(({ devpath }) => devpath));
      const lost = without.run.devices.filter(({ fate, devpath }) => fate === 'lost' && !before.has(devpath));
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
