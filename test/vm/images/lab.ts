/**
 * Images for the machines that plugd recorded, by Debian's initramfs-tools and by dracut, each started in the virtual machine with its root on
 * a disk of that kind; and without one module, where plugd must refuse it beforehand. With `--whole` the machine must not start then, either:
 *
 *     npm run lab:images -- [--whole] [KIND…] [BUILDER…]      virtio-blk nvme ahci virtio-scsi usb-storage megasas sdhci;
 *                                                             initramfs-tools dracut initramfs-tools-lite dracut-lite
 *
 * Unless they are named, the last two, where plugd-lite loads the modules, are taken for nvme alone.
 *
 * Some three minutes a kind and builder. Exit status 1: something was not as it should be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineImage, type Image } from '../machine/image.ts';
import type { Missing } from '../../fixtures/debian.ts';
import { plugdLite } from '../../native/plugd-lite.ts';
import { builderRoot, BUILDS, type Builder } from './builder-root.ts';
import { buildImage, lackingImage, record, start, type BuiltImage, type ImageLab } from './image-boot.ts';
import { DISK_KINDS, rootDisk } from './root-disk.ts';

const whole = process.argv.includes('--whole');
const wanted = process.argv.slice(2).filter((word) => word !== '--whole');
const BUILDERS = Object.keys(BUILDS) as readonly Builder[];
const names = [...DISK_KINDS.map(({ name }) => name), ...BUILDERS];
const unknown = wanted.filter((word) => !names.includes(word));
if (unknown.length > 0)
  throw new Error(`neither a kind of disk nor a builder: ${unknown.join(' ')}; there are ${names.join(' ')}`);
/** Those that are named, or all. */
const chosen = <T>(all: readonly T[], nameOf: (one: T) => string): readonly T[] =>
  all.some((one) => wanted.includes(nameOf(one))) ? all.filter((one) => wanted.includes(nameOf(one))) : all;
const kinds = chosen(DISK_KINDS, ({ name }) => name);
const builders = chosen(BUILDERS, (name) => name);

let broken = 0;

function check(holds: boolean, promise: string, detail = ''): void {
  if (!holds) broken++;
  console.log(`  ${holds ? 'ok    ' : 'BROKEN'} ${promise}${holds || detail === '' ? '' : `:\n${detail}`}`);
}

function need<T extends { readonly kind: 'ready' }>(part: T | Missing): T {
  if (part.kind === 'ready') return part;
  throw new Error(part.sentence);
}

function lossesOf({ check: { lost } }: BuiltImage, disk: string): readonly string[] {
  return lost.filter(({ device }) => disk.startsWith(device)).map(({ device, because }) => `${device}: ${because}`);
}

const isLite = (builder: Builder): boolean => builder.endsWith('-lite');

async function examine(lab: ImageLab): Promise<void> {
  const { kind } = lab;
  console.log(kind.name);
  const disk = await record(lab);
  for (const builder of builders) {
    if (isLite(builder) && !wanted.includes(builder) && kind.name !== 'nvme') continue;
    const built = await buildImage(lab, builder);
    const losses = lossesOf(built, disk);
    // dracut's list is only the way to the disk: it does without the rest of the machine.
    check(
      losses.length === 0 && (built.status === 0 || builder.startsWith('dracut')),
      `${builder}: plugd image finds the root disk's modules`,
      losses.join('\n'),
    );
    const started = await start(lab, built.file);
    check(started.mounted?.includes(kind.node) === true, `${builder}: it starts`, started.console || started.mounted);
    console.log(
      `  ${kind.name}\t${builder}\t${built.check.modules} modules\t${built.mebibytes.toFixed(1)} MiB\t${started.seconds.toFixed(1)} s`,
    );
    if (isLite(builder)) {
      const loaded = started.ledger.includes(`"${kind.needed.replaceAll('-', '_')}"`);
      check(loaded, `${builder}: plugd-lite loaded ${kind.needed}`, started.ledger || 'it left nothing in /run/plugd');
    }
    const lacking = await lackingImage(lab, builder);
    const named = lossesOf(lacking, disk);
    check(
      lacking.status === 1 && named.some((line) => line.includes(kind.needed.replaceAll('-', '_'))),
      `${builder}: without ${kind.needed} plugd image refuses it: ${named.join('; ')}`,
    );
    // dracut's own shell takes minutes to give up.
    if (!whole || builder.startsWith('dracut')) continue;
    const failed = await start(lab, lacking.file);
    check(
      failed.mounted === undefined && failed.console.includes('does not exist'),
      `${builder}: and it does not start`,
      failed.console || failed.mounted,
    );
  }
}

const image: Image = need(await machineImage());
const root = need(await builderRoot());
if (builders.some(isLite)) need(await plugdLite());
const folder = mkdtempSync(join(tmpdir(), 'plugd-image-lab-'));
try {
  const disk = need(await rootDisk(image, folder));
  for (const kind of kinds) {
    const own = mkdtempSync(join(folder, `${kind.name}-`));
    await examine({ image, root, disk, kind, folder: own });
    rmSync(own, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(broken === 0 ? 'all as it should be' : `${broken} broken`);
process.exit(broken === 0 ? 0 : 1);
