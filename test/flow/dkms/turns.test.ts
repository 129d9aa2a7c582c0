/** An action that changes the DKMS tree waits while another run changes it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { lockTree } from '../../../agent/dkms/tree/tree-lock.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { contents, KERNEL, plugd, system } from './made-up-system.ts';

const tools = await needCommands(['make']);
const skip = tools.kind === 'missing' ? tools.sentence : false;

const ACTIONS: ReadonlyArray<readonly string[]> = [
  ['add', '-m', 'two', '-v', '1.0'],
  ['build', 'one/1.0', '-k', KERNEL],
  ['install', 'one/1.0', '-k', KERNEL],
  ['autoinstall', '-k', KERNEL],
  ['kernel_postinst', '-k', KERNEL],
  ['package_postinst', 'one', '1.0', '/usr/share/one', '', ''],
  ['uninstall', 'one/1.0', '-k', KERNEL],
  ['kernel_prerm', '-k', KERNEL],
  ['check', '--repair'],
  ['prune'],
];

t.test('every action that changes the tree waits for the lock', { skip }, async (t) => {
  const made = system(t);
  made.run('add', made.source('one', '1.0'));
  const tree = (): Record<string, string> => {
    const { '/.plugd-lock': _, ...files } = contents(`${made.dir}/var/lib/dkms`);
    return files;
  };
  const before = tree();
  const lock = lockTree(`${made.dir}/var/lib/dkms`, 'dkms of a test', () => t.fail('the lock is free'));
  const held = new Set(ACTIONS.map(([name]) => name));
  const runs = ACTIONS.map((words) => {
    const command = [plugd, 'dkms', ...words, '--root', made.dir];
    const { PLUGD_DKMS_LOCKED: _, ...env } = process.env;
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], cwd: made.dir, env });
    let told = '';
    const waits = new Promise<void>((done) => {
      const listen = (chunk: Buffer) => {
        told += chunk.toString();
        if (told.includes('dkms of a test')) done();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('close', () => done());
    });
    return { words, child, waits, ended: once(child, 'close'), told: () => told };
  });
  for (const { words, child, waits, told } of runs) {
    await waits;
    t.match(told(), /dkms of a test/, `${words[0]} waits, and says for whom`);
    if (child.exitCode !== null) held.delete(words[0]);
  }
  t.equal(held.size, ACTIONS.length, 'none has ended');
  t.ok(before['/one/1.0/source'], 'a module is registered');
  t.same(tree(), before, 'and nothing has changed');
  lock.release();
  for (const { ended } of runs) await ended;
  t.equal(made.run('check').status, 0, 'afterwards the tree is whole');
});
