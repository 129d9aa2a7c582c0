/** A few moments of each kind of trouble (chaos.ts); `npm run soak:dkms` has more of them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { needCommands } from '../../fixtures/commands.ts';
import { share, WHOLE } from '../../share.ts';
import { canMount, killed, together, VICTIMS } from './chaos.ts';
import { system } from './made-up-system.ts';

const tools = await needCommands(['make']);
t.setTimeout(3_000_000);
const skip = tools.kind === 'missing' ? tools.sentence : false;

for (const [i, victim] of share(VICTIMS, 2).entries()) {
  t.test(`${victim.name} that is killed`, { skip }, async (t) => {
    t.same(await killed(() => system(t), victim, WHOLE ? 3 : 1, 10 + i), []);
  });
}

t.test("two packages and a kernel's hook at once", { skip }, async (t) => {
  t.same(await together(() => system(t)), []);
});

t.test('a full disk at each stage', { skip: skip || (!canMount() && 'no mount namespace') }, async (t) => {
  const folder = t.testdir({});
  const program = join(import.meta.dirname, 'chaos-disk.js');
  const child = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', process.execPath, program, folder, '20', WHOLE ? '10' : '20'],
    {
      encoding: 'utf8',
    },
  );
  t.equal(child.status, 0, child.stderr);
  t.same(JSON.parse(child.stdout || '["nothing"]'), []);
});
