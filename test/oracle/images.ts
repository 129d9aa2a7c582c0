/**
 * The same for every recording of PLUGD_CORPUS and Debian's stable kernels of all architectures, with sizes beside the whole tree's.
 *
 *     PLUGD_CORPUS=DIR npm run oracle:images
 *
 * Exit status 1: an image lost a driver that its tree has.
 */
import { join } from 'node:path';
import { debianTree, type Architecture } from '../fixtures/debian.ts';
import { closureImageLine, closureImages } from './closure-images.ts';

const corpus = process.env['PLUGD_CORPUS'];
if (corpus === undefined) throw new Error('PLUGD_CORPUS names no folder of recordings.');
const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64', 'armhf', 'ppc64el', 's390x'];

let wrong = 0;
for (const architecture of ARCHITECTURES) {
  const tree = await debianTree(architecture);
  if (tree.kind === 'missing') {
    console.log(`${architecture}: ${tree.sentence}`);
    continue;
  }
  console.log(`${architecture}, Linux ${tree.kernel}:`);
  for await (const image of closureImages(tree, join(corpus, 'machines'))) {
    console.log(`  ${closureImageLine(image)}`);
    for (const line of image.lost) console.log(`    LOST ${line}`);
    wrong += image.lost.length;
  }
}
process.exit(wrong === 0 ? 0 : 1);
