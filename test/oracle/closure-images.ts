/** Images made of only a closure's files, one for each recorded machine, held against the machine by plugd image --check. */
import { readdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHost } from '../../agent/base/host.ts';
import { readImage } from '../../agent/facts/initramfs/image-contents.ts';
import { closureOf } from '../../agent/images/closure.ts';
import { closureEntries } from '../../agent/images/closure-files.ts';
import { writeArchive } from '../../agent/images/cpio-archive.ts';
import { DriverPlaces } from '../../agent/images/driver-places.ts';
import { checkImage } from '../../agent/images/image-check.ts';
import { readMachines } from '../../agent/images/machine-wants.ts';
import { DEVICE_CLASSES } from '../../agent/records/image-check.ts';
import type { DebianTree } from '../fixtures/debian.ts';

/** What one recording came to. */
export interface ClosureImage {
  readonly machine: string;
  readonly modules: number;
  /** MiB of the image, and of the whole tree that it is made from. */
  readonly size: number;
  readonly tree: number;
  readonly kept: number;
  /** `DEVICE (DRIVER): why`: devices whose driver is in the tree, and not in the image. There should be none. */
  readonly lost: readonly string[];
  /** Devices whose driver the tree does not have either. */
  readonly neither: number;
  /** Modules in it for no device; weakdeps may be. */
  readonly unneeded: readonly string[];
}

const MIB = 1 << 20;

/** Makes and checks an image for each recording of a folder that the tree's kernel can run on, one after the other. */
export async function* closureImages(tree: DebianTree, folder: string): AsyncGenerator<ClosureImage> {
  const work = mkdtempSync(join(tmpdir(), 'plugd-images-'));
  const host = { ...openHost({ root: tree.root, kernel: tree.kernel }), proc: join(tree.root, 'proc') };
  const whole = treeSize(host.moduleDir) / MIB;
  try {
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.jsonl'))) {
      const { machines } = readMachines(host, [join(folder, name)]);
      const [machine] = machines;
      if (machine === undefined) continue;
      const closure = closureOf({ host, machines, live: false, names: [], allFirmware: false, missing: [] });
      const image = join(work, 'image.cpio');
      writeArchive(image, await closureEntries(host, closure));
      const contents = readImage('', image);
      const check = await checkImage({
        places: new DriverPlaces(host),
        image,
        ...contents,
        machines,
        needed: DEVICE_CLASSES,
        missing: [],
      });
      const lost = check.lost.filter(({ module }) => module !== undefined);
      yield {
        machine: machine.name,
        modules: check.modules,
        size: statSync(image).size / MIB,
        tree: whole,
        kept: check.kept,
        lost: [...lost.map(({ device, driver, because }) => `${device} (${driver}): ${because}`), ...check.problems],
        neither: check.lost.length - lost.length,
        unneeded: check.unneeded.map(({ module }) => module),
      };
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function treeSize(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** One line for people. */
export function closureImageLine({
  machine,
  modules,
  size,
  tree,
  kept,
  lost,
  neither,
  unneeded,
}: ClosureImage): string {
  const percent = ((100 * size) / tree).toFixed(1);
  return `${machine}: ${modules} modules, ${size.toFixed(1)} of ${tree.toFixed(0)} MiB (${percent} %), ${kept} devices kept, ${lost.length} lost, ${neither} in neither, ${unneeded.length} modules unneeded`;
}
