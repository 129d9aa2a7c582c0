/**
 * The kernel's keys that can vouch for a module; reads only. /proc/keys lists every key that this user may see, one per line:
 *
 *     1a2b3c4d I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 2
 *     22bb9e14 I------     1 perm 1f030000     0     0 asymmetri Debian Secure Boot CA: 6ccece7e…: X509.rsa cbb419ea1 []
 *
 * (id, flags, users, "perm", permissions, uid, gid, type cut to nine characters, description and what its type adds.) The list
 * does not say which keyring holds a key; keyctl(2) does, ring by ring. An X.509 key is described as "SUBJECT: ID", where ID is
 * its subject key identifier, or its serial number if it has none, in hexadecimal.
 *
 * Sources: keyrings(7), security/keys/proc.c, crypto/asymmetric_keys/x509_public_key.c.
 */
import { addon } from '../../base/addon.ts';
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { readProc } from './procfs.ts';

/** The kernel's keyrings of certificates; only the first three vouch for modules. */
export const KEYRINGS = [
  '.builtin_trusted_keys',
  '.secondary_trusted_keys',
  '.machine',
  '.platform',
  '.blacklist',
] as const;
export type KeyringName = (typeof KEYRINGS)[number];

/** One certificate: `subject` as the kernel shows it (`Debian: Secure Boot CA`), `id` in lower-case hexadecimal. */
export interface TrustedKey {
  readonly subject: string;
  readonly id: string;
  /** `X509.rsa` */
  readonly type: string;
}

/** One keyring; `keys` is undefined where its members may not be read. */
export interface Keyring {
  readonly name: KeyringName;
  /** How many members it has, keys or keyrings. */
  readonly count: number;
  readonly keys: readonly TrustedKey[] | undefined;
}

interface Line {
  readonly id: number;
  readonly type: string;
  readonly description: string;
}

const LINE = /^([0-9a-f]{8}) \S+ +\S+ +\S+ +[0-9a-f]+ +-?\d+ +-?\d+ (\S+) +(.*)$/;

/** The keys in a keyring by its id, or -errno, as keyctl(2) returns them. */
export type KeyringReader = (id: number) => readonly number[] | number;

/**
 * The kernel's existing keyrings of certificates, in the order of KEYRINGS. Empty when the kernel has none or /proc/keys is
 * missing. latin1.
 */
export function readKeyrings(host: Host, read: KeyringReader = ask): readonly Keyring[] {
  const lines = (readProc(host, 'keys') ?? '').split('\n').flatMap(parse);
  const byId = new Map(lines.map((line) => [line.id, line]));
  return KEYRINGS.flatMap((name) => {
    const ring = lines.find((line) => line.type === 'keyring' && line.description.startsWith(`${name}:`));
    if (ring === undefined) return [];
    const members = read(ring.id | 0);
    const count = Number(/: (\d+)$/.exec(ring.description)?.[1] ?? 0);
    const keys = typeof members === 'number' ? undefined : members.flatMap((id) => trustedKey(byId.get(id >>> 0)));
    return [{ name, count, keys }];
  });
}

function parse(text: string): Line[] {
  const [, id, type, description] = LINE.exec(text) ?? [];
  return id === undefined ? [] : [{ id: Number.parseInt(id, 16), type: type ?? '', description: description ?? '' }];
}

function trustedKey(line: Line | undefined): TrustedKey[] {
  if (line === undefined || !line.type.startsWith('asymm')) return [];
  const found = /^(.*): ([0-9a-f]+): (\S+)(?: [0-9a-f]*)? \[.*\]$/.exec(line.description);
  return found === null ? [] : [{ subject: found[1] ?? '', id: found[2] ?? '', type: found[3] ?? '' }];
}

function ask(id: number): readonly number[] | number {
  try {
    return addon().readKeyring(id);
  } catch (error) {
    // Without the addon plugd knows how many keys there are, but not which.
    if (error instanceof PlugdError && error.code === 'unsupported') return -38;
    throw error;
  }
}
