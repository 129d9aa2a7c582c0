import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { takeAgentLock } from '../../agent/daemon/agent-lock.ts';
import { clearName, inRunDir } from '../../agent/daemon/control/run-dir.ts';

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
  const first = takeAgentLock(runDir);
  first.close();
  const second = takeAgentLock(runDir);
  first.close();
  t.throws(() => takeAgentLock(runDir), { code: 'busy' }, 'closing the first again closes nothing of the second');
  second.close();
  t.ok(existsSync(join(runDir, 'lock')));
  t.end();
});

const PRECIOUS = 'precious';

const SURROUNDINGS: ReadonlyArray<readonly [rule: string, code: string, message: RegExp, make: (at: string) => void]> =
  [
    ['others may write to it', 'no-permission', /others may write/, (at) => chmodSync(at, 0o777)],
    ['it is a link', 'no-permission', /symbolic link/, (at) => (rmdirSync(at), symlinkSync(folder, at))],
    ['others may write to its parent', 'no-permission', /so replace/, (at) => chmodSync(dirname(at), 0o777)],
    [
      'the lock is a link',
      'system',
      /lock: .*symbolic links/,
      (at) => symlinkSync(join(dirname(at), PRECIOUS), join(at, 'lock')),
    ],
    [
      'the lock has another name',
      'system',
      /hard links/,
      (at) => linkSync(join(dirname(at), PRECIOUS), join(at, 'lock')),
    ],
    ['the lock is a pipe', 'system', /not a regular file/, (at) => execFileSync('mkfifo', [join(at, 'lock')])],
    ['the lock is a folder', 'system', /lock: .*directory/, (at) => mkdirSync(join(at, 'lock'))],
    [
      'the lock is a device',
      'system',
      /not a regular file/,
      (at) => execFileSync('mknod', [join(at, 'lock'), 'c', '1', '3']),
    ],
    ['a file is in its place', 'system', /exists/, (at) => (rmdirSync(at), writeFileSync(at, ''))],
  ];
for (const [index, [rule, code, message, make]] of SURROUNDINGS.entries()) {
  t.test(`not taken: ${rule}`, { skip: process.geteuid?.() === 0 ? false : 'needs root' }, (t) => {
    const place = join(folder, `place-${index}`);
    const runDir = join(place, 'run');
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(place, PRECIOUS), PRECIOUS);
    make(runDir);
    t.throws(() => takeAgentLock(runDir), { code, message });
    t.equal(readFileSync(join(place, PRECIOUS), 'utf8'), PRECIOUS);
    t.end();
  });
}

for (const name of ['control', 'modprobe']) {
  t.test(`what stands in the place of ${name}: a link is removed, not followed; a folder is named`, (t) => {
    const path = join(folder, name);
    symlinkSync(join(folder, 'place-0'), path);
    clearName(path);
    t.notOk(existsSync(path));
    t.ok(existsSync(join(folder, 'place-0')));
    mkdirSync(path);
    t.throws(() => clearName(path), { code: 'system', message: `${path} is a directory` });
    t.end();
  });
}

for (const [errno, code] of [
  ['ENOSPC', 'system'],
  ['EROFS', 'no-permission'],
  ['EDQUOT', 'system'],
] as const) {
  t.test(`no ${errno} of the file system is a defect of plugd`, (t) => {
    const work = () => {
      throw Object.assign(new Error(`${errno}: what Node says`), { code: errno });
    };
    t.throws(() => inRunDir('/run/plugd/lock', work), { code, message: /^\/run\/plugd\/lock/ });
    t.end();
  });
}
