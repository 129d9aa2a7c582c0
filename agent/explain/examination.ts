/**
 * A module's file held against the kernel that is to take it: everything a refusal can be explained or foreseen with. Files
 * are read once; a tree's thousand modules are never all read.
 */
import { FILE_SUFFIXES } from '../facts/modfiles/compression.ts';
import { withoutCompression } from '../facts/modfiles/module-file-name.ts';
import { basename } from 'node:path';
import type { Host } from '../base/host.ts';
import { moduleFile, type ModuleName, moduleNameFromPath } from '../base/names.ts';
import { existsInRoot } from '../base/root.ts';
import { readKernelSample, machineText, readKernelVersions, type KernelSample } from '../facts/trees/kernel-sample.ts';
import { readLoadedModules } from '../facts/kernel/kernel-state.ts';
import { readKernelSymbols, type KernelSymbols } from '../facts/kernel/kernel-symbols.ts';
import { modinfoValue, modinfoValues } from '../facts/modfiles/modinfo.ts';
import { openModuleFile, type ModuleFile } from '../facts/modfiles/module-file.ts';
import { readSignature } from '../facts/modfiles/signature.ts';
import { changedAt, fileAge } from '../facts/trees/file-age.ts';
import type {
  FileEvidence,
  KernelEvidence,
  MissingSymbol,
  ModuleEvidence,
  SignatureEvidence,
  VersionMismatch,
} from '../diagnosis/evidence.ts';
import { badParameters, type GivenParameters } from '../diagnosis/parameters.ts';
import { ruleIndex } from '../rules/modprobe/rule-index.ts';
import { readKernelEvidence } from './kernel-evidence.ts';
import { keyTrust, type Witness } from './key-trust.ts';
import type { Sources } from '../load/sources.ts';

/** A module to examine. */
export interface Examinee {
  readonly module: ModuleName;
  readonly path: string;
  readonly parameters: readonly GivenParameters[];
  /** Modules that will have been loaded before it. */
  readonly before: ReadonlySet<ModuleName>;
  /** It comes after all that modules.dep says it needs: where depmod has seen this very file, no symbol can be missing. */
  readonly planned?: boolean;
}

/** Names that the kernel's loader itself provides. */
const MAGIC = new Set(['__this_module', '_GLOBAL_OFFSET_TABLE_', 'TOC.']);

/** Examines modules of one host. */
export class Examiner {
  readonly #host: Host;
  readonly #sources: Sources;
  #kernel: { readonly evidence: KernelEvidence | undefined } | undefined;
  #sample: { readonly sample: KernelSample | undefined } | undefined;
  #symbols: { readonly symbols: KernelSymbols | undefined } | undefined;
  #loaded: ReadonlySet<ModuleName> | undefined;
  #indexed: number | undefined;

  constructor(host: Host, sources: Sources) {
    this.#host = host;
    this.#sources = sources;
  }

  /** The kernel's state; undefined for another machine. */
  get kernel(): KernelEvidence | undefined {
    this.#kernel ??= { evidence: readKernelEvidence(this.#host) };
    return this.#kernel.evidence;
  }

  /** What is known of a module's file. */
  examine(examinee: Examinee): ModuleEvidence {
    const { module, path } = examinee;
    const kernelBlacklist = ruleIndex(this.#sources.config).first('kernelBlacklists', module)?.place;
    return { module, path, kernelBlacklist, file: this.#file(examinee) };
  }

  #file(examinee: Examinee): FileEvidence {
    const { path } = examinee;
    if (path === '' || fileAge(this.#host.root, path).kind === 'absent') {
      return { kind: 'missing', elsewhere: path === '' ? undefined : this.#elsewhere(path) };
    }
    const file = openModuleFile(this.#host.root, path);
    if (file.kind === 'not-a-module') {
      return { kind: 'unusable', why: file.why, compressed: /decompress|truncated (xz|zstd|gzip)/.test(file.why) };
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
    // What another architecture's symbols are called proves nothing.
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
          : this.#missing(file, module, before, intree),
      // The kernel's own modules were built with it.
      mismatches: intree || foreign ? [] : this.#mismatches(versions),
      badParameters: badParameters(file.modinfo, parameters),
      firmware: modinfoValues(file.modinfo, 'firmware'),
    };
  }

  /** Whether the file is as old as modules.dep, or older. */
  #isIndexed(path: string): boolean {
    this.#indexed ??= changedAt(this.#host.root, `${this.#host.moduleDir}/modules.dep.bin`) ?? 0;
    return (changedAt(this.#host.root, path) ?? Infinity) <= this.#indexed;
  }

  #signature(file: ModuleFile): SignatureEvidence {
    const signature = readSignature(file);
    if (signature === undefined) return { kind: 'unsigned' };
    if (signature.kind === 'damaged') return signature;
    const { kernel } = this;
    const trust =
      kernel === undefined
        ? ({ kind: 'undecided' } as const)
        : keyTrust(this.#host, signature, kernel.keyrings, this.#witnesses());
    return { kind: 'signed', signer: signature.signer, keyId: colons(signature.keyId), hash: signature.hash, trust };
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

  #missing(
    file: ModuleFile,
    module: ModuleName,
    before: ReadonlySet<ModuleName>,
    intree: boolean,
  ): readonly MissingSymbol[] {
    const missing: MissingSymbol[] = [];
    const dependencies = this.#sources.matcher.dependencies(module)?.depends.map(moduleNameFromPath) ?? [];
    for (const { name, weak } of file.needs() ?? []) {
      if (weak || MAGIC.has(name)) continue;
      const provider = this.#providerOf(name);
      if (provider === undefined) {
        // Of the kernel's own modules all that no module exports is the kernel's.
        if (!intree && this.#kernelSymbols()?.has(name) === false)
          missing.push({ symbol: name, provider, inDep: false });
      } else if (
        provider !== module &&
        !before.has(provider) &&
        !this.#loadedModules().has(provider) &&
        !this.#sources.matcher.isBuiltin(provider)
      ) {
        missing.push({ symbol: name, provider, inDep: dependencies.includes(provider) });
      }
    }
    return missing;
  }

  #mismatches(versions: ReadonlyArray<{ readonly name: string; readonly crc: number }>): readonly VersionMismatch[] {
    const mismatches: VersionMismatch[] = [];
    const ofKernel = new Map<string, number>();
    const compare = (symbol: string, wanted: number, found: number | undefined, provider: string) => {
      if (found !== undefined && found !== 0 && found !== wanted) mismatches.push({ symbol, wanted, found, provider });
    };
    const exports = new Map<ModuleName, ReadonlyMap<string, number>>();
    for (const { name, crc } of versions) {
      const provider = this.#providerOf(name);
      if (provider === undefined) {
        const known = this.#kernelSymbols()?.crc(name);
        if (known === undefined) ofKernel.set(name, crc);
        else compare(name, crc, known, 'the kernel');
        continue;
      }
      let own = exports.get(provider);
      if (own === undefined) exports.set(provider, (own = this.#exports(provider)));
      compare(name, crc, own.get(name), provider);
    }
    const found = ofKernel.size === 0 ? undefined : readKernelVersions(this.#host, new Set(ofKernel.keys()));
    for (const [name, crc] of ofKernel) compare(name, crc, found?.get(name), 'the kernel');
    return mismatches;
  }

  #exports(module: ModuleName): ReadonlyMap<string, number> {
    const path = this.#sources.matcher.dependencies(module)?.path;
    const file = path === undefined ? undefined : openModuleFile(this.#host.root, moduleFile(this.#host, path));
    if (file?.kind !== 'module') return new Map();
    try {
      return new Map(file.exports().map(({ name, crc }) => [name, crc]));
    } finally {
      file.close();
    }
  }

  #providerOf(symbol: string): ModuleName | undefined {
    return this.#sources.tree.indexes.symbols?.exact(`symbol:${symbol}`) as ModuleName | undefined;
  }

  #kernelSymbols(): KernelSymbols | undefined {
    this.#symbols ??= { symbols: readKernelSymbols(this.#host) };
    return this.#symbols.symbols;
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

function colons(bytes: Buffer): string {
  return bytes
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1:')
    .toUpperCase();
}
