/** An image of only a closure's files loses no driver: every recorded x86 machine against Debian's stable kernel. */
import { join } from 'node:path';
import t from 'tap';
import { debianTree } from '../fixtures/debian.ts';
import { closureImageLine, closureImages } from './closure-images.ts';

const corpus = process.env['PLUGD_CORPUS'];

const tree = corpus === undefined ? undefined : await debianTree('amd64');

t.setTimeout(600_000);
t.test(
  "images of closures' files",
  {
    skip: tree === undefined ? 'PLUGD_CORPUS names no folder of recordings' : tree.kind === 'missing' && tree.sentence,
  },
  async (t) => {
    if (tree?.kind !== 'ready') return;
    let machines = 0;
    for await (const image of closureImages(tree, join(corpus ?? '', 'machines'))) {
      machines++;
      t.comment(closureImageLine(image));
      t.same(image.lost, [], image.machine);
      t.ok(image.kept > 0 && image.size < image.tree / 2);
    }
    t.ok(machines >= 10, `${machines} machines`);
  },
);
