import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { signingPlaces, type SigningSearch } from '../../../agent/dkms/build/signing-places.ts';
import { K } from './build-rig.ts';

const NOTHING = { signFile: '', mokSigningKey: '', mokCertificate: '', trySignModules: 'true' } as const;
const SEARCH: SigningSearch = {
  kernel: { release: K, sourceDir: '/linux' },
  framework: NOTHING,
  distribution: 'arch',
  trees: { dkmsTree: '/var/lib/dkms', sourceTree: '/usr/src', installTree: '/lib/modules' },
  config: '',
  env: {},
};
const OWN = { key: '/var/lib/dkms/mok.key', certificate: '/var/lib/dkms/mok.pub', shim: false };
const SHIM = { key: '/var/lib/shim-signed/mok/MOK.priv', certificate: '/var/lib/shim-signed/mok/MOK.der', shim: true };
const GENTOO = { distribution: 'gentoo', config: 'CONFIG_MODULE_SIG_KEY="certs/signing_key.pem"\n' };
const IN_KERNEL = { key: '/linux/certs/signing_key.pem', certificate: '/linux/certs/signing_key.pem', shim: false };

t.test('the key and its certificate', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, change: Partial<SigningSearch>, expected: object]> = [
    ["dkms's own pair", {}, OWN],
    [
      'in another tree',
      { trees: { ...SEARCH.trees, dkmsTree: '/d' } },
      { key: '/d/mok.key', certificate: '/d/mok.pub' },
    ],
    [
      'what framework.conf names',
      { framework: { ...NOTHING, mokSigningKey: '/k', mokCertificate: '/c' } },
      { key: '/k', certificate: '/c' },
    ],
    [
      'one of both',
      { framework: { ...NOTHING, mokSigningKey: 'pkcs11:x' } },
      { key: 'pkcs11:x', certificate: OWN.certificate },
    ],
    ["Ubuntu's", { distribution: 'ubuntu' }, SHIM],
    [
      "Ubuntu's key with another certificate",
      { distribution: 'ubuntu', framework: { ...NOTHING, mokCertificate: '/c' } },
      { key: SHIM.key, shim: false },
    ],
    ["Gentoo's kernel has a key of its own", GENTOO, IN_KERNEL],
    [
      'a path that is absolute',
      { ...GENTOO, config: 'CONFIG_MODULE_SIG_KEY="/k.pem"\n' },
      { key: '/k.pem', certificate: '/k.pem' },
    ],
    ["Portage's variables win", { ...GENTOO, env: { MODULES_SIGN_KEY: '/k' } }, { key: '/k', certificate: '/k' }],
    [
      'both of them',
      { ...GENTOO, env: { MODULES_SIGN_KEY: '/k', MODULES_SIGN_CERT: '/c' } },
      { key: '/k', certificate: '/c' },
    ],
    ['Gentoo without a key', { distribution: 'gentoo' }, OWN],
    ["another distribution does not use the kernel's", { config: GENTOO.config }, OWN],
  ];
  for (const [rule, change, expected] of rows) t.match(signingPlaces({ ...SEARCH, ...change }), expected, rule);
});

t.test('the program', async (t) => {
  const home = t.testdir({});
  const program = (path: string) => {
    mkdirSync(dirname(`${home}/${path}`), { recursive: true });
    writeFileSync(`${home}/${path}`, '', { mode: 0o755 });
    return `${home}/${path}`;
  };
  const inHeaders = `/lib/modules/${K}/build/scripts/sign-file`;
  // No machine has these places of a kernel that was never released.
  const kernel = { release: '0.0.0-nosuch', sourceDir: '/linux' };
  for (const distribution of ['debian', 'ubuntu', 'gentoo', 'arch', ''])
    t.equal(
      signingPlaces({ ...SEARCH, kernel, distribution }).program,
      '/lib/modules/0.0.0-nosuch/build/scripts/sign-file',
      `${distribution}: in the headers`,
    );
  t.equal(signingPlaces({ ...SEARCH, framework: { ...NOTHING, signFile: '/s' } }).program, '/s', 'framework.conf wins');
  program('bin/kmodsign');
  t.equal(
    signingPlaces({ ...SEARCH, distribution: 'ubuntu', env: { PATH: '/nowhere' } }).program,
    inHeaders,
    'kmodsign is not in the path',
  );
});
