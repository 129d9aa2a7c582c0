/** What `plugd verify` tells of modules, as plain data (docs/verify.schema.json): a row for each, and one for each signer. */
import { fromMachineText } from '../../base/machine-text.ts';
import { fingerprintOf } from '../../trust/certificate.ts';
import type { ModuleVerdict, SignatureState } from '../../trust/verification.ts';

/** One module. Texts are a person's. */
export interface SignatureRow {
  /** The path; in a tree, from its module directory. */
  readonly path: string;
  readonly state: SignatureState;
  readonly why?: string;
  readonly signature?: SignatureFacts;
  readonly certificate?: CertificateFacts;
  readonly trust?: TrustRow;
}

/** What the signature says; `keyId` is a serial number or a subject key identifier in hexadecimal. */
export interface SignatureFacts {
  readonly signer: string;
  readonly keyId: string;
  readonly hash: string;
  readonly algorithm: string;
  /** It signs attributes that hold the module's hash, not the module itself. */
  readonly attributes: boolean;
}

/** The certificate that verified it. */
export interface CertificateFacts {
  readonly subject: string;
  readonly fingerprint: string;
  readonly place: string;
}

/** Whether the kernel trusts the key: `ring` when it does, else `why`. */
export interface TrustRow {
  readonly state: 'trusted' | 'untrusted' | 'unknown';
  readonly ring?: string;
  readonly why?: string;
}

/** All modules of one signer and key. */
export interface SignerRow {
  readonly signer: string;
  readonly keyId: string;
  readonly hash: string;
  readonly algorithm: string;
  readonly modules: number;
  /** How many of them are valid. */
  readonly valid: number;
  readonly trust?: TrustRow;
}

/** A verdict as a row. */
export function signatureRow({ path, state, why, signature, algorithm, verifier }: ModuleVerdict): SignatureRow {
  return {
    path,
    state,
    ...(why === undefined ? {} : { why }),
    ...(signature === undefined
      ? {}
      : {
          signature: {
            signer: fromMachineText(signature.signer),
            keyId: signature.keyId.toString('hex'),
            hash: signature.hash,
            algorithm: algorithm === '' ? 'unknown' : algorithm,
            attributes: signature.info?.attributes !== undefined,
          },
        }),
    ...(verifier === undefined
      ? {}
      : {
          certificate: {
            subject: fromMachineText(verifier.known.certificate.subject),
            fingerprint: fingerprintOf(verifier.known.certificate),
            place: verifier.known.place,
          },
          trust:
            verifier.trust.kind === 'trusted'
              ? { state: 'trusted', ring: verifier.trust.ring }
              : { state: verifier.trust.kind, why: verifier.trust.why },
        }),
  };
}

/** Whether a module's signature is good: valid, and of a key that the kernel trusts, or of a certificate that was `named`. */
export function isGood({ state, trust }: SignatureRow, named: boolean): boolean {
  return state === 'valid' && (named || trust?.state === 'trusted');
}

/** The signers, those of most modules first; unsigned modules have none. */
export function signerRows(rows: readonly SignatureRow[]): readonly SignerRow[] {
  const found = new Map<string, SignerRow>();
  for (const { signature, state, trust } of rows) {
    if (signature === undefined) continue;
    const { signer, keyId, hash, algorithm } = signature;
    const name = JSON.stringify([signer, keyId, hash, algorithm]);
    const before = found.get(name);
    const seen = trust ?? before?.trust;
    found.set(name, {
      signer,
      keyId,
      hash,
      algorithm,
      modules: (before?.modules ?? 0) + 1,
      valid: (before?.valid ?? 0) + (state === 'valid' ? 1 : 0),
      ...(seen === undefined ? {} : { trust: seen }),
    });
  }
  return [...found.values()].toSorted((a, b) => b.modules - a.modules);
}
