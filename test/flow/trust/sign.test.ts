/** `plugd sign` and `strip-signature` as programs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { signatureOf } from '../../../agent/trust/module-signature.ts';
import { makeMok } from '../../../agent/trust/mok.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

const root = join(import.meta.dirname, '../../../..');
const image = moduleImage({ modinfo: ['license=GPL'] });
const mok = makeMok({ commonName: 'Flow Key' });

function rig(t: Test) {
  const folder = t.testdir({});
  const at = (name: string) => join(folder, name);
  writeFileSync(at('key'), mok.keyPem);
  writeFileSync(at('cert'), mok.certificateDer);
  writeFileSync(at('a.ko'), image);
  writeFileSync(at('b.ko.gz'), gzipSync(image));
  writeFileSync(at('text'), 'text');
  const run = (...args: string[]) => {
    const ended = spawnSync(process.execPath, [join(root, 'dist/plugd.cjs'), ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  };
  return { at, run };
}

t.test('several modules are signed, twice gives one signature, and it comes off', (t) => {
  const { at, run } = rig(t);
  for (let i = 0; i < 2; i++) {
    t.match(run('sign', '--hash', 'sha512', 'key', 'cert', 'a.ko', 'b.ko.gz'), {
      status: 0,
      stdout: 'signed 2 modules\n',
    });
  }
  t.match(signatureOf(readFileSync(at('a.ko'))), { kind: 'signature', signer: 'Flow Key', hash: 'sha512' });
  t.match(signatureOf(gunzipSync(readFileSync(at('b.ko.gz')))), { kind: 'signature', signer: 'Flow Key' });
  t.match(run('strip-signature', 'a.ko', 'b.ko.gz'), { status: 0, stdout: 'stripped 2 modules\n' });
  t.ok(readFileSync(at('a.ko')).equals(image));
  t.match(run('strip-signature', 'a.ko'), { status: 0, stdout: '1 module had no signature\n' });
  t.end();
});

t.test('a detached signature can be appended later', (t) => {
  const { at, run } = rig(t);
  t.match(run('sign', '-d', 'key', 'cert', 'a.ko'), { status: 0 });
  t.ok(readFileSync(at('a.ko')).equals(image));
  t.match(run('sign', '-s', 'a.ko.p7s', '-o', 'out.ko', 'a.ko'), { status: 0 });
  t.match(run('sign', '-p', 'key', 'cert', 'a.ko'), { status: 0 });
  t.ok(readFileSync(at('out.ko')).equals(readFileSync(at('a.ko'))));
  t.end();
});

t.test('one that fails does not keep the others from being signed', (t) => {
  const { at, run } = rig(t);
  const ended = run('sign', 'key', 'cert', 'text', 'none', 'a.ko');
  t.equal(ended.status, 1);
  t.match(ended.stderr, /^plugd: text: .*\nplugd: none: No such file or directory\n$/);
  t.equal(ended.stdout, 'signed 1 module\n');
  t.match(signatureOf(readFileSync(at('a.ko'))), { kind: 'signature' });
  t.end();
});

t.test('what cannot be used', (t) => {
  const { at, run } = rig(t);
  const CASES: ReadonlyArray<readonly [readonly string[], number, RegExp]> = [
    [['sign', 'key', 'cert'], 64, /no module given/],
    [['sign', '--hash', 'md5', 'key', 'cert', 'a.ko'], 64, /md5: not one of sha1,/],
    [['sign', 'cert', 'cert', 'a.ko'], 1, /cert: no private key in PEM/],
    [['sign', 'key', 'none', 'a.ko'], 1, /none: no such file/],
    [['sign', '-o', 'x', 'key', 'cert', 'a.ko', 'b.ko.gz'], 64, /--output is for one module/],
    [['strip-signature'], 64, /no module given/],
  ];
  for (const [args, status, words] of CASES) t.match(run(...args), { status, stderr: words }, args.join(' '));
  t.notOk(existsSync(at('x')));
  t.ok(readFileSync(at('a.ko')).equals(image));
  t.end();
});
