/** Checks of what decides about signatures: lockdown, Secure Boot, keys. Pure: facts in, findings out. */
import { listed } from '../../base/words.ts';
import type { KeyringName } from '../../facts/kernel/keyring.ts';
import { isLockedDown } from '../../facts/kernel/lockdown.ts';
import { isUsable, type Enrolment } from '../../trust/enrolment/enrolment.ts';
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
  return { state: 'ok', summary: `${live.lockdown}: only modules signed by trusted keys load` };
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
      ? 'enforced: only modules signed by trusted keys load'
      : 'not enforced: unsigned modules load, and taint the kernel',
  };
}

/** The keys that may vouch for modules. */
export function trustedKeys({ live, vouching }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true || live.signatureEnforced === undefined) return undefined;
  const rings = live.keyrings.filter(({ name }) => name !== '.blacklist');
  const role = (name: KeyringName) => (vouching.has(name) ? '' : ' (not for modules)');
  const evidence = rings.flatMap(({ name, keys, count }) =>
    keys === undefined
      ? [`${name}${role(name)}: ${count}, which may not be read`]
      : keys.map(({ subject, id }) => `${name}${role(name)}: ${subject} (${id.slice(0, 16)})`),
  );
  const summary =
    rings.length === 0
      ? 'no keyring of certificates can be seen'
      : rings.map(({ name, keys, count }) => `${name} ${keys?.length ?? count}${role(name)}`).join(', ');
  const enforced = live.signatureEnforced || isLockedDown(live.lockdown);
  const usable = rings
    .filter(({ name }) => vouching.has(name))
    .reduce((sum, { keys, count }) => sum + (keys?.length ?? count), 0);
  if (enforced && usable === 0)
    return {
      state: 'wrong',
      summary: `signatures are enforced and no key can be seen: ${summary}`,
      evidence,
      remedy: 'look at /proc/keys as root',
    };
  return { state: 'ok', summary, evidence };
}

const BUILT_HERE: Readonly<Record<Enrolment, string>> = {
  trusted: 'load: the kernel trusts their key',
  leaving: 'load until the next boot, which removes their key',
  'not-needed': 'load: the kernel demands no signature',
  'no-key': 'would be refused: there is no key to sign them with',
  half: 'are refused: one file of their key is missing',
  unreadable: 'are refused: their certificate cannot be read',
  made: 'are refused: their key is not enrolled',
  waiting: 'are refused until their key is enrolled at the next boot',
  enrolled: 'are refused: their key is enrolled, and this kernel does not trust it',
  impossible: 'are refused: without EFI no key can be enrolled',
};

/** Whether modules that are built on this machine, by dkms and the like, will load; and the next command when not. */
export function builtHere({ live, enrolment, outOfTree }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true || enrolment === undefined) return undefined;
  const { state, next } = enrolment;
  const summary = `modules built here ${BUILT_HERE[state]}`;
  if (isUsable(state)) return { state: 'ok', summary };
  // Without such modules, nobody needs a key.
  if (state === 'no-key' && outOfTree.length === 0) return { state: 'ok', summary: `${summary} (${next})` };
  return { state: outOfTree.length === 0 ? 'warning' : 'wrong', summary, remedy: next };
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
    remedy: 'reboot, and confirm it in the MOK manager at the console',
  };
}
