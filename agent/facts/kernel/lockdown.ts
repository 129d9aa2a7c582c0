/** Lockdown, signature enforcement and Secure Boot, as the kernel and the firmware report them. Reads only. */
import { readFileSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import { readAttribute, readNames } from '../attribute.ts';

/** How far the kernel protects itself from root (kernel_lockdown(7)); from `integrity` on it refuses unsigned modules. */
export type Lockdown = 'none' | 'integrity' | 'confidentiality';

/** /sys/kernel/security/lockdown (`none [integrity] confidentiality`); undefined where the kernel has no lockdown, or securityfs is not mounted. */
export function readLockdown(host: Host): Lockdown | undefined {
  const mode = /\[(\w+)\]/.exec(readAttribute(`${host.sysfs}/kernel/security/lockdown`) ?? '')?.[1];
  return mode === 'none' || mode === 'integrity' || mode === 'confidentiality' ? mode : undefined;
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

const EFI_GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SHIM = '605dab50-e046-4300-abb6-3dd810dd8b23';

/**
 * Secure Boot's state from /sys/firmware/efi/efivars. A variable's file is four bytes of attributes, then its value. The values
 * read here are one byte: 1 is on.
 */
export function readSecureBoot(host: Host): SecureBoot {
  const efi = `${host.sysfs}/firmware/efi`;
  const names = readNames(`${efi}/efivars`);
  const value = (name: string, owner: string) => variable(`${efi}/efivars/${name}-${owner}`);
  const secure = value('SecureBoot', EFI_GLOBAL);
  const state =
    readNames(efi).length === 0
      ? 'no-efi'
      : value('SetupMode', EFI_GLOBAL) === 1
        ? 'setup-mode'
        : secure === undefined
          ? 'unknown'
          : secure === 1
            ? 'on'
            : 'off';
  const pending = (name: string) => names.includes(`${name}-${SHIM}`);
  return {
    state,
    validationDisabled: value('MokSBStateRT', SHIM) === 1,
    mokPending: [
      ...(pending('MokNew') ? (['enroll'] as const) : []),
      ...(pending('MokDel') ? (['delete'] as const) : []),
    ],
  };
}

function variable(path: string): number | undefined {
  try {
    return readFileSync(path)[4];
  } catch {
    return undefined;
  }
}
