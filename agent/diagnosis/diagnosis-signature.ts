import type { Keyring } from '../facts/kernel/keyring.ts';
import type { KernelEvidence, KernelState, SignatureEvidence } from './evidence.ts';
import { said, type Explanation, type Facts, type KnownFacts } from './diagnosis-facts.ts';
import { quoted } from '../base/words.ts';

function enforcement(kernel: KernelEvidence): string {
  const secure = kernel.secureBoot === 'on' ? ', Secure Boot is on' : '';
  return `signatures are enforced (sig_enforce=Y${kernel.lockdown === undefined || kernel.lockdown === 'none' ? '' : `, lockdown=${kernel.lockdown}`}${secure})`;
}

/** What is wrong with a signature in words, and what would mend it. */
function signatureFault(signature: SignatureEvidence, kernel: KernelEvidence): Explanation | undefined {
  if (signature.kind === 'unsigned') {
    return {
      evidence: ['the module is not signed'],
      remedy:
        'sign it with a key that the kernel trusts: a machine owner key (mokutil --import KEY.der; reboot; confirm), then sign-file sha256 KEY.priv KEY.der MODULE.ko',
    };
  }
  if (signature.kind === 'damaged')
    return {
      evidence: [`its signature is damaged: ${signature.why}`],
      remedy: 'install the package that holds it again, or sign it again',
    };
  if (signature.trust.kind !== 'unknown-key') return undefined;
  return {
    evidence: [
      `signed by ${quoted(signature.signer)}, key ${signature.keyId}`,
      signature.trust.looked,
      keysInWords(kernel.keyrings),
    ],
    remedy: `enrol the key's certificate: mokutil --import CERTIFICATE.der; reboot; confirm. DKMS keeps its own in /var/lib/dkms/mok.pub`,
  };
}

/** A signature that is missing, damaged, of an unknown key, or not of this file. */
export function refusedSignature({ kernel, image, refusal, logged }: Facts): Explanation | undefined {
  if (kernel === undefined) return undefined;
  const line = logged(/signature|rejected|unsigned|unavailable key|unsupported crypto/i);
  const broken = image?.signature.kind === 'damaged';
  if (refusal === undefined) {
    if (image === undefined) return undefined;
    // A damaged signature is refused by every kernel that looks at signatures.
    if (broken && kernel.signatureEnforced !== undefined) return signatureFault(image.signature, kernel);
    const fault = kernel.signatureEnforced === true ? signatureFault(image.signature, kernel) : undefined;
    return fault === undefined
      ? undefined
      : { evidence: [...fault.evidence, enforcement(kernel)], remedy: fault.remedy };
  }
  const fault = image === undefined ? undefined : signatureFault(image.signature, kernel);
  if (fault !== undefined && /unavailable key|unsigned|unsupported/.test(line ?? 'unsigned')) {
    const enforced = broken ? [] : [enforcement(kernel)];
    return { evidence: [...fault.evidence, ...enforced, ...said(line)], remedy: fault.remedy };
  }
  if (image?.signature.kind !== 'signed')
    return {
      evidence: ['the kernel rejected its signature', ...said(line)],
      remedy: 'install the package that holds it again',
    };
  const because = image.signature.trust.kind === 'trusted' ? [image.signature.trust.because] : [];
  return {
    evidence: [
      `signed by ${quoted(image.signature.signer)}, key ${image.signature.keyId}`,
      ...because,
      'the signature does not fit the contents: the file was changed after it was signed (stripped, patched, damaged)',
      ...said(line),
    ],
    remedy: 'install the package that holds it again, or sign it again as the last step of its build',
  };
}

/** Whether a module that was refused with EPERM, and that no rule of the kernel's names, may be one that is not signed. */
export function mayBeLockedDown({ kernel, module }: KnownFacts): boolean {
  return isLockedDown(kernel) && module.kernelBlacklist === undefined;
}

function isLockedDown(kernel: KernelState | undefined): boolean {
  return kernel?.lockdown !== undefined && kernel.lockdown !== 'none';
}

/** Lockdown, which takes only modules that are signed with a trusted key. */
export function lockedDown({ kernel, image, refusal, logged }: Facts): Explanation | undefined {
  if (kernel === undefined) return undefined;
  const line = logged(/lockdown/i);
  if (!isLockedDown(kernel) && line === undefined) return undefined;
  const fault = image === undefined ? undefined : signatureFault(image.signature, kernel);
  if (fault === undefined && (refusal === undefined || line === undefined)) return undefined;
  const secure = kernel.secureBoot === 'on' ? ' (Secure Boot is on)' : '';
  return {
    evidence: [
      ...(fault?.evidence ?? []),
      `the kernel is locked down: ${kernel.lockdown ?? 'unknown'}${secure}`,
      ...said(line),
    ],
    remedy: fault?.remedy ?? 'load a module that is signed with a key that the kernel trusts',
  };
}

/** `keyrings: .builtin_trusted_keys 2, .platform 3` */
export function keysInWords(keyrings: readonly Keyring[]): string {
  if (keyrings.length === 0) return 'the kernel has no keyrings of certificates';
  return `keys: ${keyrings.map(({ name, count, keys }) => `${name} ${keys?.length ?? count}`).join(', ')}`;
}
