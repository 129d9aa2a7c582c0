/**
 * Where a machine owner key stands on its way from being made to being trusted: one state, decided from facts. Reads nothing; the words are in
 * enrolment-words.ts.
 *
 *     no key → made → waits for the next boot → enrolled → trusted by this kernel
 */
import type { SecureBoot } from '../../facts/kernel/lockdown.ts';
import { PURPOSE, publicKeyOf, type Certificate } from '../certificate.ts';
import type { mokFiles } from '../mok-files.ts';
import type { Trust } from '../trust.ts';

/** What is known of a key and of the machine. */
export interface EnrolmentFacts {
  readonly files: ReturnType<typeof mokFiles>;
  /** Of the file, if it can be read. */
  readonly certificate: Certificate | undefined;
  /** The kernel takes only modules with a trusted signature; undefined where it cannot be told. */
  readonly enforced: boolean | undefined;
  readonly secureBoot: SecureBoot;
  /** Whether the kernel trusts the key; undefined without a certificate. */
  readonly trust: Trust | undefined;
  /** The certificate is in shim's list (MokListRT), in the list of keys to come (MokNew), or in that of keys to go (MokDel). */
  readonly enrolled: boolean;
  readonly waitsToCome: boolean;
  readonly waitsToGo: boolean;
  /** The list that revokes it: `dbx`, `MokListXRT`. */
  readonly revokedBy?: string | undefined;
}

/**
 * The state:
 *
 * - `no-key`: neither file is there; `half`: one is missing; `unreadable`: the certificate is none;
 * - `trusted`: the kernel takes modules that are signed with it;
 * - `leaving`: it is trusted, and shim will remove it at the next boot;
 * - `waiting`: shim will ask at the next boot whether to enrol it;
 * - `enrolled`: shim has it, and this kernel does not trust it: it started before, or its .machine or .platform does not vouch for modules;
 * - `not-needed`: the kernel takes modules without it;
 * - `impossible`: the kernel wants signatures, and the machine has no shim to enrol keys in;
 * - `made`: it is there, and nobody was asked to enrol it.
 */
export type Enrolment =
  | 'no-key'
  | 'half'
  | 'unreadable'
  | 'trusted'
  | 'leaving'
  | 'waiting'
  | 'enrolled'
  | 'not-needed'
  | 'impossible'
  | 'made';

/** The state that the facts amount to. */
export function enrolmentOf(facts: EnrolmentFacts): Enrolment {
  const { files, certificate, enforced, secureBoot, trust, enrolled, waitsToCome, waitsToGo } = facts;
  const needed = enforced ?? (secureBoot.state === 'on' && !secureBoot.validationDisabled);
  if (files === 'neither') return needed ? 'no-key' : 'not-needed';
  if (files !== 'both') return 'half';
  if (certificate === undefined) return 'unreadable';
  if (trust?.kind === 'trusted') return waitsToGo ? 'leaving' : 'trusted';
  if (waitsToCome) return 'waiting';
  if (!needed) return 'not-needed';
  if (enrolled) return 'enrolled';
  return secureBoot.state === 'no-efi' ? 'impossible' : 'made';
}

/** Whether modules signed with the key load now, whatever else is to be done. */
export function isUsable(state: Enrolment): boolean {
  return state === 'trusted' || state === 'leaving' || state === 'not-needed';
}

/** Why a certificate should not be enrolled; undefined when nothing speaks against it. Source: kernel/module/signing.c, RFC 5280. */
export function enrolmentObstacle({ certificate, secureBoot, revokedBy }: EnrolmentFacts): string | undefined {
  if (certificate === undefined) return 'not a certificate';
  if (secureBoot.state === 'no-efi') return 'this machine was not started by EFI, so there is no list to enrol it in';
  if (revokedBy !== undefined) return `it is revoked in ${revokedBy}`;
  const key = publicKeyOf(certificate);
  const { modulusLength = 0 } = key?.asymmetricKeyDetails ?? {};
  if (key === undefined || (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ec'))
    return 'its key is of a kind that plugd cannot sign with';
  if (key.asymmetricKeyType === 'rsa' && modulusLength < LEAST_BITS)
    return `its RSA key is weak: ${modulusLength} bits, and ${LEAST_BITS} are the least`;
  if (key.asymmetricKeyType === 'rsa' && modulusLength > MOST_BITS)
    return `its RSA key has ${modulusLength} bits, and the kernel takes at most ${MOST_BITS}`;
  const { purposes, usage } = certificate;
  if (purposes !== undefined && !purposes.some((purpose) => SIGNING.includes(purpose)))
    return 'it is not made for signing code or modules (extendedKeyUsage)';
  if (usage !== undefined && usage[0] !== true) return 'it is not made for signatures (keyUsage)';
  return undefined;
}

const LEAST_BITS = 2048;
const MOST_BITS = 4096;
const SIGNING: readonly string[] = [PURPOSE.codeSigning, PURPOSE.moduleSigning];
