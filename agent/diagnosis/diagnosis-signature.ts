/** Explains refusals because of signatures. Pure. */
import type { Keyring } from '../facts/kernel/keyring.ts';
import type { KernelEvidence, KeyTrust, Refusal, SignatureEvidence } from './evidence.ts';
import type { KernelState } from '../facts/kernel/kernel-state.ts';
import { errnoIs, said, type Explanation, type Facts, type KnownFacts } from './diagnosis-facts.ts';
import { errnoText } from '../base/errno.ts';
import { quoted } from '../base/words.ts';

type Signed = Extract<SignatureEvidence, { kind: 'signed' }>;

/** How a key comes to be trusted: by the file of its certificate, where that is known. */
function enrolRemedy(trust: KeyTrust): string {
  const { unusable, waits, certificate = 'CERTIFICATE.der' } = trust.kind === 'unknown-key' ? trust : {};
  if (unusable === true) return 'sign it with an RSA key, and enrol that: plugd keys generate';
  if (waits === true) return 'reboot, and confirm the key in the MOK manager, at the console';
  return `enrol the key's certificate: plugd keys enroll --cert ${certificate}; reboot; confirm`;
}

/** What a kernel does about signatures: as it is where it runs, else as it was configured. */
interface SignaturePolicy {
  /** Why it looks at signatures; undefined where it does not. */
  readonly verifies: readonly string[] | undefined;
  /** Why it takes only modules that are signed with a trusted key; undefined where it takes others. */
  readonly enforced: string | undefined;
}

function policyOf({ kernel, config }: Facts): SignaturePolicy {
  if (kernel !== undefined)
    return {
      verifies: kernel.signatureEnforced === undefined ? undefined : [],
      enforced: kernel.signatureEnforced === true ? enforcement(kernel) : undefined,
    };
  if (config?.verifies !== true) return { verifies: undefined, enforced: undefined };
  return {
    verifies: [`the kernel looks at signatures: CONFIG_MODULE_SIG=y in ${config.file}`],
    enforced: config.enforces ? `signatures are enforced: CONFIG_MODULE_SIG_FORCE=y in ${config.file}` : undefined,
  };
}

/** That signatures are enforced, and what is known to stand behind it. */
function enforcement({ signatureEnforced, lockdown, secureBoot }: KernelEvidence): string {
  const known = [
    ...(signatureEnforced === true ? ['sig_enforce=Y'] : []),
    ...(lockdown === undefined || lockdown === 'none' ? [] : [`lockdown=${lockdown}`]),
    ...(secureBoot === 'on' ? ['Secure Boot is on'] : []),
  ].join(', ');
  return known === '' ? 'signatures are enforced' : `signatures are enforced (${known})`;
}

/** What is wrong with a signature. */
interface Fault extends Explanation {
  /** Every kernel that looks at signatures refuses it; else one that enforces them. */
  readonly always: boolean;
}

/** The faults, in the order in which the kernel finds them. Source: mod_verify_sig(), crypto/asymmetric_keys/pkcs7_verify.c, certs/system_keyring.c. */
const FAULTS: ReadonlyArray<(signature: SignatureEvidence, kernel: KernelEvidence | undefined) => Fault | undefined> = [
  (signature) =>
    signature.kind === 'unsigned'
      ? enforcedFault(
          ['the module is not signed'],
          'sign it with a key that the kernel trusts (plugd keys status): plugd sign KEY CERT MODULE',
        )
      : undefined,
  (signature) =>
    signature.kind === 'damaged'
      ? {
          evidence: [`its signature is damaged: ${signature.why}`],
          remedy: 'install the package that holds it again, or sign it again',
          always: true,
        }
      : undefined,
  (signature) =>
    signature.kind === 'unsupported'
      ? enforcedFault(
          [`its signature does not count: ${signature.why}`],
          'sign it again, with the sign-file of a current kernel',
        )
      : undefined,
  (signature) =>
    signature.kind === 'signed' && signature.lacks !== undefined
      ? enforcedFault([signedBy(signature), cannotCheck(signature.lacks)], HASH_REMEDY)
      : undefined,
  (signature) =>
    signature.kind === 'signed' && signature.trust.kind === 'revoked'
      ? {
          evidence: [signedBy(signature), signature.trust.looked],
          remedy: 'sign it with a key that is not revoked',
          always: true,
        }
      : undefined,
  (signature, kernel) =>
    signature.kind === 'signed' && signature.trust.kind === 'unknown-key'
      ? enforcedFault(
          [
            signedBy(signature),
            signature.trust.looked,
            ...(kernel === undefined ? [] : [keysInWords(kernel.keyrings)]),
          ],
          enrolRemedy(signature.trust),
        )
      : undefined,
  (signature) =>
    signature.kind === 'signed' && signature.changed === true
      ? { evidence: changedEvidence(signature), remedy: CHANGED_REMEDY, always: signature.trust.kind === 'trusted' }
      : undefined,
];

const HASH_REMEDY = `load the kernel's module for that hash first (for sha384 and sha512: sha512_generic), or sign it with a hash that the kernel has built in`;
const CHANGED_REMEDY = 'install the package that holds it again, or sign it again as the last step of its build';

function enforcedFault(evidence: readonly string[], remedy: string): Fault {
  return { evidence, remedy, always: false };
}

function cannotCheck(lacks: string): string {
  return `the kernel cannot check it: it has no code for ${lacks}`;
}

function changedEvidence(signature: Signed): readonly string[] {
  return [
    signedBy(signature),
    ...(signature.trust.kind === 'trusted' ? [signature.trust.because] : []),
    'the signature does not fit the contents: the file was changed after it was signed (stripped, patched, damaged)',
  ];
}

/** The first fault, which decides; undefined when nothing speaks against the signature. */
function signatureFault(signature: SignatureEvidence, kernel: KernelEvidence | undefined): Fault | undefined {
  for (const find of FAULTS) {
    const fault = find(signature, kernel);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function signedBy({ signer, keyId }: Signed): string {
  return `signed by ${quoted(signer)}, key ${keyId}`;
}

/**
 * What the kernel itself says against the key of a signature, or that it cannot check one of its kind; undefined when it says
 * neither. Source: mod_verify_sig() in kernel/module/signing.c.
 */
function complaint(
  signature: Signed,
  kernel: KernelEvidence,
  refusal: Refusal,
  line: string | undefined,
): Explanation | undefined {
  if (errnoIs(refusal, 'ENOPKG') || /unsupported crypto/.test(line ?? '')) {
    return {
      evidence: [signedBy(signature), cannotCheck(`the hash (${signature.hash}) or for that kind of key`)],
      remedy: HASH_REMEDY,
    };
  }
  if (/unsigned module/.test(line ?? '')) {
    return {
      evidence: [signedBy(signature), 'the kernel looked for no signature: it does not when an insertion is forced'],
      remedy: 'insert it without force (modprobe without -f)',
    };
  }
  if (errnoIs(refusal, 'EKEYEXPIRED', 'EKEYREVOKED')) {
    return {
      evidence: [signedBy(signature), `the kernel takes nothing of that key: ${errnoText(refusal.errno)}`],
      remedy: 'sign it with a key that is valid, and that the kernel trusts',
    };
  }
  if (!errnoIs(refusal, 'ENOKEY') && !/unavailable key/.test(line ?? '')) return undefined;
  return (
    signatureFault(signature, kernel) ?? {
      evidence: [signedBy(signature), 'the kernel does not have that key', keysInWords(kernel.keyrings)],
      remedy: enrolRemedy(signature.trust),
    }
  );
}

/** A signature that is missing, damaged, of an unknown key, or not of this file. */
export function refusedSignature(facts: Facts): Explanation | undefined {
  const { kernel, image, refusal, logged } = facts;
  if (refusal === undefined) return image === undefined ? undefined : foreseen(image.signature, facts);
  if (kernel === undefined) return undefined;
  const line = logged(/unsigned module|unavailable key|unsupported crypto/i) ?? logged(/signature|rejected/i);
  if (image === undefined)
    return {
      evidence: ['the kernel rejected its signature', ...said(line)],
      remedy: 'install the package that holds it again',
    };
  const { signature } = image;
  const fault =
    (signature.kind === 'signed' ? complaint(signature, kernel, refusal, line) : undefined) ??
    (signature.kind !== 'signed' || line === undefined ? signatureFault(signature, kernel) : undefined);
  if (fault !== undefined) {
    const enforced = 'always' in fault && fault.always ? [] : [enforcement(kernel)];
    return { evidence: [...fault.evidence, ...enforced, ...said(line)], remedy: fault.remedy };
  }
  if (signature.kind !== 'signed') return undefined;
  return { evidence: [...changedEvidence(signature), ...said(line)], remedy: CHANGED_REMEDY };
}

/**
 * What every kernel that looks at signatures refuses, such as one that it cannot parse; and what one that enforces them refuses besides.
 * Source: module_sig_check() in kernel/module/signing.c.
 */
function foreseen(signature: SignatureEvidence, facts: Facts): Explanation | undefined {
  const { verifies, enforced } = policyOf(facts);
  const fault = signatureFault(signature, facts.kernel);
  if (fault === undefined) return undefined;
  if (fault.always && verifies !== undefined)
    return { evidence: [...fault.evidence, ...verifies], remedy: fault.remedy };
  return enforced === undefined ? undefined : { evidence: [...fault.evidence, enforced], remedy: fault.remedy };
}

/** Whether a module that was refused with EPERM, and that no rule of the kernel's names, may be one that is not signed. */
export function mayBeLockedDown({ kernel, module }: KnownFacts): boolean {
  return isLockedDown(kernel) && module.kernelBlacklist === undefined;
}

function isLockedDown(kernel: KernelState | undefined): boolean {
  return kernel?.lockdown !== undefined && kernel.lockdown !== 'none';
}

/** Lockdown, which takes only modules that are signed with a trusted key. */
export function lockedDown({ kernel, config, image, refusal, logged }: Facts): Explanation | undefined {
  const line = logged(/lockdown/i);
  const configured = kernel === undefined && config?.verifies === true ? config.lockdown : undefined;
  if (configured === undefined && (kernel === undefined || (!isLockedDown(kernel) && line === undefined)))
    return undefined;
  // With its signature accepted, a module can still be given what a locked-down kernel takes from nobody.
  const parameters = /module parameters/.test(line ?? '');
  const fault = image === undefined || parameters ? undefined : signatureFault(image.signature, kernel);
  if (fault === undefined && (refusal === undefined || line === undefined)) return undefined;
  const secure = kernel?.secureBoot === 'on' ? ' (Secure Boot is on)' : '';
  const because =
    configured === undefined
      ? `the kernel is locked down: ${kernel?.lockdown ?? 'unknown'}${secure}`
      : `the kernel locks itself down: CONFIG_LOCK_DOWN_KERNEL_FORCE_${configured.toUpperCase()}=y in ${config?.file ?? ''}`;
  return {
    evidence: [...(fault?.evidence ?? []), because, ...said(line)],
    remedy: parameters
      ? 'leave out the parameters that give it addresses, interrupts or DMA channels'
      : (fault?.remedy ?? 'load a module that is signed with a key that the kernel trusts'),
  };
}

/** `keyrings: .builtin_trusted_keys 2, .platform 3` */
export function keysInWords(keyrings: readonly Keyring[]): string {
  if (keyrings.length === 0) return 'the kernel has no keyrings of certificates';
  return `keys: ${keyrings.map(({ name, count, keys }) => `${name} ${keys?.length ?? count}`).join(', ')}`;
}
