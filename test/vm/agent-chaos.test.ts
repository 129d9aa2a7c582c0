/** kill -9 at random moments of a coldplug, then a restart: the final set of modules is that of an undisturbed run. */
import t from 'tap';
import { chaosRound, dice, undisturbed } from './chaos.ts';
import { machineImage, type Image } from './image.ts';

/** Each takes a boot and two coldplugs; `npm run soak:agent` does twenty. */
const ROUNDS = 3;

t.setTimeout(900_000);
const found = await machineImage();

t.test('chaos', { skip: found.kind === 'missing' ? found.sentence : false }, async (t) => {
  const image = found as Image;
  const { modules, ms } = await undisturbed(image);
  t.ok(modules.length >= 80, `${modules.length} modules in ${(ms / 1000).toFixed(1)} s, undisturbed`);
  const random = dice(20);
  for (let round = 1; round <= ROUNDS; round++) {
    // One agent more is killed in every round; their moments are spread over the whole coldplug.
    const shares = Array.from({ length: round }, () => 0.1 + 0.8 * random());
    const ended = await chaosRound(image, ms, shares);
    const kills = ended.killedAfter.map(
      (after, i) => `${(after / 1000).toFixed(1)} s with ${ended.loadedThen[i]} loaded`,
    );
    t.comment(`round ${round}: killed after ${kills.join(', then ')}`);
    t.same(ended.modules, modules, `round ${round}: the same modules in the end`);
  }
});
