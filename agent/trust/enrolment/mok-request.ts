/**
 * Asks shim to enrol certificates at the next boot, as mokutil --import does: two variables of shim's namespace, which MokManager reads and
 * deletes. MokNew has the certificates, MokAuth the hash of the password that MokManager will ask for:
 *
 *     method u16 (4: SHA-512 crypt), rounds u64, length of the salt u16, salt (32 bytes), hash (128 bytes); 172 in all
 *
 * Sources: shim's MokVars.txt and include/PasswordCrypt.h, mokutil's src/password-crypt.h, Documentation/filesystems/efivarfs.rst.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { reason } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { EFI_GUID, efiPresence, efiVariablePath, efiVariableNames } from '../../facts/efi/efi-variables.ts';
import { signatureListOf } from '../../facts/efi/signature-list.ts';
import type { PasswordHash } from './sha512-crypt.ts';

/** `asked`; `waiting`: other keys wait already, and only mokutil can add to them; `failed`: a variable could not be written. */
export type MokRequest =
  | { readonly kind: 'asked' }
  | { readonly kind: 'waiting'; readonly names: readonly string[] }
  | { readonly kind: 'failed'; readonly why: string };

const SHA512_CRYPT = 4;
const SALT = 32;
const HASH = 128;
/** Kept, and seen by the firmware's programs and by the system. */
const ATTRIBUTES = 7;

/** MokNew's value for a certificate in DER. */
export function newKeysValue(certificate: Buffer): Buffer {
  return signatureListOf([certificate], EFI_GUID.shim);
}

/** MokAuth's value. */
export function passwordValue({ rounds, salt, hash }: PasswordHash): Buffer {
  const value = Buffer.alloc(12 + SALT + HASH);
  value.writeUInt16LE(SHA512_CRYPT, 0);
  value.writeBigUInt64LE(BigInt(rounds), 2);
  value.writeUInt16LE(salt.length, 10);
  salt.copy(value, 12);
  hash.copy(value, 12 + SALT);
  return value;
}

/** Writes the request. */
export function requestEnrolment(host: Host, certificate: Buffer, password: PasswordHash): MokRequest {
  if (efiPresence(host) !== 'variables')
    return { kind: 'failed', why: 'the EFI variables are not there: mount -t efivarfs none /sys/firmware/efi/efivars' };
  // The kernel protects a variable's file once it is there (chattr +i), so these cannot be written again.
  const there = efiVariableNames(host, 'shim').filter((name) => name === 'MokNew' || name === 'MokAuth');
  if (there.length > 0) return { kind: 'waiting', names: there };
  const values = [
    ['MokNew', newKeysValue(certificate)],
    ['MokAuth', passwordValue(password)],
  ] as const;
  for (const [name, value] of values) {
    const path = efiVariablePath(host, 'shim', name);
    try {
      writeVariable(path, value);
    } catch (error) {
      const undo =
        name === 'MokAuth' ? `; take back the other: chattr -i and rm ${efiVariablePath(host, 'shim', 'MokNew')}` : '';
      return { kind: 'failed', why: `${path}: ${reason(error)}${undo}` };
    }
  }
  return { kind: 'asked' };
}

/** A new variable; efivarfs wants attributes and value in one write. */
function writeVariable(path: string, value: Buffer): void {
  const attributes = Buffer.alloc(4);
  attributes.writeUInt32LE(ATTRIBUTES);
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, Buffer.concat([attributes, value]));
  } finally {
    closeSync(fd);
  }
}
