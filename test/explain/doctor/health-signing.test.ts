import { KERNEL_CHECKS } from '../../../agent/explain/doctor/health-kernel.ts';
import type { HealthFacts } from '../../../agent/explain/doctor/health.ts';
import { live, WELL, testChecks, type HealthRow } from './health-rig.ts';

const secure = (change: Partial<HealthFacts['secureBoot']>) => ({ secureBoot: { ...WELL.secureBoot, ...change } });

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
];
testChecks(KERNEL_CHECKS, ROWS);
