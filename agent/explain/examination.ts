/**
 * Examines a module's file against a kernel, for everything that explains or foresees a refusal. Reads only, each file once; it never
 * reads all of a tree's thousand modules.
 */
import { ERRNO } from '../base/errno.ts';
import { FILE_SUFFIXES } from '../facts/modfiles/compression.ts';
import { withoutCompression } from '../facts/modfiles/module-file-name.ts';
import { basename } from 'node:path';
import type { Host } from '../base/host.ts';
import { moduleFile, type ModuleName } from '../base/names.ts';
import { existsInRoot } from '../base/root.ts';
import { readKernelSample, machineText, type KernelSample } from '../facts/trees/kernel-sample.ts';
import { readFilePlace, readImaMark } from '../facts/kernel/file-guards.ts';
import { readLoadedModules } from '../facts/kernel/kernel-state.ts';
import { modinfoValue, modinfoValues } from '../facts/modfiles/modinfo.ts';
import { openModuleFile, type ModuleFile } from '../facts/modfiles/module-file.ts';
import { readSignature, type ModuleSignature } from '../facts/modfiles/signature.ts';
import { readCryptoNames, readProc } from '../facts/kernel/procfs.ts';
import { changedAt, fileAge } from '../facts/trees/file-age.ts';
import type {
  ConfigEvidence,
  FileEvidence,
  FileStanding,
  KernelEvidence,
  ModuleEvidence,
  SignatureEvidence,
} from '../diagnosis/evidence.ts';
import { badParameters, type GivenParameters } from '../diagnosis/parameters.ts';
import { ruleIndex } from '../rules/modprobe/rule-index.ts';
import { readConfigEvidence, readKernelEvidence } from './kernel-evidence.ts';
import { keyTrust, signersOf, type Witness } from './key-trust.ts';
import { SymbolExaminer } from './symbol-evidence.ts';
import type { Sources } from '../load/sources.ts';
import { readKnownCertificates, type KnownCertificate } from '../trust/known-certificates.ts';
import { checkSignature } from '../trust/signature-check.ts';

/** A module to examine. */
export interface Examinee {
  readonly module: ModuleName;
  readonly path: string;
  readonly parameters: readonly GivenParameters[];
  /** Modules that will have been loaded before it. */
  readonly before: ReadonlySet<ModuleName>;
  /** It comes after everything that modules.dep says it needs: if depmod has seen this very file, no symbol can be missing. */
  readonly planned?: boolean;
}

/** Examines modules of one host. */
export class Examiner {
  readonly #host: Host;
  readonly #sources: Sources;
  readonly #symbols: SymbolExaminer;
  #kernel: { readonly evidence: KernelEvidence | undefined } | undefined;
  #sample: { readonly sample: KernelSample | undefined } | undefined;
  #config: { readonly evidence: ConfigEvidence | undefined } | undefined;
  #loaded: ReadonlySet<ModuleName> | undefined;
  #indexed: number | undefined;
  #certificates: readonly KnownCertificate[] | undefined;
  #hashes: ReadonlySet<string> | undefined;

  constructor(host: Host, sources: Sources) {
    this.#host = host;
    this.#sources = sources;
    this.#symbols = new SymbolExaminer(host, sources, (module) => this.#loadedModules().has(module));
  }

  /** The kernel's state; undefined for another machine. */
  get kernel(): KernelEvidence | undefined {
    this.#kernel ??= { evidence: readKernelEvidence(this.#host) };
    return this.#kernel.evidence;
  }

  /** How that kernel was configured; undefined when no file says so. */
  get config(): ConfigEvidence | undefined {
    this.#config ??= { evidence: readConfigEvidence(this.#host) };
    return this.#config.evidence;
  }

  /** The facts about a module's file. */
  examine(examinee: Examinee): ModuleEvidence {
    const { module, path } = examinee;
    const kernelBlacklist = ruleIndex(this.#sources.config).first('kernelBlacklists', module)?.place;
    return { module, path, kernelBlacklist, file: this.#file(examinee), standing: this.#standing(path) };
  }

  /** Asked for only where the kernel looks at files. */
  #standing(path: string): FileStanding | undefined {
    const guards = this.kernel?.guards;
    if (path === '' || guards === undefined || (guards.appraisal === undefined && !guards.loadPin)) return undefined;
    const { root } = this.#host;
    return { imaMark: readImaMark(root, path), place: readFilePlace(this.#host, path) };
  }

  #file(examinee: Examinee): FileEvidence {
    const { path } = examinee;
    if (path === '' || fileAge(this.#host.root, path).kind === 'absent') {
      return { kind: 'missing', elsewhere: path === '' ? undefined : this.#elsewhere(path) };
    }
    const file = openModuleFile(this.#host.root, path);
    if (file.kind === 'not-a-module') {
      return { kind: 'unusable', why: file.why, compressed: file.packed === true, errno: file.errno };
    }
    try {
      return this.#image(file, examinee);
    } finally {
      file.close();
    }
  }

  #image(file: ModuleFile, examinee: Examinee): FileEvidence {
    const { module, parameters, before, planned, path } = examinee;
    this.#sample ??= { sample: readKernelSample(this.#host) };
    const { sample } = this.#sample;
    const versions = file.versions();
    const architecture = machineText(file.elf);
    const expectedArchitecture = sample === undefined ? undefined : machineText(sample);
    // Another architecture's symbol names prove nothing.
    const foreign = expectedArchitecture !== undefined && architecture !== expectedArchitecture;
    const intree = modinfoValue(file.modinfo, 'intree') === 'Y' && file.vermagic === sample?.vermagic;
    return {
      kind: 'module',
      vermagic: file.vermagic,
      expectedVermagic: sample?.vermagic,
      architecture,
      expectedArchitecture,
      hasVersions: versions.length > 0,
      signature: this.#signature(file),
      missingSymbols:
        foreign || (intree && planned === true && this.#isIndexed(path))
          ? []
          : this.#symbols.missing(file, module, before, intree),
      // The kernel's own modules were built with it, and its build looks at the terms of symbols.
      withheldSymbols: intree || foreign ? [] : this.#symbols.withheld(file, module),
      mismatches: intree || foreign ? [] : this.#symbols.mismatches(versions),
      badParameters: badParameters(file.modinfo, parameters),
      firmware: modinfoValues(file.modinfo, 'firmware'),
    };
  }

  /** Whether the file is at least as old as modules.dep. */
  #isIndexed(path: string): boolean {
    this.#indexed ??= changedAt(this.#host.root, `${this.#host.moduleDir}/modules.dep.bin`) ?? 0;
    return (changedAt(this.#host.root, path) ?? Infinity) <= this.#indexed;
  }

  #signature(file: ModuleFile): SignatureEvidence {
    const signature = readSignature(file);
    if (signature === undefined) return { kind: 'unsigned' };
    if (signature.kind === 'damaged')
      return { kind: signature.errno === ERRNO.ENOPKG ? 'unsupported' : 'damaged', why: signature.why };
    if (signature.idType !== 'PKCS#7')
      return { kind: 'unsupported', why: `it is of the kind ${signature.idType}, of kernels before 4.3` };
    this.#certificates ??= readKnownCertificates(this.#host);
    const { kernel } = this;
    const trust =
      kernel === undefined
        ? ({ kind: 'undecided' } as const)
        : keyTrust(this.#host, signature, kernel.keyrings, this.#witnesses(), this.#certificates);
    return {
      kind: 'signed',
      signer: signature.signer,
      keyId: colons(signature.keyId),
      hash: signature.hash,
      trust,
      lacks: kernel === undefined ? undefined : this.#lacks(signature.hash),
      changed: wasChanged(file, signature, this.#certificates),
    };
  }

  /** The hash of a signature, where the running kernel neither has it nor can load it: it asks for the module crypto-HASH itself. */
  #lacks(hash: string): string | undefined {
    this.#hashes ??= readCryptoNames(this.#host);
    if (this.#hashes === undefined || hash === '' || this.#hashes.has(hash)) return undefined;
    const helper = readProc(this.#host, 'sys/kernel/modprobe')?.trimEnd() ?? '';
    const loads = helper !== '' && this.#sources.matcher.lookup(`crypto-${hash}`).kind !== 'none';
    return loads ? undefined : `the hash (${hash})`;
  }

  *#witnesses(): Generator<Witness> {
    for (const module of this.#loadedModules()) {
      const found = this.#sources.matcher.dependencies(module);
      if (found?.path.startsWith('kernel/') === true) yield { module, path: moduleFile(this.#host, found.path) };
    }
  }

  #loadedModules(): ReadonlySet<ModuleName> {
    this.#loaded ??= new Set(
      [...(readLoadedModules(this.#host) ?? [])].filter(([, state]) => state === 'live').map(([module]) => module),
    );
    return this.#loaded;
  }

  /** Where in the tree a file of that name is now: under another compression, or in one of the usual folders. */
  #elsewhere(path: string): string | undefined {
    const bare = withoutCompression(path);
    const same = FILE_SUFFIXES.map((suffix) => bare + suffix);
    const others = ['updates', 'updates/dkms', 'extra', 'weak-updates'].flatMap((folder) =>
      same.map((file) => `${this.#host.moduleDir}/${folder}/${basename(file)}`),
    );
    return [...same, ...others].find((candidate) => candidate !== path && existsInRoot(this.#host.root, candidate));
  }
}

/** Whether a certificate of the signer's key shows that the file is another one than was signed; false where none is at hand. */
function wasChanged(file: ModuleFile, signature: ModuleSignature, certificates: readonly KnownCertificate[]): boolean {
  const { info } = signature;
  const signers = signersOf(signature, certificates);
  if (info === undefined || signers.length === 0) return false;
  const image = file.image();
  const contents = image.subarray(0, image.length - signature.length);
  return signers.every(({ certificate }) => checkSignature(contents, info, certificate).kind === 'tampered');
}

function colons(bytes: Buffer): string {
  return bytes
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1:')
    .toUpperCase();
}
