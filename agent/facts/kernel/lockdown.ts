/** Lockdown, signature enforcement and Secure Boot, as the kernel and the firmware report them. Reads only. */
import type { Host } from '../../base/host.ts';
import { readAttribute } from '../attribute.ts';
import { efiPresence, efiVariableNames, readEfiVariable } from '../efi/efi-variables.ts';

/** How far the kernel protects itself from root (kernel_lockdown(7)); from `integrity` on it refuses unsigned modules. */
export type Lockdown = 'none' | 'integrity' | 'confidentiality';

/** /sys/kernel/security/lockdown (`none [integrity] confidentiality`); undefined where the kernel has no lockdown, or securityfs is not mounted. */
export function readLockdown(host: Host): Lockdown | undefined {
  const mode = /\[(\w+)\]/.exec(readAttribute(`${host.sysfs}/kernel/security/lockdown`) ?? '')?.[1];
  return mode === 'none' || mode === 'integrity' || mode === 'confidentiality' ? mode : undefined;
}

/** Whether a kernel in this lockdown refuses unsigned modules; false where the lockdown is not known. */
export function isLockedDown(lockdown: Lockdown | undefined): boolean {
  return lockdown !== undefined && lockdown !== 'none';
}

/** Whether only signed modules load, /sys/module/module/parameters/sig_enforce; undefined for a kernel that verifies no signatures. */
export function readSignatureEnforcement(host: Host): boolean | undefined {
  const value = readAttribute(`${host.sysfs}/module/module/parameters/sig_enforce`);
  return value === undefined ? undefined : value === 'Y' || value === '1';
}

/** What the firmware and shim say about Secure Boot. */
export interface SecureBoot {
  /** `no-efi`: not started by EFI. `unknown`: EFI, but its variables cannot be read. */
  readonly state: 'on' | 'off' | 'setup-mode' | 'no-efi' | 'unknown';
  /** Shim was told not to verify (mokutil --disable-validation). */
  readonly validationDisabled: boolean;
  /** A key waits for the next boot to be enrolled or deleted: `enroll`, `delete`. */
  readonly mokPending: ReadonlyArray<'enroll' | 'delete'>;
}

/** Secure Boot's state from the EFI variables; those that are read here are one byte: 1 is on. */
export function readSecureBoot(host: Host): SecureBoot {
  const secure = readEfiVariable(host, 'global', 'SecureBoot')?.[0];
  const state =
    efiPresence(host) === 'none'
      ? 'no-efi'
      : readEfiVariable(host, 'global', 'SetupMode')?.[0] === 1
        ? 'setup-mode'
        : secure === undefined
          ? 'unknown'
          : secure === 1
            ? 'on'
            : 'off';
  const pending = efiVariableNames(host, 'shim');
  return {
    state,
    validationDisabled: readEfiVariable(host, 'shim', 'MokSBStateRT')?.[0] === 1,
    mokPending: [
      ...(pending.includes('MokNew') ? (['enroll'] as const) : []),
      ...(pending.includes('MokDel') ? (['delete'] as const) : []),
    ],
  };
}
