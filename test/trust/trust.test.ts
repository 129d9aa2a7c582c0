import t from 'tap';
import type { Keyring, KeyringName } from '../../agent/facts/kernel/keyring.ts';
import { parseCertificate, type Certificate } from '../../agent/trust/certificate.ts';
import type { CertificateSource } from '../../agent/trust/known-certificates.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { kernelId, trustOf, type Trust } from '../../agent/trust/trust.ts';

const certificate = parseCertificate(makeMok().certificateDer) as Certificate;
const mainline = new Set<KeyringName>(['.builtin_trusted_keys', '.secondary_trusted_keys', '.machine']);
const debian = new Set<KeyringName>([...mainline, '.platform']);
const key = { subject: 'x', id: kernelId(certificate), type: 'X509.rsa' };
const stranger = { ...key, id: 'ab'.repeat(20) };
const ring = (name: KeyringName, keys: Keyring['keys']): Keyring => ({ name, count: keys?.length ?? 1, keys });

const CASES: Readonly<
  Record<
    string,
    readonly [readonly CertificateSource[], readonly Keyring[], ReadonlySet<KeyringName>, Trust['kind'], RegExp?]
  >
> = {
  'in a ring that vouches': [['file'], [ring('.machine', [key])], mainline, 'trusted', /^\.machine$/],
  'in a ring that does not': [
    ['firmware'],
    [ring('.builtin_trusted_keys', [stranger]), ring('.platform', [key])],
    mainline,
    'untrusted',
    /in \.platform/,
  ],
  'the same on a kernel that takes it': [
    ['firmware'],
    [ring('.builtin_trusted_keys', [stranger]), ring('.platform', [key])],
    debian,
    'trusted',
    /^\.platform$/,
  ],
  'in no ring, whatever its source': [
    ['mok'],
    [ring('.builtin_trusted_keys', [stranger])],
    mainline,
    'untrusted',
    /does not have it/,
  ],
  'rings that cannot be read: its source tells': [
    ['mok'],
    [ring('.machine', undefined)],
    mainline,
    'trusted',
    /^\.machine$/,
  ],
  'no rings: built into the kernel': [['file', 'kernel'], [], mainline, 'trusted', /^\.builtin/],
  "no rings: the firmware's": [['firmware'], [], mainline, 'untrusted', /in \.platform/],
  "no rings: the firmware's, on a kernel that takes them": [['firmware'], [], debian, 'trusted', /^\.platform$/],
  'no rings: a file': [['file'], [], mainline, 'unknown', /cannot be read/],
  'in the ring of what is revoked': [
    ['file'],
    [ring('.builtin_trusted_keys', [stranger]), ring('.blacklist', [key])],
    mainline,
    'untrusted',
    /\.blacklist/,
  ],
};
for (const [rule, [sources, keyrings, vouching, kind, words]] of Object.entries(CASES)) {
  t.test(rule, (t) => {
    const trust = trustOf(certificate, sources, { keyrings, vouching });
    t.equal(trust.kind, kind);
    t.match(trust.kind === 'trusted' ? trust.ring : trust.why, words ?? /./);
    t.end();
  });
}

t.test('without a subject key identifier the kernel names a key by its serial number', (t) => {
  const bare = { ...certificate, keyIdentifier: undefined, serialNumber: Buffer.from('00ab', 'hex') };
  const keyrings = [ring('.machine', [{ ...key, id: 'ab' }])];
  t.match(trustOf(bare, [], { keyrings, vouching: mainline }), { kind: 'trusted' });
  t.end();
});
