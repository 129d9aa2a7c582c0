import type { ModuleName } from '../../../agent/base/names.ts';
import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import type { HealthFacts } from '../../../agent/explain/doctor/health.ts';
import type { Keyring } from '../../../agent/facts/kernel/keyring.ts';
import { live, WELL, testChecks, type HealthRow } from './health-rig.ts';

const secure = (change: Partial<HealthFacts['secureBoot']>) => ({ secureBoot: { ...WELL.secureBoot, ...change } });

const ring = (name: Keyring['name'], count: number): Keyring => ({ name, count, keys: undefined });

/** A module that dkms knows. */
const BUILT: HealthFacts['outOfTree'][number] = {
  module: { name: 'a', version: '1.0' },
  modules: ['a' as ModuleName],
  readiness: 'installed',
  elsewhere: [],
};

const ROWS: readonly HealthRow[] = [
  ['lockdown', live({ lockdown: 'integrity' }), 'ok', /^integrity: only modules signed/],
  ['lockdown', live({ lockdown: undefined }), 'ok', /has no lockdown/],
  ['lockdown', { ...live({ lockdown: undefined }), securityfs: false }, 'unknown', /mount -t securityfs/],
  ['secure-boot', secure({ state: 'on' }), 'ok', /^on$/m],
  ['secure-boot', secure({ state: 'on', validationDisabled: true }), 'ok', /not to verify/],
  ['secure-boot', secure({ state: 'setup-mode' }), 'warning', /setup mode/],
  ['secure-boot', secure({ state: 'unknown' }), 'unknown', /efivarfs/],
  ['secure-boot', secure({ state: 'no-efi' }), 'ok', /not started by EFI/],
  ['sig-enforce', live({ signatureEnforced: true }), 'ok', /only modules signed/],
  ['sig-enforce', live({ signatureEnforced: undefined }), 'ok', /does not check signatures/],
  ['keyrings', {}, 'ok', /^\.builtin_trusted_keys 1\n.*Debian \(aabbccddeeff0011\)/],
  [
    'keyrings',
    live({ signatureEnforced: true, keyrings: [{ name: '.platform', count: 3, keys: undefined }] }),
    'wrong',
    /no key can be seen: \.platform 3/,
  ],
  [
    'mok-pending',
    secure({ state: 'on', mokPending: ['enroll', 'delete'] }),
    'warning',
    /enrolled and a key to be deleted/,
  ],
  ['mok-pending', secure({ state: 'no-efi' }), undefined],
  ['lockdown', {}, 'ok', /^off: unsigned modules are not refused/],
  ['lockdown', live({ moduleSupport: false }), undefined],
  ['lockdown', { live: undefined }, undefined],
  ['secure-boot', secure({ state: 'off' }), 'ok', /^off$/m],
  ['secure-boot', secure({ state: 'off', validationDisabled: true }), 'ok', /^off$/m],
  ['secure-boot', { live: undefined }, undefined],
  ['sig-enforce', {}, 'ok', /^not enforced: unsigned modules load, and taint/],
  ['sig-enforce', live({ moduleSupport: false }), undefined],
  ['keyrings', live({ moduleSupport: false }), undefined],
  ['keyrings', live({ signatureEnforced: undefined }), undefined],
  ['keyrings', live({ keyrings: [] }), 'ok', /^no keyring of certificates can be seen/],
  ['keyrings', live({ keyrings: [ring('.blacklist', 4)] }), 'ok', /^no keyring of certificates can be seen/],
  [
    'keyrings',
    live({ signatureEnforced: true, keyrings: [ring('.builtin_trusted_keys', 0), ring('.machine', 2)] }),
    'ok',
    /^\.builtin_trusted_keys 0, \.machine 2\n.*\n\.machine: 2, which may not be read/,
  ],
  ['keyrings', live({ lockdown: 'integrity', keyrings: [ring('.platform', 3)] }), 'wrong', /as root$/],
  ['keyrings', live({ lockdown: 'none', keyrings: [ring('.platform', 3)] }), 'ok', /^\.platform 3/],
  ['mok-pending', {}, 'ok', /^no enrolment waits/],
  [
    'mok-pending',
    secure({ state: 'on', mokPending: ['delete'] }),
    'warning',
    /^a key to be deleted at the next boot\nreboot/,
  ],
  ['mok-pending', { live: undefined }, undefined],
  [
    'keyrings',
    live({ keyrings: [ring('.machine', 1), ring('.platform', 3)] }),
    'ok',
    /^\.machine 1, \.platform 3 \(not for/,
  ],
  [
    'keyrings',
    { ...live({ lockdown: 'integrity', keyrings: [ring('.platform', 3)] }), vouching: new Set(['.platform'] as const) },
    'ok',
    /^\.platform 3$/m,
  ],
  ['built-here', {}, undefined],
  ['built-here', { enrolment: { state: 'trusted', next: '' }, live: undefined }, undefined],
  ['built-here', { enrolment: { state: 'trusted', next: '' } }, 'ok', /^modules built here load: the kernel trusts/],
  ['built-here', { enrolment: { state: 'not-needed', next: '' } }, 'ok', /^modules built here load: .*no signature/],
  [
    'built-here',
    { enrolment: { state: 'no-key', next: 'plugd keys generate' } },
    'ok',
    /no key .*\(plugd keys generate\)/,
  ],
  [
    'built-here',
    { enrolment: { state: 'made', next: 'plugd keys enroll' } },
    'warning',
    /refused.*\nplugd keys enroll$/,
  ],
  [
    'built-here',
    { enrolment: { state: 'no-key', next: 'plugd keys generate' }, outOfTree: [BUILT] },
    'wrong',
    /no key.*\nplugd keys generate$/,
  ],
];
testChecks(KERNEL_CHECKS, ROWS);
