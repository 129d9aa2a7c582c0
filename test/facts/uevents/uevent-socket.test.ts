import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '../../../..');
const canUnshare = spawnSync('unshare', ['-Urn', 'true']).status === 0;

/** Plays three uevents at a socket whose listener throws at the first; says what it heard. */
const THROWS = `
import { spawn } from 'node:child_process';
import { openUeventSocket } from ${JSON.stringify(join(root, 'dist/agent/facts/uevents/uevent-socket.js'))};
const heard = [];
const [, withFault] = process.argv;
process.on('uncaughtException', (error) => heard.push('uncaught ' + error.message));
const sender = spawn(process.execPath, [${JSON.stringify(join(root, 'dist/test/fixtures/uevent-sender.js'))}], { stdio: ['pipe', 'pipe', 'inherit'] });
const end = () => {
  console.log(heard.join(', '));
  socket.close();
  sender.stdin.end();
};
const socket = openUeventSocket({
  gap() {},
  uevent({ devpath }) {
    heard.push(devpath);
    if (devpath === '/devices/c') setImmediate(end);
    if (devpath === '/devices/a') throw new Error('bad a');
  },
  ...(withFault === 'yes' ? { fault: (error) => heard.push('fault ' + error.message) } : {}),
});
const uevent = (name) => 'add@/devices/' + name + '\\0ACTION=add\\0DEVPATH=/devices/' + name + '\\0SUBSYSTEM=x\\0';
sender.stdin.write(JSON.stringify({ play: ['a', 'b', 'c'].map(uevent) }) + '\\n');
`;

for (const [name, word, expected] of [
  ['with a method for faults', 'yes', '/devices/a, fault bad a, /devices/b, /devices/c'],
  ['without one it is uncaught, not an abort in C++', 'no', '/devices/a, uncaught bad a, /devices/b, /devices/c'],
] as const) {
  t.test(
    `a listener that throws goes on hearing: ${name}`,
    { skip: canUnshare ? false : 'no namespaces here' },
    (t) => {
      const ended = spawnSync('unshare', ['-Urn', process.execPath, '--input-type=module', '-e', THROWS, word], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      t.equal(ended.stderr, '');
      // Whether a fault is told before the next uevent is up to how many are read in one go.
      t.same(ended.stdout.trim().split(', ').toSorted(), expected.split(', ').toSorted());
      t.equal(ended.status, 0);
      t.end();
    },
  );
}

t.test('without the addon there is an error, and the process ends', (t) => {
  const tree = t.testdir({});
  cpSync(join(root, 'dist/agent'), join(tree, 'dist/agent'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  writeFileSync(join(tree, 'package.json'), '{"type":"module"}');
  const script = `import { openUevents } from './dist/agent/index.js';
    await openUevents({ uevent() {}, gap() {} }).catch((error) => console.log(error.code, error.message));`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: tree,
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.match(ended.stdout, /^unsupported plugd's addon .* is not built\n$/);
  t.equal(ended.status, 0, 'the socket does not keep it alive');
  t.end();
});
