/**
 * The files of a machine owner key: the private key, which only its owner reads (0600), and the certificate (0644). They appear whole or
 * not at all, and never replace a file: a user who lost one of the two keeps the other.
 */
import { lstatSync, rmSync } from 'node:fs';
import { fsCode, reason } from '../base/error.ts';
import { writeNewFile, type NewFile } from '../base/new-file.ts';
import { makeMok, type MokWishes } from './mok.ts';

/** Where the key and its certificate are, or will be. */
export interface MokPlaces {
  readonly key: string;
  readonly certificate: string;
}

/**
 * What came of it: `made`; `there`, since both files exist; `half`, one exists and the other does not, and nothing was written;
 * `failed`, a call did, and nothing is left behind.
 */
export type MokOutcome =
  | { readonly kind: 'made' }
  | { readonly kind: 'there' }
  | { readonly kind: 'half'; readonly there: string; readonly missing: string; readonly remedy: string }
  | { readonly kind: 'failed'; readonly why: string };

/** dkms's own key. */
export const DKMS_MOK: MokPlaces = { key: '/var/lib/dkms/mok.key', certificate: '/var/lib/dkms/mok.pub' };

/** Which of the two files are there. */
export function mokFiles(places: MokPlaces): 'both' | 'neither' | Extract<MokOutcome, { kind: 'half' }> {
  const [key, certificate] = [isThere(places.key), isThere(places.certificate)];
  if (key === certificate) return key ? 'both' : 'neither';
  return key
    ? {
        kind: 'half',
        there: places.key,
        missing: places.certificate,
        remedy: `put the certificate of that key back (${places.certificate}); or, to make a new pair, move ${places.key} away`,
      }
    : {
        kind: 'half',
        there: places.certificate,
        missing: places.key,
        remedy: `put the key of that certificate back (${places.key}); or, to make a new pair, move ${places.certificate} away`,
      };
}

/** Makes a key and writes both files, with their folders, unless one of them is there already. */
export function writeMok(places: MokPlaces, wishes: MokWishes = {}): MokOutcome {
  const before = mokFiles(places);
  if (before === 'both') return { kind: 'there' };
  if (before !== 'neither') return before;
  const { keyPem, certificateDer } = makeMok(wishes);
  const files: NewFile[] = [];
  let keyIsOurs = false;
  try {
    files.push(writeNewFile(places.key, keyPem, 0o600));
    files.push(writeNewFile(places.certificate, certificateDer, 0o644));
    for (const file of files) {
      // A name that is taken stays: another process may have made a key meanwhile.
      file.place();
      keyIsOurs = true;
    }
    return { kind: 'made' };
  } catch (error) {
    if (fsCode(error) === undefined) throw error;
    if (keyIsOurs) rmSync(places.key, { force: true });
    const after = mokFiles(places);
    if (after === 'both') return { kind: 'there' };
    if (after !== 'neither') return after;
    return { kind: 'failed', why: `could not write ${places.key} and ${places.certificate}: ${reason(error)}` };
  } finally {
    for (const file of files) file.drop();
  }
}

/** Whether anything has that name, be it a link to nothing; false where plugd may not look. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
