import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PlugdError } from '../../agent/base/error.ts';
import { takeAgentLock, type AgentLock } from '../../agent/daemon/agent-lock.ts';
import { ControlServer } from '../../agent/daemon/control/control-server.ts';
import type { ControlHandler } from '../../agent/daemon/control/exchange.ts';
import { controlPath } from '../../agent/daemon/control/run-dir.ts';
import { lockFromColdplug } from '../../agent/daemon/takeover.ts';

function runDirectory(t: Test): string {
  // A socket's path is short.
  const folder = mkdtempSync(join(tmpdir(), 'plugd-over-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Somebody who holds the lock, and what he answers. */
async function holder(t: Test, handler: ControlHandler | undefined) {
  const runDir = runDirectory(t);
  const lock = takeAgentLock(runDir);
  let held = true;
  // A descriptor that is closed twice may be somebody else's by then.
  const release = () => {
    if (held) lock.close();
    held = false;
  };
  t.teardown(release);
  if (handler !== undefined) {
    const server = await ControlServer.listen(controlPath(runDir), handler);
    t.teardown(async () => server.close());
  }
  return { runDir, release };
}

/** How often it is waited for, and what happens at such a moment. */
function waits(at: (count: number) => void = () => {}) {
  const waited: number[] = [];
  return {
    waited,
    wait: async (ms: number) => {
      waited.push(ms);
      at(waited.length);
    },
  };
}

t.test('a lock that nobody has', async (t) => {
  const { waited, wait } = waits();
  const lock = await lockFromColdplug(runDirectory(t), wait);
  lock.close();
  t.same(waited, []);
});

t.test('a coldplug is asked once, and gives it up at once or some time later', async (t) => {
  for (const tries of [1, 2, 50]) {
    const asked: string[] = [];
    const { runDir, release } = await holder(t, (exchange) => {
      asked.push(exchange.request.command);
      exchange.answer({});
    });
    const { waited, wait } = waits((count) => {
      if (count === tries) release();
    });
    const lock: AgentLock = await lockFromColdplug(runDir, wait);
    t.same(asked, ['yield']);
    t.same(
      waited,
      Array.from({ length: tries }, () => 20),
    );
    t.throws(() => takeAgentLock(runDir), { code: 'busy' }, 'it is held now');
    lock.close();
  }
});

const STAYS: Record<string, readonly [handler: ControlHandler | undefined, waits: number]> = {
  'an agent stays': [
    () => {
      throw new PlugdError('busy', 'this is an agent');
    },
    0,
  ],
  'a holder who listens to nobody stays': [undefined, 0],
  'a holder who promises and does not keep it is given a second': [(exchange) => exchange.answer({}), 50],
};
for (const [name, [handler, count]] of Object.entries(STAYS)) {
  t.test(name, async (t) => {
    const { runDir } = await holder(t, handler);
    const { waited, wait } = waits();
    await t.rejects(lockFromColdplug(runDir, wait), { code: 'busy', message: new RegExp(`pid ${process.pid}`) });
    t.equal(waited.length, count);
  });
}

t.test('what is wrong with the directory itself is nobody’s lock', async (t) => {
  const { waited, wait } = waits();
  const file = join(runDirectory(t), 'file');
  writeFileSync(file, '');
  await t.rejects(lockFromColdplug(join(file, 'run'), wait), { code: 'system' });
  t.same(waited, []);
});
