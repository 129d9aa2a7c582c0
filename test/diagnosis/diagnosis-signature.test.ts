import t from 'tap';
import {
  keysInWords,
  lockedDown,
  mayBeLockedDown,
  refusedSignature,
} from '../../agent/diagnosis/diagnosis-signature.ts';
import type { SignatureEvidence } from '../../agent/diagnosis/evidence.ts';
import { factsGiven, knownFactsGiven, TRUSTED, UNKNOWN, type Given } from './diagnosis-rig.ts';

const ENFORCED = { signatureEnforced: true } as const;
const LOCKED = { lockdown: 'integrity' } as const;
const DAMAGED: SignatureEvidence = { kind: 'damaged', why: 'cut off' };
/** A key of the signer's name is there, and cannot be compared. */
const UNDECIDED: SignatureEvidence = { ...TRUSTED, signer: 'DKMS', keyId: 'BB', trust: { kind: 'undecided' } };
const GONE = { kind: 'missing', elsewhere: undefined } as const;

const NOT_SIGNED = 'the module is not signed';
const ENFORCEMENT = 'signatures are enforced (sig_enforce=Y)';
const KEYS = 'keys: .builtin_trusted_keys 1';
const NO_KEY = ["signed by 'DKMS', key AA", 'the kernel does not trust that key', KEYS];
const CHANGED =
  'the signature does not fit the contents: the file was changed after it was signed (stripped, patched, damaged)';
const unsigned = 'Loading of unsigned module is rejected';
const unavailable = 'Loading of module with unavailable key is rejected';
const unsupported = 'Loading of module with unsupported crypto is rejected';
const heard = (line: string): string => `the kernel said: ${line}`;

/** The evidence, undefined where it explains nothing; and what the remedy must say. */
type Rows = ReadonlyArray<
  readonly [rule: string, given: Given, evidence: readonly string[] | undefined, remedy?: RegExp]
>;

const SIGNATURES: Rows = [
  ['before the call: unsigned, where none is demanded', {}, undefined],
  [
    'before the call: unsigned, enforced',
    { kernel: ENFORCED },
    [NOT_SIGNED, ENFORCEMENT],
    /plugd keys status.*plugd sign/,
  ],
  [
    'before the call: enforced says what else stands behind it',
    { kernel: { ...ENFORCED, ...LOCKED, secureBoot: 'on' } },
    [NOT_SIGNED, 'signatures are enforced (sig_enforce=Y, lockdown=integrity, Secure Boot is on)'],
  ],
  [
    'before the call: no lockdown is known',
    { kernel: { ...ENFORCED, lockdown: undefined, secureBoot: 'off' } },
    [NOT_SIGNED, ENFORCEMENT],
  ],
  ['before the call: a key that nobody trusts, not enforced', { file: { signature: UNKNOWN } }, undefined],
  [
    'before the call: a key that nobody trusts, enforced',
    { file: { signature: UNKNOWN }, kernel: ENFORCED },
    [...NO_KEY, ENFORCEMENT],
    /^enrol the key's certificate/,
  ],
  ['before the call: a trusted key', { file: { signature: TRUSTED }, kernel: ENFORCED }, undefined],
  ['before the call: nobody can say', { file: { signature: UNDECIDED }, kernel: ENFORCED }, undefined],
  [
    'before the call: a damaged one, wherever signatures are looked at',
    { file: { signature: DAMAGED } },
    ['its signature is damaged: cut off'],
    /again/,
  ],
  [
    'before the call: a damaged one, where none is looked at',
    { file: { signature: DAMAGED }, kernel: { signatureEnforced: undefined } },
    undefined,
  ],
  ['before the call: no module to look at', { file: GONE, kernel: ENFORCED }, undefined],
  ['of another machine nothing is known', { kernel: null, errno: 'EKEYREJECTED' }, undefined],
  [
    'refused: unsigned, and the log says so',
    { kernel: ENFORCED, errno: 'EKEYREJECTED', log: ['m: other', unsigned] },
    [NOT_SIGNED, ENFORCEMENT, heard(unsigned)],
    /sign it with a key/,
  ],
  ['refused: unsigned, the log not readable', { kernel: ENFORCED, errno: 'ENOKEY' }, [NOT_SIGNED, ENFORCEMENT]],
  [
    'refused: a key that nobody trusts',
    { file: { signature: UNKNOWN }, kernel: ENFORCED, errno: 'EKEYREJECTED', log: [unavailable] },
    [...NO_KEY, ENFORCEMENT, heard(unavailable)],
    /^enrol/,
  ],
  [
    'refused: a key that nobody trusts, and nothing logged',
    { file: { signature: UNKNOWN }, kernel: ENFORCED, errno: 'EKEYREJECTED' },
    [...NO_KEY, ENFORCEMENT],
    /^enrol/,
  ],
  [
    'refused: a damaged one, enforced or not',
    { file: { signature: DAMAGED }, kernel: ENFORCED, errno: 'EBADMSG' },
    ['its signature is damaged: cut off'],
    /again/,
  ],
  [
    'refused: a trusted key, so the contents are not those that were signed',
    { file: { signature: TRUSTED }, kernel: ENFORCED, errno: 'EKEYREJECTED' },
    ["signed by 'Debian', key AA", 'its key is in .builtin_trusted_keys', CHANGED],
    /last step of its build/,
  ],
  [
    'refused: nobody can say whose key it is, and the kernel does not complain of the key',
    { file: { signature: UNDECIDED }, kernel: ENFORCED, errno: 'EKEYREJECTED' },
    ["signed by 'DKMS', key BB", CHANGED],
    /last step of its build/,
  ],
  [
    'refused: a line about the contents counts more than a key that was not found',
    { file: { signature: UNKNOWN }, kernel: ENFORCED, errno: 'EKEYREJECTED', log: ['PKCS#7 signature not valid'] },
    ["signed by 'DKMS', key AA", CHANGED, heard('PKCS#7 signature not valid')],
  ],
  [
    'refused: no module to look at',
    { file: GONE, kernel: ENFORCED, errno: 'EKEYREJECTED', log: [unsigned] },
    ['the kernel rejected its signature', heard(unsigned)],
    /again/,
  ],
  [
    'refused: unsigned, whatever the log says of a signature',
    { kernel: ENFORCED, errno: 'EKEYREJECTED', log: ['m: signature?'] },
    [NOT_SIGNED, ENFORCEMENT, heard('m: signature?')],
    /sign it with a key/,
  ],
  [
    'refused: the line that decides, not one before it',
    { kernel: ENFORCED, errno: 'EKEYREJECTED', log: ['x: signature of another', unsigned] },
    [NOT_SIGNED, ENFORCEMENT, heard(unsigned)],
  ],
  [
    'refused: enforced, though no evidence showed it before',
    { errno: 'EKEYREJECTED', log: [unsigned] },
    [NOT_SIGNED, 'signatures are enforced', heard(unsigned)],
  ],
  [
    'refused: the kernel does not have the key, though nobody could say',
    { file: { signature: UNDECIDED }, kernel: ENFORCED, errno: 'EKEYREJECTED', log: [unavailable] },
    ["signed by 'DKMS', key BB", 'the kernel does not have that key', KEYS, ENFORCEMENT, heard(unavailable)],
    /^enrol the key's certificate/,
  ],
  [
    'refused: the kernel does not have the key, though it seemed trusted',
    { file: { signature: TRUSTED }, kernel: ENFORCED, errno: 'ENOKEY' },
    ["signed by 'Debian', key AA", 'the kernel does not have that key', KEYS, ENFORCEMENT],
    /^enrol the key's certificate/,
  ],
  ...[TRUSTED, UNKNOWN, UNDECIDED].map(
    (signature) =>
      [
        `refused: the kernel cannot compute the hash, key ${signature.trust.kind}`,
        {
          file: { signature: { ...signature, hash: 'sha512' } },
          kernel: ENFORCED,
          errno: 'EKEYREJECTED',
          log: [unsupported],
        },
        [
          `signed by '${signature.signer}', key ${signature.keyId}`,
          'the kernel cannot check it: it has no code for the hash (sha512) or for that kind of key',
          ENFORCEMENT,
          heard(unsupported),
        ],
        /sha512_generic/,
      ] as const,
  ),
  [
    'refused: ENOPKG means the same',
    { file: { signature: TRUSTED }, kernel: ENFORCED, errno: 'ENOPKG' },
    [
      "signed by 'Debian', key AA",
      'the kernel cannot check it: it has no code for the hash (sha256) or for that kind of key',
      ENFORCEMENT,
    ],
  ],
  ...(
    [
      ['EKEYEXPIRED', 'Key has expired'],
      ['EKEYREVOKED', 'Key has been revoked'],
    ] as const
  ).map(
    ([errno, text]) =>
      [
        `refused: ${errno} is about the key, not about the contents`,
        { file: { signature: TRUSTED }, kernel: ENFORCED, errno },
        ["signed by 'Debian', key AA", `the kernel takes nothing of that key: ${text}`, ENFORCEMENT],
        /^sign it with a key that is valid/,
      ] as const,
  ),
  [
    'refused: the kernel looks for no signature when an insertion is forced',
    { file: { signature: TRUSTED }, kernel: ENFORCED, errno: 'EKEYREJECTED', log: [unsigned] },
    [
      "signed by 'Debian', key AA",
      'the kernel looked for no signature: it does not when an insertion is forced',
      ENFORCEMENT,
      heard(unsigned),
    ],
    /without force/,
  ],
  [
    'before the call: changed after it was signed with a trusted key, enforced or not',
    { file: { signature: { ...TRUSTED, changed: true } } },
    ["signed by 'Debian', key AA", 'its key is in .builtin_trusted_keys', CHANGED],
    /again/,
  ],
  [
    'before the call: changed, where no signature is looked at',
    { file: { signature: { ...TRUSTED, changed: true } }, kernel: { signatureEnforced: undefined } },
    undefined,
  ],
  [
    'before the call: changed, by a key that may not be trusted',
    { file: { signature: { ...UNDECIDED, changed: true } } },
    undefined,
  ],
  [
    'before the call: changed, and a key that nobody trusts: the key decides',
    { file: { signature: { ...UNKNOWN, changed: true } }, kernel: ENFORCED },
    [...NO_KEY, ENFORCEMENT],
  ],
  [
    'before the call: a hash that the kernel has not, before the key',
    { file: { signature: { ...UNKNOWN, lacks: 'the hash (sha512)' } }, kernel: ENFORCED },
    ["signed by 'DKMS', key AA", 'the kernel cannot check it: it has no code for the hash (sha512)', ENFORCEMENT],
    /sha512_generic/,
  ],
  [
    'before the call: such a hash, not enforced',
    { file: { signature: { ...UNKNOWN, lacks: 'the hash (sha512)' } } },
    undefined,
  ],
  [
    'before the call: a revoked key, enforced or not',
    {
      file: {
        signature: { ...TRUSTED, trust: { kind: 'revoked', looked: 'its key is revoked: it is in .blacklist' } },
      },
    },
    ["signed by 'Debian', key AA", 'its key is revoked: it is in .blacklist'],
    /not revoked/,
  ],
  [
    'before the call: an enrolled key that the kernel cannot use needs another key, no enrolment',
    {
      file: {
        signature: { ...UNKNOWN, trust: { kind: 'unknown-key', looked: 'the kernel did not take it', unusable: true } },
      },
      kernel: ENFORCED,
    },
    ["signed by 'DKMS', key AA", 'the kernel did not take it', KEYS, ENFORCEMENT],
    /RSA key/,
  ],
  [
    'before the call: a key whose certificate is a file here',
    {
      file: {
        signature: { ...UNKNOWN, trust: { kind: 'unknown-key', looked: 'not trusted', certificate: '/k.der' } },
      },
      kernel: ENFORCED,
    },
    ["signed by 'DKMS', key AA", 'not trusted', KEYS, ENFORCEMENT],
    /plugd keys enroll --cert \/k\.der; reboot/,
  ],
  [
    'before the call: a key that waits for the next boot',
    {
      file: {
        signature: { ...UNKNOWN, trust: { kind: 'unknown-key', looked: 'it waits', waits: true, certificate: '/k' } },
      },
      kernel: ENFORCED,
    },
    ["signed by 'DKMS', key AA", 'it waits', KEYS, ENFORCEMENT],
    /^reboot, and confirm/,
  ],
  [
    "a signer's name that is not ASCII stays as it is",
    { file: { signature: { ...UNKNOWN, signer: 'M\xfcller' } }, kernel: ENFORCED },
    ["signed by 'M\xfcller', key AA", 'the kernel does not trust that key', KEYS, ENFORCEMENT],
  ],
];
for (const [rule, given, evidence, remedy] of SIGNATURES) {
  t.test(`signature: ${rule}`, (t) => {
    const explanation = refusedSignature(factsGiven(given));
    t.same(explanation?.evidence, evidence);
    if (remedy !== undefined) t.match(explanation?.remedy, remedy);
    t.end();
  });
}

const restricted = 'Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7';
const parameters = 'Lockdown: modprobe: unsafe module parameters is restricted; see man kernel_lockdown.7';
const LOCKDOWN: Rows = [
  ['before the call: not locked down', {}, undefined],
  ['before the call: unsigned', { kernel: LOCKED }, [NOT_SIGNED, 'the kernel is locked down: integrity'], /sign it/],
  [
    'before the call: with Secure Boot',
    { kernel: { ...LOCKED, secureBoot: 'on' } },
    [NOT_SIGNED, 'the kernel is locked down: integrity (Secure Boot is on)'],
  ],
  [
    'before the call: a key that nobody trusts',
    { file: { signature: UNKNOWN }, kernel: { lockdown: 'confidentiality' } },
    [...NO_KEY, 'the kernel is locked down: confidentiality'],
    /^enrol/,
  ],
  ['before the call: a trusted key', { file: { signature: TRUSTED }, kernel: LOCKED }, undefined],
  ['before the call: nobody can say', { file: { signature: UNDECIDED }, kernel: LOCKED }, undefined],
  ['before the call: no module to look at', { file: GONE, kernel: LOCKED }, undefined],
  ['of another machine nothing is known', { kernel: null, errno: 'EPERM', log: [restricted] }, undefined],
  [
    'refused: unsigned, and the log says so',
    { kernel: LOCKED, errno: 'EPERM', log: [restricted] },
    [NOT_SIGNED, 'the kernel is locked down: integrity', heard(restricted)],
    /sign it/,
  ],
  [
    'refused: unsigned, the line lost',
    { kernel: LOCKED, errno: 'EPERM' },
    [NOT_SIGNED, 'the kernel is locked down: integrity'],
  ],
  [
    'refused: the log says so where no lockdown can be read',
    { kernel: { lockdown: undefined }, file: { signature: UNDECIDED }, errno: 'EPERM', log: [restricted] },
    ['the kernel is locked down: unknown', heard(restricted)],
    /^load a module that is signed/,
  ],
  ...[TRUSTED, UNKNOWN].map(
    (signature) =>
      [
        `refused: for its parameters the signature, ${signature.trust.kind}, does not matter`,
        { kernel: LOCKED, file: { signature }, errno: 'EPERM', log: [parameters] },
        ['the kernel is locked down: integrity', heard(parameters)],
        /^leave out the parameters/,
      ] as const,
  ),
  ['refused: nothing wrong is known, and nothing logged', { file: GONE, kernel: LOCKED, errno: 'EPERM' }, undefined],
];
for (const [rule, given, evidence, remedy] of LOCKDOWN) {
  t.test(`lockdown: ${rule}`, (t) => {
    const explanation = lockedDown(factsGiven(given));
    t.same(explanation?.evidence, evidence);
    if (remedy !== undefined) t.match(explanation?.remedy, remedy);
    t.end();
  });
}

const LIKELY: ReadonlyArray<readonly [rule: string, given: Given, likely: boolean]> = [
  ['locked down', { kernel: LOCKED }, true],
  ['locked down, and the kernel has a rule against it', { kernel: LOCKED, blacklisted: true }, false],
  ['not locked down', {}, false],
  ['nobody can say whether it is', { kernel: { lockdown: undefined } }, false],
  ['of another machine', { kernel: null }, false],
];
t.test('lockdown is likely before the file is read', (t) => {
  for (const [rule, given, likely] of LIKELY) t.equal(mayBeLockedDown(knownFactsGiven(given)), likely, rule);
  t.end();
});

t.test('keys are counted by ring: those that were read, else how many it says it has', (t) => {
  const key = { subject: 'Debian', id: 'aa', type: 'X509.rsa' };
  t.equal(keysInWords([]), 'the kernel has no keyrings of certificates');
  t.equal(
    keysInWords([
      { name: '.builtin_trusted_keys', count: 9, keys: [key, key] },
      { name: '.machine', count: 0, keys: [] },
      { name: '.platform', count: 3, keys: undefined },
    ]),
    'keys: .builtin_trusted_keys 2, .machine 0, .platform 3',
  );
  t.end();
});
