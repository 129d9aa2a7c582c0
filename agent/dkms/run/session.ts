/** What all steps of one dkms run share: the trees, the settings, what was read already, and who is told. */
import {
  readPostTransaction,
  readSigning,
  type Framework,
  type FrameworkReading,
  type FrameworkSource,
  type SigningFramework,
} from '../conf/framework.ts';
import { configPath, readDkmsConf, type ConfKernel, type ConfReading, type DkmsConf } from '../conf/dkms-conf.ts';
import type { OsRelease } from '../../facts/config/os-release.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import type { Signer } from '../build/build-request.ts';
import type { CachePlaces } from '../build/cache/cache-places.ts';
import type { Jobserver } from '../build/process/jobserver.ts';
import type { Sandbox } from '../build/sandbox/sandbox.ts';
import { destinationOf } from '../install/distribution.ts';
import { readModuleCopies, type ModuleCopies } from '../install/module-copies.ts';
import { clearPending, hasIndexes, notePending, pendingReleases } from '../install/pending-indexes.ts';
import { kernelTree, sourceLink, type DkmsKernel, type DkmsModule } from '../tree/dkms-places.ts';
import type { ConfMessage } from '../../records/dkms/conf-message.ts';
import type { Tell } from '../../records/dkms/message.ts';
import type { BuildsProgress } from './autoinstall/build-forecast.ts';
import type { DkmsOptions } from './dkms-options.ts';

/** What a run starts from. */
export interface SessionParts {
  readonly trees: DkmsTrees;
  /** The system's root, '' for this one. */
  readonly root: string;
  /** The settings that no kernel is needed for. */
  readonly framework: Framework;
  /** Where settings that may name a kernel are read from. */
  readonly source: FrameworkSource;
  readonly options: DkmsOptions;
  /** What os-release says; undefined when there is none. */
  readonly os: OsRelease | undefined;
  /** dkms's name for it; '' when there is none. */
  readonly distribution: string;
  /** `/etc/dkms`. */
  readonly etc: string;
  /** Shell variables that a dkms.conf may ask for: `parallel_jobs`, `verbose`, … */
  readonly variables: Readonly<Record<string, string>>;
  /** The kernel that runs, and the machine's architecture. */
  readonly running: DkmsKernel;
  readonly tell: Tell;
  /** Gets several times a second how far builds are whose messages wait for their turn; undefined: nobody looks. */
  readonly showBuilds?: ((progress: BuildsProgress) => void) | undefined;
  /** Called by dkms's name: what dkms refuses is refused, and builds have the rights that dkms gives them. */
  readonly asDkms: boolean;
  /** Where results of builds are kept; undefined: nowhere. */
  readonly cache: CachePlaces | undefined;
}

/** A reading for add, build and install is strict; one that lets a bad package be removed is not. */
export type Strictness = 'strict' | 'lenient';

/** One run. */
export class DkmsSession {
  readonly parts: SessionParts;
  /** Set while many modules are installed: depmod then runs once, at the end. */
  depmodLater = false;
  /** Set while a kernel's modules are removed: dkms says nothing of depmod until its end. */
  quietDepmod = false;
  /** The pool of jobs that several builds share; undefined while there is one build at a time. */
  jobserver: Jobserver | undefined;
  /** The walls of this run's builds; undefined until the first build. */
  sandbox: Promise<Sandbox> | undefined;
  /** The signers that the prologue found, by kernel; a kernel that is here was prepared. */
  readonly signers = new Map<string, Signer | undefined>();
  readonly #readings = new Map<string, ConfReading>();
  readonly #copies = new Map<string, ModuleCopies>();
  readonly #stale = new Set<string>();
  readonly #news = new Set<string>();

  constructor(parts: SessionParts) {
    this.parts = parts;
  }

  /** A session for a build beside others: it tells `tell`, and shares the signers and the pool of jobs. */
  beside(tell: Tell, jobserver: Jobserver): DkmsSession {
    const own = new DkmsSession({ ...this.parts, tell });
    for (const [kernel, signer] of this.signers) own.signers.set(kernel, signer);
    own.jobserver = jobserver;
    own.sandbox = this.sandbox;
    return own;
  }

  /** The key that modules of this run were signed with; undefined when none was signed. */
  get signedWith(): Signer['places'] | undefined {
    return [...this.signers.values()].find((signer) => signer !== undefined)?.places;
  }

  get trees(): DkmsTrees {
    return this.parts.trees;
  }
  get options(): DkmsOptions {
    return this.parts.options;
  }
  get tell(): Tell {
    return this.parts.tell;
  }

  /** The kernel's headers: `/lib/modules/KERNEL/build`, or what --kernelsourcedir names. */
  headersOf({ release }: DkmsKernel): string {
    return this.options.kernelSource === '' ? `${kernelTree(this.trees, release)}/build` : this.options.kernelSource;
  }

  /** The file with the kernel's configuration. */
  kernelConfigOf(kernel: DkmsKernel): string {
    return configPath(this.#confKernel(kernel));
  }

  /**
   * The configuration of a module for a kernel, or the exit status of why it cannot be used (4: missing, 8: bad), which was told.
   * `file` is the dkms.conf unless the registered one is meant.
   */
  conf(module: DkmsModule, kernel: DkmsKernel, strictness: Strictness, file?: string): DkmsConf | 4 | 8 {
    const reading = this.look(module, kernel, strictness, file);
    for (const message of reading.messages) if (this.#isNews(message)) this.tell(message);
    if (reading.kind === 'missing') return 4;
    return reading.kind === 'read' ? reading.conf : 8;
  }

  /** The same for a look that tells nothing; undefined when there is no dkms.conf. */
  confQuietly(module: DkmsModule, kernel: DkmsKernel): DkmsConf | undefined {
    const reading = this.look(module, kernel, 'lenient');
    return reading.kind === 'missing' ? undefined : reading.conf;
  }

  /** A reading, remembered and untold: bash runs once for each file, kernel and strictness. `file` is as in `conf`. */
  look(module: DkmsModule, kernel: DkmsKernel, strictness: Strictness, file?: string): ConfReading {
    const strict = strictness === 'strict';
    const { confFile, directives } = this.options;
    const registered = confFile === '' ? `${sourceLink(this.trees, module)}/dkms.conf` : confFile;
    const path = file ?? registered;
    const key = JSON.stringify([path, module, kernel, strict]);
    const known = this.#readings.get(key);
    if (known !== undefined) return known;
    const reading = readDkmsConf({
      file: path,
      named: file !== undefined || confFile !== '',
      module: module.name,
      version: module.version,
      kernel: this.#confKernel(kernel),
      trees: this.trees,
      etc: this.parts.etc,
      directives,
      variables: this.parts.variables,
      strict,
    });
    this.#readings.set(key, reading);
    return reading;
  }

  /** What is wrong is told each time; what is only worth knowing, once. */
  #isNews(message: ConfMessage): boolean {
    if (!['conf-complaint', 'conf-deprecated', 'conf-directive'].includes(message.kind)) return true;
    const key = JSON.stringify(message);
    if (this.#news.has(key)) return false;
    this.#news.add(key);
    return true;
  }

  /** Who signs the modules of a kernel, as the administrator wants it. */
  signing(kernel: DkmsKernel): SigningFramework {
    return this.#told(readSigning(this.parts.source, this.#confKernel(kernel)));
  }

  /** The command that runs after modules of a kernel were installed or removed; '' for none. */
  postTransaction(kernel: DkmsKernel): string {
    return this.#told(readPostTransaction(this.parts.source, this.#confKernel(kernel)));
  }

  #told<Settings>({ settings, messages }: FrameworkReading<Settings>): Settings {
    for (const message of messages) if (this.#isNews(message)) this.tell(message);
    return settings;
  }

  #confKernel(kernel: DkmsKernel): ConfKernel {
    const { kernelConfig } = this.options;
    const config = kernelConfig === '' ? undefined : kernelConfig;
    return { ...kernel, sourceDir: this.headersOf(kernel), config };
  }

  /** Where a module of the package goes below the kernel's tree. */
  destination(written: string): string {
    return destinationOf(this.parts.distribution, this.parts.framework.addonModulesDir, written);
  }

  /** The modules of a kernel's tree, read once until they change. */
  copies(release: string): ModuleCopies {
    const known = this.#copies.get(release);
    if (known !== undefined) return known;
    const copies = readModuleCopies(kernelTree(this.trees, release));
    this.#copies.set(release, copies);
    return copies;
  }

  /** The modules of a kernel's tree are about to change. */
  willChange(release: string): void {
    if (!this.options.noDepmod) notePending(this.trees.dkmsTree, release);
  }

  /** The modules of a kernel's tree have changed. */
  changed(release: string): void {
    this.#copies.delete(release);
  }

  /** Runs depmod for a kernel, at once or at the end of the run; gives whether it did not fail. */
  async depmod(release: string): Promise<boolean> {
    if (this.options.noDepmod) return true;
    const tree = kernelTree(this.trees, release);
    if (!this.quietDepmod) this.tell({ kind: 'depmod' });
    if (this.depmodLater || !hasIndexes(tree)) {
      if (this.depmodLater) this.#stale.add(release);
      else clearPending(this.trees.dkmsTree, release);
      if (!this.quietDepmod) this.tell({ kind: 'depmod-done' });
      return true;
    }
    const good = await this.#index(release);
    if (good && !this.quietDepmod) this.tell({ kind: 'depmod-done' });
    return good;
  }

  /** Runs the depmods that were put off; gives whether none failed. */
  async finishDepmod(): Promise<boolean> {
    let good = true;
    for (const release of this.#stale) if (!(await this.#index(release))) good = false;
    this.#stale.clear();
    return good;
  }

  /** Runs the depmods that a run which was cut off did not come to. */
  async catchUp(): Promise<void> {
    for (const release of pendingReleases(this.trees.dkmsTree)) this.#stale.add(release);
    await this.finishDepmod();
  }

  /** Writes the indexes of a kernel; tells why not, and gives whether all is well. */
  async #index(release: string): Promise<boolean> {
    const { rebuildIndexes } = await import('../install/module-indexes.ts');
    const result = await rebuildIndexes(kernelTree(this.trees, release), release);
    if (result.kind === 'failed') this.tell({ kind: 'depmod-failed', why: result.why });
    else clearPending(this.trees.dkmsTree, release);
    return result.kind !== 'failed';
  }
}
