/** Checks of what decides about signatures: lockdown, Secure Boot, keys. Pure: facts in, findings out. */
import { listed } from '../../base/words.ts';
import type { Finding, HealthFacts } from './health.ts';

/** How far the kernel protects itself from root. */
export function lockdown({ live, securityfs }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true) return undefined;
  if (live.lockdown === undefined) {
    return securityfs
      ? { state: 'ok', summary: 'this kernel has no lockdown' }
      : {
          state: 'unknown',
          summary: 'securityfs is not mounted',
          remedy: 'mount -t securityfs none /sys/kernel/security',
        };
  }
  if (live.lockdown === 'none') return { state: 'ok', summary: 'off: unsigned modules are not refused for it' };
  return { state: 'ok', summary: `${live.lockdown}: only modules signed with a trusted key load` };
}

/** What the firmware and shim report. */
export function secureBootState({ live, secureBoot }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  const { state, validationDisabled } = secureBoot;
  if (state === 'on' && validationDisabled)
    return { state: 'ok', summary: 'on, but shim was told not to verify (mokutil --disable-validation)' };
  if (state === 'on') return { state: 'ok', summary: 'on' };
  if (state === 'setup-mode')
    return {
      state: 'warning',
      summary: 'setup mode: no platform key is enrolled',
      remedy: "enrol keys in the firmware's setup",
    };
  if (state === 'unknown')
    return {
      state: 'unknown',
      summary: 'the EFI variables cannot be read',
      remedy: 'mount -t efivarfs none /sys/firmware/efi/efivars',
    };
  return { state: 'ok', summary: state === 'off' ? 'off' : 'not started by EFI' };
}

/** Whether unsigned modules load. */
export function signatures({ live }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true) return undefined;
  if (live.signatureEnforced === undefined) return { state: 'ok', summary: 'this kernel does not check signatures' };
  return {
    state: 'ok',
    summary: live.signatureEnforced
      ? 'enforced: only modules signed with a trusted key load'
      : 'not enforced: unsigned modules load, and taint the kernel',
  };
}

/** The keys that may vouch for modules. */
export function trustedKeys({ live }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true || live.signatureEnforced === undefined) return undefined;
  const rings = live.keyrings.filter(({ name }) => name !== '.blacklist');
  const evidence = rings.flatMap(({ name, keys, count }) =>
    keys === undefined
      ? [`${name}: ${count}, which may not be read`]
      : keys.map(({ subject, id }) => `${name}: ${subject} (${id.slice(0, 16)})`),
  );
  const summary =
    rings.length === 0
      ? 'no keyring of certificates can be seen'
      : rings.map(({ name, keys, count }) => `${name} ${keys?.length ?? count}`).join(', ');
  const enforced = live.signatureEnforced || (live.lockdown !== undefined && live.lockdown !== 'none');
  const vouching = rings
    .filter(({ name }) => name !== '.platform')
    .reduce((sum, { keys, count }) => sum + (keys?.length ?? count), 0);
  if (enforced && vouching === 0)
    return {
      state: 'wrong',
      summary: `signatures are enforced and no key can be seen: ${summary}`,
      evidence,
      remedy: 'look at /proc/keys as root',
    };
  return { state: 'ok', summary, evidence };
}

/** Machine owner keys that wait for a reboot. */
export function pendingOwnerKeys({ live, secureBoot }: HealthFacts): Finding | undefined {
  if (live === undefined || secureBoot.state === 'no-efi') return undefined;
  if (secureBoot.mokPending.length === 0) return { state: 'ok', summary: 'no enrolment waits for a reboot' };
  const what = listed(
    secureBoot.mokPending.map((kind) => (kind === 'enroll' ? 'a key to be enrolled' : 'a key to be deleted')),
  );
  return {
    state: 'warning',
    summary: `${what} at the next boot`,
    remedy: 'reboot and confirm it in the MOK manager; until then its modules are refused',
  };
}
