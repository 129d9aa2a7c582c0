/** Builds that try what they should not, with the walls that this machine allows. */
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openSandbox } from '../../../../agent/dkms/build/sandbox/sandbox.ts';
import { readText } from '../../../../agent/facts/attribute.ts';
import type { DkmsConf } from '../../../../agent/dkms/conf/dkms-conf.ts';
import type { Wall } from '../../../../agent/records/dkms/build-message.ts';
import { BuildRig } from '../build-rig.ts';

const sandbox = await openSandbox({ entered: ['/'] });

/** Why a test cannot be: this machine, or the container that it is, does not allow a wall. */
function lacks(...walls: readonly Wall[]): string | false {
  const missing = sandbox.missing.filter(({ wall }) => walls.includes(wall));
  return missing.length > 0 && missing.map(({ wall, why }) => `${wall}: ${why}`).join('; ');
}

function rig(t: Test): BuildRig {
  const made = new BuildRig(t);
  chmodSync(made.home, 0o755);
  return made;
}

async function build(
  made: BuildRig,
  make: string,
  conf: Partial<DkmsConf> = {},
): Promise<{ readonly kind: string; readonly log: string }> {
  const outcome = await made.build({ sandbox: async () => sandbox }, { make, ...conf });
  const log = outcome.kind === 'built' ? `${made.paths.result}/log/make.log` : made.paths.log;
  return { kind: outcome.kind, log: readFileSync(log, 'utf8') };
}

t.test('an ordinary build', { skip: lacks('files') }, async (t) => {
  const made = rig(t);
  const { kind, log } = await build(
    made,
    'make -C ../../../../modules/K/build M=$PWD && cp m.ko ok && echo $TMPDIR && rm $(mktemp)',
  );
  t.equal(kind, 'built', log);
  const module = statSync(`${made.paths.result}/module/m.ko`);
  t.equal(module.uid, process.geteuid?.(), 'the result is the own one of who builds');
  t.match(log, /^\/tmp$/m);
});

t.test('the network is away', { skip: lacks('network') }, async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const { kind, log } = await build(rig(t), `exec 3<>/dev/tcp/127.0.0.1/${port} && cp prepared m.ko`);
  t.equal(kind, 'stopped');
  t.match(log, /Network is unreachable|Connection refused|Cannot assign/);
  t.equal((await build(rig(t), 'ls /sys/class/net /proc/net/dev; cp prepared m.ko')).kind, 'built', 'the rest goes on');
});

t.test('other folders are read-only', { skip: lacks('files') }, async (t) => {
  const outside = mkdtempSync('/var/tmp/plugd-outside-');
  chmodSync(outside, 0o777);
  t.teardown(() => rmSync(outside, { recursive: true }));
  const made = rig(t);
  const { kind, log } = await build(made, `echo x > ${outside}/written; cp prepared m.ko`);
  t.equal(kind, 'built');
  t.match(log, /Read-only file system/);
  t.notOk(existsSync(`${outside}/written`));
  for (const way of [
    `mount -o remount,bind,rw /`,
    `umount ${made.paths.build}`,
    'mknod x b 254 0',
    'nsenter -t 1 -m true',
  ])
    t.equal((await build(rig(t), `${way} && cp prepared m.ko`)).kind, 'stopped', way);
});

t.test('a daemon ends with the build, however it hides', { skip: lacks('processes') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-daemon-'));
  chmodSync(folder, 0o777);
  t.teardown(() => rmSync(folder, { recursive: true }));
  // It has a session of its own and an empty environment: nothing but the namespace knows it.
  const daemon = `setsid env -i /bin/sh -c 'echo begun > ${folder}/begun; while :; do sleep 0.05; echo x >> ${folder}/alive; done' >/dev/null 2>&1 &`;
  const { kind, log } = await build(
    rig(t),
    `${daemon} while [ ! -e ${folder}/alive ]; do sleep 0.02; done; cp prepared m.ko`,
  );
  t.equal(kind, 'built', log);
  const alive = readdirSync('/proc').filter((pid) => (readText(`/proc/${pid}/cmdline`) ?? '').includes(folder));
  t.same(alive, [], 'no process is left');
  t.match(
    (await build(rig(t), 'ls -d /proc/[0-9]* | wc -l; cp prepared m.ko')).log,
    /^\d\n/m,
    'it sees its own processes only',
  );
});

t.test('it waits for nobody at a terminal', { skip: lacks('processes') }, async (t) => {
  const { kind, log } = await build(
    rig(t),
    'read answer; echo "status $?"; (read x < /dev/tty) 2>&1; cp prepared m.ko',
  );
  t.equal(kind, 'built');
  t.match(log, /^status 1$/m, 'stdin is at its end');
  t.match(log, /\/dev\/tty: No such device/);
});

t.test(
  'root builds as another user',
  { skip: process.geteuid?.() === 0 ? lacks('user', 'files') : 'not root' },
  async (t) => {
    const made = rig(t);
    made.write(
      'src/m-1.0/post.sh',
      '#!/bin/sh\nid -u > ../$kernelver-uid 2>/dev/null; id -u; cp m.ko ../6.1.0-56-amd64/x86_64/extra\n',
    );
    const { kind, log } = await build(
      made,
      'id -u; grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status; cat /etc/shadow; cp prepared m.ko',
      {
        postBuild: 'post.sh',
      },
    );
    t.equal(kind, 'built', log);
    t.match(log, new RegExp(`^${sandbox.user?.uid}$`, 'm'));
    t.match(log, /^CapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1$/m, 'without any capability');
    t.match(log, /\/etc\/shadow: Permission denied/);
    t.ok(existsSync(`${made.paths.result}/extra`), 'POST_BUILD may put files beside the modules');
    t.equal(lstatSync(`${made.paths.result}/extra`).uid, 0);
  },
);

t.test('what is missing is said', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-closed-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const closed = await openSandbox({ entered: [folder], root: true });
  if (process.geteuid?.() === 0) t.match(closed.missing, [{ wall: 'user', why: `nobody cannot enter ${folder}` }]);
  const nothing = await openSandbox({ entered: [], root: true, env: { PATH: '/nowhere' } });
  t.same(nothing.missing.map(({ wall }) => wall).toSorted(), ['files', 'network', 'processes', 'user']);
  t.match(nothing.missing[0]?.why, /unshare: /);
  t.same(nothing.words([folder], 'user'), [], 'and the command runs without walls');
});
