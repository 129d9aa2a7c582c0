import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { inChroot } from '../../../agent/dkms/build/chroot.ts';
import { prepareSigning, type SigningRequest } from '../../../agent/dkms/build/signing.ts';
import type { BuildMessage } from '../../../agent/records/dkms/build-message.ts';
import { buildText } from '../../../agent/report/dkms/build-text.ts';
import { makeMok } from '../../../agent/trust/mok.ts';
import { stripSignature } from '../../../agent/trust/module-signature.ts';
import { K, moduleFor } from './build-rig.ts';

const NOTHING = { signFile: '', mokSigningKey: '', mokCertificate: '', trySignModules: 'true' } as const;

/** What prepareSigning tells on a made-up machine, with its folder as `/T`, and the folder. */
async function prologue(
  t: { testdir(files: { dkms: Record<string, never>; config: string }): string },
  change: (home: string, request: SigningRequest) => Partial<SigningRequest>,
) {
  const home = realpathSync(t.testdir({ dkms: {}, config: 'CONFIG_MODULE_SIG_HASH="sha256"\n' }));
  const told: BuildMessage[] = [];
  const request: SigningRequest = {
    kernel: { release: K, sourceDir: `${home}/modules/${K}/build`, config: `${home}/config` },
    framework: NOTHING,
    distribution: 'debian',
    trees: { dkmsTree: `${home}/dkms`, sourceTree: `${home}/src`, installTree: `${home}/modules` },
    tell: (message) => told.push(message),
    env: { PATH: '/usr/bin:/bin' },
    chroot: false,
  };
  const signer = await prepareSigning({ ...request, ...change(home, request) });
  const text = told
    .map((message) => buildText(message).text)
    .join('')
    .replaceAll(home, '/T');
  return { home, signer, text };
}

const COMMAND = `Sign command: /T/modules/${K}/build/scripts/sign-file\n`;
const PAIR = 'Signing key: /T/dkms/mok.key\nPublic certificate (MOK): /T/dkms/mok.pub\n';
const GENERATING = 'Certificate or key are missing, generating self signed certificate for MOK...\n';

t.test('what is told before the first build', async (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, change: Parameters<typeof prologue>[1], text: string, signs: boolean]
  > = [
    ['a first build makes a pair', () => ({}), `${COMMAND}${PAIR}${GENERATING}\n`, true],
    [
      'never, if the administrator says so',
      () => ({ framework: { ...NOTHING, trySignModules: 'false' } }),
      "Module signing is disabled by policy, modules won't be signed\n\n",
      false,
    ],
    [
      'not in a chroot',
      () => ({ framework: { ...NOTHING, trySignModules: 'not_in_chroot' }, chroot: true }),
      "Running in chroot, modules won't be signed\n\n",
      false,
    ],
    ['in a chroot, if the administrator says so', () => ({ chroot: true }), `${COMMAND}${PAIR}${GENERATING}\n`, true],
    [
      'no configuration',
      (home, { kernel }) => ({ kernel: { ...kernel, config: `${home}/nosuch` } }),
      "Kernel config /T/nosuch not found, modules won't be signed\n\n",
      false,
    ],
    [
      'a kernel that knows no signatures',
      (home) => {
        writeFileSync(`${home}/config`, 'CONFIG_X=y\n');
        return {};
      },
      "The kernel is built without module signing facility, modules won't be signed\n\n",
      false,
    ],
    [
      'a program that the administrator named and that is not there',
      () => ({ framework: { ...NOTHING, signFile: '/no/such/file' } }),
      "Sign command: /no/such/file\nBinary /no/such/file not found, modules won't be signed\n\n",
      false,
    ],
    [
      'no folder for the key',
      () => ({ framework: { ...NOTHING, mokSigningKey: '/no/such/path.key' } }),
      `${COMMAND}Signing key: /no/such/path.key\nPublic certificate (MOK): /T/dkms/mok.pub\n` +
        "Key file /no/such/path.key not found and can't be generated, modules won't be signed\n\n",
      false,
    ],
    [
      'no folder for the certificate',
      () => ({ framework: { ...NOTHING, mokCertificate: '/no/such/path.crt' } }),
      `${COMMAND}Signing key: /T/dkms/mok.key\nPublic certificate (MOK): /no/such/path.crt\n` +
        "Certificate file /no/such/path.crt not found and can't be generated, modules won't be signed\n\n",
      false,
    ],
    [
      'a token',
      () => ({ framework: { ...NOTHING, mokSigningKey: 'pkcs11:token=x' } }),
      `${COMMAND}Signing key: pkcs11:token=x\nPublic certificate (MOK): /T/dkms/mok.pub\n\n`,
      true,
    ],
    [
      "Ubuntu without the program that makes shim's key",
      () => ({ distribution: 'ubuntu', env: { PATH: '/nowhere' } }),
      `${COMMAND}Signing key: /var/lib/shim-signed/mok/MOK.priv\nPublic certificate (MOK): /var/lib/shim-signed/mok/MOK.der\n` +
        "Binary update-secureboot-policy not found, modules won't be signed\n\n",
      false,
    ],
  ];
  for (const [rule, change, text, signs] of rows) {
    await t.test(rule, async (t) => {
      const { signer, text: shown } = await prologue(t, change);
      t.equal(shown, text);
      t.equal(signer !== undefined, signs);
    });
  }
});

t.test('a key without its certificate is left alone', async (t) => {
  const { keyPem } = makeMok();
  const { home, text, signer } = await prologue(t, (home) => {
    writeFileSync(`${home}/dkms/mok.key`, keyPem);
    return {};
  });
  t.equal(
    text,
    `${COMMAND}${PAIR}Certificate file /T/dkms/mok.pub not found and can't be generated, modules won't be signed\n\n`,
  );
  t.equal(signer, undefined);
  t.equal(readFileSync(`${home}/dkms/mok.key`, 'utf8'), keyPem);
  t.notOk(existsSync(`${home}/dkms/mok.pub`));
});

t.test('a certificate whose key is lost is put aside, and that is told', async (t) => {
  const { home, text } = await prologue(t, (home) => {
    writeFileSync(`${home}/dkms/mok.pub`, 'old');
    return {};
  });
  t.match(text, 'Warning: /T/dkms/mok.key is gone');
  t.equal(readFileSync(`${home}/dkms/mok.pub.old`, 'utf8'), 'old');
  t.ok(existsSync(`${home}/dkms/mok.key`));
});

t.test('the signer', async (t) => {
  const { home, signer } = await prologue(t, () => ({}));
  t.same(signer?.places, { key: `${home}/dkms/mok.key`, certificate: `${home}/dkms/mok.pub` });
  const file = join(home, 'm.ko');
  writeFileSync(file, moduleFor(K), { mode: 0o644 });
  t.same(await signer?.sign(file), { kind: 'signed' });
  t.same(stripSignature(readFileSync(file)).image, moduleFor(K), 'a signature is appended');
  t.equal(statSync(file).mode & 0o777, 0o644);
  rmSync(`${home}/dkms/mok.key`);
  writeFileSync(file, moduleFor(K));
  t.match(await signer?.sign(file), { kind: 'failed', output: /mok\.key: no such file/ });
  t.same(readFileSync(file), moduleFor(K), 'a module that cannot be signed stays as it is');
});

t.test('a program that the administrator named is called as sign-file', async (t) => {
  const { home, signer } = await prologue(t, (home) => {
    writeFileSync(`${home}/sign`, '#!/bin/sh\necho "$@" >> "$4"\n', { mode: 0o755 });
    return { framework: { ...NOTHING, signFile: `${home}/sign` } };
  });
  const file = join(home, 'm.ko');
  writeFileSync(file, '');
  await signer?.sign(file);
  t.equal(readFileSync(file, 'utf8').replaceAll(home, '/T'), 'sha256 /T/dkms/mok.key /T/dkms/mok.pub /T/m.ko\n');
});

t.test('a chroot', async (t) => {
  const home = realpathSync(
    t.testdir({
      p: { 1: { mountinfo: 'a\n' }, self: { mountinfo: 'a\n' } },
      q: { 1: { mountinfo: 'a\n' }, self: { mountinfo: 'b\n' } },
      none: {},
    }),
  );
  symlinkSync(home, `${home}/p/1/root`);
  t.notOk(inChroot(`${home}/p`, home), 'the root of process 1');
  t.ok(inChroot(`${home}/p`, dirname(home)), 'another root');
  t.ok(inChroot(`${home}/q`, home), 'other mounts');
  t.ok(inChroot(`${home}/none`, home), 'no /proc');
  mkdirSync(`${home}/none/self`);
  t.notOk(inChroot(`${home}/none`, home), 'a /proc that hides process 1');
});
