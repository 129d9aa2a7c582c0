/** `plugd verify` as a program, on a tree that is made up. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { signModule } from '../../../agent/trust/module-signature.ts';
import { makeMok } from '../../../agent/trust/mok.ts';
import { fits, plugd } from '../../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

t.setTimeout(600_000);
const image = moduleImage({ modinfo: ['license=GPL'] });
const [kernel, stranger] = [makeMok({ commonName: 'Kernel key' }), makeMok({ commonName: 'Stranger' })];
const signed = ({ keyPem, certificateDer }: typeof kernel) =>
  signModule(image, { key: createPrivateKey(keyPem), certificate: certificateDer, hash: 'sha256' });

function rig(t: Test) {
  const base = t.testdir({});
  const put = (name: string, bytes: string | Buffer) => {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), bytes);
  };
  put('root/boot/vmlinuz-1', Buffer.concat([Buffer.from('Kernel panic - not syncing'), kernel.certificateDer]));
  for (const name of ['a', 'b']) put(`root/lib/modules/1/kernel/${name}.ko`, signed(kernel));
  put('stranger.der', stranger.certificateDer);
  put('stranger.ko', signed(stranger));
  const run = (...args: string[]) => {
    const words = ['verify', '--root', 'root', '--kernel', '1', '--sysfs', base, ...args];
    const ended = spawnSync(process.execPath, [plugd, ...words], {
      cwd: base,
      encoding: 'utf8',
      env: { ...process.env, COLUMNS: '80' },
    });
    return { status: ended.status, stdout: ended.stdout.replaceAll(base, ''), stderr: ended.stderr };
  };
  return { put, run };
}

t.test('a tree', (t) => {
  const { put, run } = rig(t);
  const good = run('--all');
  t.equal(good.status, 0);
  t.match(
    good.stdout,
    /^MODULES +SIGNER +KEY ID +KIND +VALID +TRUSTED\n +2 +Kernel key +[0-9a-f]{12} +RSA sha256 +all +built in\n$/,
  );
  put('root/lib/modules/1/extra/none.ko', image);
  put('root/lib/modules/1/extra/other.ko', signed(stranger));
  const changed = signed(kernel);
  changed[100] = (changed[100] ?? 0) ^ 1;
  put('root/lib/modules/1/extra/changed.ko', changed);
  const bad = run('--all');
  t.equal(bad.status, 1);
  t.match(bad.stdout, / 3 {2}Kernel key .* 2 {2}built in\n/);
  t.match(bad.stdout, / 1 {2}Stranger .* 0 {2}no certificate\n/);
  t.match(bad.stdout, /\n1 module unsigned:\n {2}extra\/none\.ko\n/);
  t.match(bad.stdout, /\n1 module changed after they were signed:\n {2}extra\/changed\.ko\n/);
  t.same(
    bad.stdout.split('\n').filter((line) => line.length > 80),
    [],
  );
  const answer = JSON.parse(run('--all', '--json').stdout) as {
    modules: ReadonlyArray<{ path: string; state: string }>;
  };
  fits(t, 'verify', answer);
  t.same(
    answer.modules.map(({ path, state }) => `${path} ${state}`),
    [
      'extra/changed.ko tampered',
      'extra/none.ko unsigned',
      'extra/other.ko unknown-key',
      'kernel/a.ko valid',
      'kernel/b.ko valid',
    ],
  );
  t.end();
});

t.test('modules by name and file, and with a certificate', (t) => {
  const { run } = rig(t);
  t.match(run('a'), { status: 0, stdout: /kernel\/a\.ko:\n? +valid; its key is trusted/ });
  t.match(run('stranger.ko'), {
    status: 1,
    stdout:
      /^stranger\.ko: not verified: no certificate of its key is at hand\n {4}signed by 'Stranger', RSA with sha256\n/,
  });
  t.match(run('--cert', 'stranger.der', 'stranger.ko'), { status: 0, stdout: /certificate of stranger\.der/ });
  t.match(run('--cert', 'stranger.der', 'a'), { status: 1 });
  t.end();
});

t.test('what cannot be asked', (t) => {
  const { run } = rig(t);
  t.match(run(), { status: 64, stderr: /no module given/ });
  t.match(run('--all', 'a'), { status: 64, stderr: /not both/ });
  t.match(run('nothing'), { status: 1, stderr: /no module nothing in / });
  t.match(run('--cert', 'stranger.ko', 'a'), { status: 1, stderr: /stranger\.ko: neither a certificate/ });
  t.end();
});
