/** kill -9 at random moments of a coldplug, then a restart: the final set of modules is that of an undisturbed run. */
import { join } from 'node:path';
import t from 'tap';
import { Random } from '../../fixtures/random.ts';
import { WHOLE } from '../../share.ts';
import { chaosRound, IDLE_KIB, killsOf, killsText, undisturbed } from './chaos.ts';
import { machineImage, type Image } from '../machine/image.ts';

const root = join(import.meta.dirname, '../../../..');
/** How many agents are killed in each round. A round takes a boot and several coldplugs; `npm run soak:agent` does twenty. */
const ROUNDS = WHOLE ? [1, 3] : [3];

t.setTimeout(1_200_000);
const found = await machineImage();

t.test('chaos', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const image = found as Image;
  const { modules, rss } = await undisturbed(image);
  t.ok(modules.length >= 80, `${modules.length} modules, undisturbed`);
  t.ok(rss <= IDLE_KIB, 'idle after that it takes at most 58 MiB');
  t.comment(`undisturbed: ${modules.length} modules, then ${(rss / 1024).toFixed(1)} MiB`);
  const random = new Random(1);
  for (const [round, count] of ROUNDS.entries()) {
    const ended = await chaosRound(root, image, killsOf(random, count, modules.length));
    t.comment(`killed after ${killsText(ended)}; the last one inserted ${ended.inserted.length}`);
    t.same(ended.modules, modules, `round ${round + 1}: the same modules in the end`);
    t.same(new Set(ended.inserted).size, ended.inserted.length, 'none twice');
    const last = ended.killed.at(-1)?.loaded ?? 0;
    t.ok(ended.inserted.length <= modules.length - last, 'what the killed ones left is not inserted again');
  }
});
