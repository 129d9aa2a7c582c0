/**
 * Verifies modules' signatures with the certificates that are at hand, and says who trusts their keys. Reads files; the kernel's image only
 * when a signature is of a key that nothing else has.
 */
import type { Host } from '../base/host.ts';
import { openModuleFileAsync, type ModuleFile } from '../facts/modfiles/module-file.ts';
import { readSignature, type ModuleSignature } from '../facts/modfiles/signature.ts';
import type { SignerInfo } from '../facts/modfiles/signed-data.ts';
import { readKernelCertificates, readKnownCertificates, type KnownCertificate } from './known-certificates.ts';
import { algorithmName, checkSignature, isSigner } from './signature-check.ts';
import { trustOf, type Trust, type TrustFacts } from './trust.ts';

/**
 * What a module's signature is worth: `valid`; `tampered`, the module or the signature was changed; `unknown-key`, no certificate of its
 * key is at hand; `unsupported`, plugd cannot verify that kind; `damaged`; `unsigned`; `unreadable`, the file is no module.
 */
export type SignatureState =
  | 'valid'
  | 'tampered'
  | 'unknown-key'
  | 'unsupported'
  | 'damaged'
  | 'unsigned'
  | 'unreadable';

/** The certificate that a signature was verified with; `place` is where it was found. */
export interface Verifier {
  readonly known: KnownCertificate;
  readonly trust: Trust;
}

/** The verdict about one module; `why` completes what is not `valid` or `unsigned`. Texts of the signature are latin1. */
export interface ModuleVerdict {
  readonly path: string;
  readonly state: SignatureState;
  readonly why: string | undefined;
  readonly signature: ModuleSignature | undefined;
  /** `RSA`, `ECDSA`, `ML-DSA-65`; '' without a signature. */
  readonly algorithm: string;
  readonly verifier: Verifier | undefined;
}

/** Verifies modules one after the other, or several at a time. */
export class Verification {
  readonly #host: Host;
  readonly #facts: TrustFacts;
  readonly #named: readonly KnownCertificate[];
  readonly #alone: boolean;
  #quick: readonly KnownCertificate[] | undefined;
  #kernel: readonly KnownCertificate[] | undefined;
  readonly #found = new Map<string, readonly KnownCertificate[]>();

  /** `named` are certificates that were given; with any, no others count. */
  constructor(host: Host, facts: TrustFacts, named: readonly KnownCertificate[] = []) {
    this.#host = host;
    this.#facts = facts;
    this.#named = named;
    this.#alone = named.length > 0;
  }

  /** The verdict about a file of the host's root. Never throws for a file that is damaged. */
  async verify(path: string): Promise<ModuleVerdict> {
    const file = await openModuleFileAsync(this.#host.root, path);
    if (file.kind === 'not-a-module') return bare(path, 'unreadable', file.why);
    try {
      return this.#verdict(path, file);
    } finally {
      file.close();
    }
  }

  #verdict(path: string, file: ModuleFile): ModuleVerdict {
    const signature = readSignature(file);
    if (signature === undefined) return bare(path, 'unsigned', undefined);
    if (signature.kind === 'damaged') return bare(path, 'damaged', signature.why);
    const { info } = signature;
    if (info === undefined) {
      const why = `a signature of the kind ${signature.idType}, of kernels before 4.3`;
      return { path, state: 'unsupported', why, signature, algorithm: '', verifier: undefined };
    }
    const algorithm = algorithmName(info.algorithm);
    const candidates = this.#candidates(info);
    if (candidates.length === 0) {
      const why = 'no certificate of its key is at hand';
      return { path, state: 'unknown-key', why, signature, algorithm, verifier: undefined };
    }
    const image = file.image();
    const contents = image.subarray(0, image.length - signature.length);
    const checks = candidates.map((known) => ({ known, check: checkSignature(contents, info, known.certificate) }));
    const best = checks.find(({ check }) => check.kind === 'valid') ?? checks[0];
    if (best === undefined) return bare(path, 'unknown-key', undefined);
    const { known, check } = best;
    const sources = candidates
      .filter(({ certificate }) => certificate.der.equals(known.certificate.der))
      .map(({ source }) => source);
    const verifier = { known, trust: trustOf(known.certificate, sources, this.#facts) };
    return {
      path,
      state: check.kind,
      why: check.kind === 'valid' ? undefined : check.why,
      signature,
      algorithm,
      verifier,
    };
  }

  /** The certificates that may be the signer's. */
  #candidates(info: SignerInfo): readonly KnownCertificate[] {
    const name = `${info.issuer?.toString('latin1')}\0${info.keyId.toString('latin1')}`;
    let found = this.#found.get(name);
    if (found === undefined) {
      found = this.#search(info);
      this.#found.set(name, found);
    }
    return found;
  }

  #search(info: SignerInfo): readonly KnownCertificate[] {
    const of = (list: readonly KnownCertificate[]) => list.filter(({ certificate }) => isSigner(certificate, info));
    if (this.#alone) return of(this.#named);
    this.#quick ??= readKnownCertificates(this.#host);
    const quick = of(this.#quick);
    // A file alone says nothing about the kernel's trust.
    if (quick.some(({ source }) => source !== 'file')) return quick;
    this.#kernel ??= readKernelCertificates(this.#host);
    return [...of(this.#kernel), ...quick];
  }
}

function bare(path: string, state: SignatureState, why: string | undefined): ModuleVerdict {
  return { path, state, why, signature: undefined, algorithm: '', verifier: undefined };
}
