import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { takeAgentLock } from '../../agent/daemon/agent-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'plugd-lock-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const module = new URL('../../agent/daemon/agent-lock.js', import.meta.url).href;

/** A process that waits for a line, tries, tells the outcome, and stays. */
async function contender(runDir: string): Promise<{ child: ChildProcess; go: () => Promise<string> }> {
  const program = `import { takeAgentLock } from '${module}';
    process.stdout.write('ready\\n');
    process.stdin.on('data', () => {
      try { takeAgentLock('${runDir}'); process.stdout.write('held\\n'); }
      catch (error) { process.stdout.write(error.code + ' ' + error.message + '\\n'); }
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const line = async () =>
    new Promise<string>((resolve) => child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
  await line();
  return {
    child,
    go: async () => {
      const told = line();
      child.stdin?.write('go\n');
      return told;
    },
  };
}

const gone = async (child: ChildProcess) => new Promise((resolve) => child.once('close', resolve));

t.test(
  'of many that start at once one gets it, and the others name its pid; kill -9 gives it to the next',
  async (t) => {
    const runDir = join(folder, 'race');
    const all = await Promise.all(Array.from({ length: 8 }, async () => contender(runDir)));
    const told = await Promise.all(all.map(async ({ go }) => go()));
    const winners = all.filter((_, i) => told[i] === 'held');
    t.equal(winners.length, 1, told.join(' | '));
    const pid = winners[0]?.child.pid;
    for (const line of told) if (line !== 'held') t.match(line, new RegExp(`^busy .*\\(pid ${pid}\\)`));
    const ended = winners[0] === undefined ? undefined : gone(winners[0].child);
    winners[0]?.child.kill('SIGKILL');
    await ended;
    const next = all.find((one) => one !== winners[0]);
    t.equal(await next?.go(), 'held');
    t.equal(readFileSync(join(runDir, 'lock'), 'utf8'), `${next?.child.pid}\n`);
    for (const { child } of all) child.kill('SIGKILL');
  },
);

t.test('closing gives it back; the file stays', (t) => {
  const runDir = join(folder, 'twice');
  takeAgentLock(runDir).close();
  takeAgentLock(runDir).close();
  t.ok(existsSync(join(runDir, 'lock')));
  t.end();
});

t.test('a directory that others may write to is refused', (t) => {
  const runDir = join(folder, 'open');
  mkdirSync(runDir);
  chmodSync(runDir, 0o777);
  t.throws(() => takeAgentLock(runDir), { code: 'no-permission', message: /others may write/ });
  t.end();
});

t.test('a link in the place of the lock is not followed', (t) => {
  const runDir = join(folder, 'link');
  mkdirSync(runDir, { mode: 0o700 });
  writeFileSync(join(folder, 'precious'), 'precious');
  symlinkSync(join(folder, 'precious'), join(runDir, 'lock'));
  t.throws(() => takeAgentLock(runDir), { code: 'system' });
  t.equal(readFileSync(join(folder, 'precious'), 'utf8'), 'precious');
  t.end();
});
