/** What becomes of each module of the laboratory on each of its machines. */
import type { LabCase } from './judgement.ts';

const NO_KEY = /does not trust that key|does not have that key/;
const ENFORCED = /sig_enforce=Y/;

/** With Secure Boot. The errno is EKEYREJECTED for every one that is refused; only the kernel's log and plugd's evidence tell them apart. */
export const SECURE: readonly LabCase[] = [
  { module: 'unsigned', outcome: 'signature', says: /is not signed[^]*sig_enforce=Y[^]*Secure Boot is on/ },
  { module: 'unknown', outcome: 'signature', says: NO_KEY },
  { module: 'mok', outcome: 'loads' },
  // Debian's kernels look neither at dbx nor at MokListX for the keys of modules.
  { module: 'revoked', outcome: 'loads' },
  { module: 'tampered', outcome: 'signature', says: /does not fit the contents/ },
];

/** The rest of that machine. */
export const SECURE_TOO: readonly LabCase[] = [
  { module: 'stripped', outcome: 'signature', says: /is not signed/ },
  { module: 'db', outcome: 'loads' },
  { module: 'dkms', outcome: 'loads' },
  { module: 'unknown-last', outcome: 'signature', says: NO_KEY },
  { module: 'mok-last', outcome: 'loads' },
  // Debian 12's kernel has SHA-512 as a module, which it asks for itself.
  { module: 'sha512', outcome: 'loads' },
  { module: 'debian', outcome: 'loads' },
];

/** A key on P-384 as MOK: Debian 12's kernel has no ECDSA, so it has no such key. */
export const CURVE: Readonly<Record<'bookworm' | 'trixie', readonly LabCase[]>> = {
  bookworm: [
    { module: 'curve', outcome: 'signature', says: /Lab curve[^]*did not take it: it may have no code for EC keys/ },
  ],
  trixie: [{ module: 'curve', outcome: 'loads' }],
};

const loads = (...modules: readonly string[]): readonly LabCase[] =>
  modules.map((module) => ({ module, outcome: 'loads' }));

/** Secure Boot is on, and shim was told not to verify: the kernel enforces nothing, and the variable SecureBoot still says 1. */
export const VALIDATION_OFF: readonly LabCase[] = loads('unsigned', 'stripped', 'unknown', 'mok', 'db');

/** `lockdown=integrity` on a machine without Secure Boot. */
export const LOCKED: readonly LabCase[] = [
  { module: 'unsigned', outcome: 'lockdown', says: /is not signed[^]*locked down: integrity/ },
  { module: 'unknown', outcome: 'lockdown', says: NO_KEY },
  { module: 'mok', outcome: 'lockdown', says: NO_KEY },
  { module: 'debian', outcome: 'loads' },
];

/** `lockdown=confidentiality`, which keeps secrets from root, too. */
export const LOCKED_MORE: readonly LabCase[] = [
  { module: 'unsigned', outcome: 'lockdown', says: /is not signed[^]*locked down: confidentiality/ },
  { module: 'debian', outcome: 'loads' },
];

/** `module.sig_enforce=1` on a machine without Secure Boot. */
export const ENFORCING: readonly LabCase[] = [
  { module: 'unsigned', outcome: 'signature', says: ENFORCED },
  { module: 'stripped', outcome: 'signature', says: ENFORCED },
  { module: 'unknown', outcome: 'signature', says: NO_KEY },
  { module: 'mok', outcome: 'signature', says: NO_KEY },
  { module: 'unknown-last', outcome: 'signature', says: NO_KEY },
  { module: 'debian', outcome: 'loads' },
];

/** `ima_policy=secure_boot`: IMA wants a signature in the attribute security.ima of each module's file, and no file has one here. */
export const APPRAISED: readonly LabCase[] = [
  { module: 'debian', outcome: 'integrity', says: /IMA[^]*no attribute security\.ima/ },
  { module: 'unsigned', outcome: 'integrity', says: /IMA[^]*no attribute security\.ima/ },
];
