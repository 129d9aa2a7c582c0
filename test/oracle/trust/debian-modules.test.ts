/** The signatures of Debian's modules: thousands, by Debian's own keys, which are in the images of its kernels; openssl judges some. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { findModules } from '../../../agent/depmod/module-search.ts';
import { readKernelCertificates } from '../../../agent/trust/known-certificates.ts';
import { signatureOf } from '../../../agent/trust/module-signature.ts';
import { Verification } from '../../../agent/trust/verification.ts';
import { debianSuiteTree, debianTree, needCommands } from '../../fixtures/debian.ts';

t.setTimeout(600_000);

const FACTS = { keyrings: [], vouching: new Set(['.builtin_trusted_keys'] as const) };
const openssl = await needCommands(['openssl']);

const tree = await debianTree('amd64');
t.test(
  'every module of Debian 12 is valid, and of a key that its kernel has',
  { skip: tree.kind === 'missing' },
  async (t) => {
    if (tree.kind === 'missing') return;
    const host = openHost({ root: tree.root, kernel: tree.kernel });
    const verification = new Verification(host, FACTS);
    const modules = findModules(host, () => undefined);
    t.ok(modules.length > 3_000, `${modules.length} modules`);
    const wrong: string[] = [];
    for (const { path } of modules) {
      const { state, verifier } = await verification.verify(path);
      if (state !== 'valid' || verifier?.trust.kind !== 'trusted') wrong.push(`${path}: ${state}`);
    }
    t.same(wrong, []);
  },
);

t.test('a byte that was changed is noticed', { skip: tree.kind === 'missing' }, async (t) => {
  if (tree.kind === 'missing') return;
  const folder = t.testdir({});
  const host = openHost({ root: tree.root, kernel: tree.kernel });
  const verification = new Verification(host, FACTS);
  const image = readFileSync(join(tree.root, 'lib/modules', tree.kernel, 'kernel/drivers/net/dummy.ko'));
  for (const at of [64, 1000, Math.floor(image.length / 2)]) {
    const copy = Buffer.from(image);
    copy[at] = (copy[at] ?? 0) ^ 1;
    const path = join(folder, `${at}.ko`);
    writeFileSync(path, copy);
    // The file's own form may suffer, too; it is never valid.
    t.match((await verification.verify(path)).state, /tampered|unreadable/, `byte ${at}`);
  }
});

t.test('openssl says the same of some', { skip: tree.kind === 'missing' || openssl.kind === 'missing' }, async (t) => {
  if (tree.kind === 'missing') return;
  const folder = t.testdir({});
  const host = openHost({ root: tree.root, kernel: tree.kernel });
  const run = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const pem = readKernelCertificates(host)
    .map(
      ({ certificate }) =>
        `-----BEGIN CERTIFICATE-----\n${certificate.der.toString('base64')}\n-----END CERTIFICATE-----\n`,
    )
    .join('');
  writeFileSync(join(folder, 'certificates.pem'), pem.replaceAll(/[^\n]{76}(?=[^\n])/g, '$&\n'));
  for (const name of ['drivers/net/dummy', 'lib/crc16', 'fs/ext4/ext4']) {
    const image = readFileSync(join(tree.root, 'lib/modules', tree.kernel, `kernel/${name}.ko`));
    const found = signatureOf(image);
    const start = image.length - (found?.length ?? 0);
    writeFileSync(join(folder, 'contents'), image.subarray(0, start));
    writeFileSync(join(folder, 'cms'), image.subarray(start, image.length - 40));
    run(
      'cms',
      '-verify',
      '-binary',
      '-noverify',
      '-inform',
      'DER',
      '-in',
      'cms',
      '-content',
      'contents',
      '-certfile',
      'certificates.pem',
      '-out',
      'out',
    );
    t.ok(readFileSync(join(folder, 'out')).equals(image.subarray(0, start)), name);
  }
});

const sid = await debianSuiteTree('trixie');
t.test('compressed modules of Debian 13, whose key is EC', { skip: sid.kind === 'missing' }, async (t) => {
  if (sid.kind === 'missing') return;
  const host = openHost({ root: sid.root, kernel: sid.kernel });
  const verification = new Verification(host, FACTS);
  const modules = findModules(host, () => undefined).filter((_, i) => i % 20 === 0);
  const verdicts = await Promise.all(modules.map(async ({ path }) => verification.verify(path)));
  t.ok(verdicts.length > 100, `${verdicts.length} modules`);
  t.same(
    verdicts.filter(({ state }) => state !== 'valid').map(({ path, state }) => `${path}: ${state}`),
    [],
  );
  t.same([...new Set(verdicts.map(({ algorithm }) => algorithm))], ['ECDSA']);
});
