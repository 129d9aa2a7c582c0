/** A session on a made-up DKMS tree: modules, what is built and installed of them, and what was told. Sources are dkms.conf alone. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { defaultTrees } from '../../../agent/dkms/conf/trees.ts';
import type { DkmsOptions } from '../../../agent/dkms/run/dkms-options.ts';
import { DkmsSession, type SessionParts } from '../../../agent/dkms/run/session.ts';
import type { DkmsMessage } from '../../../agent/records/dkms/message.ts';

/** The running kernel. */
export const RUNNING = { release: '6.1.0-1-amd64', arch: 'x86_64' } as const;

export class SessionRig {
  readonly trees;
  readonly told: DkmsMessage[] = [];
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.trees = defaultTrees(dir);
    mkdirSync(this.trees.dkmsTree, { recursive: true });
  }

  session(options: Partial<DkmsOptions> = {}): DkmsSession {
    const given: Partial<DkmsOptions> = {
      kernels: [],
      arches: [],
      directives: [],
      module: '',
      version: '',
      confFile: '',
      kernelSource: '',
      kernelConfig: '',
      templateKernel: '',
      ...options,
    };
    const parts: Partial<SessionParts> = {
      trees: this.trees,
      root: this.#dir,
      etc: `${this.#dir}/etc/dkms`,
      source: { etc: `${this.#dir}/etc/dkms`, environment: {}, sysconfig: '' },
      framework: { addonModulesDir: '' } as Partial<SessionParts['framework']> as SessionParts['framework'],
      options: given as DkmsOptions,
      distribution: '',
      variables: {},
      running: RUNNING,
      tell: (message) => this.told.push(message),
    };
    return new DkmsSession(parts as SessionParts);
  }

  /** Registers a version; `conf` are lines beside its names and its one module. */
  add(name: string, version: string, conf = ''): void {
    const source = `${this.trees.sourceTree}/${name}-${version}`;
    mkdirSync(source, { recursive: true });
    const lines = [`PACKAGE_NAME=${name}`, `PACKAGE_VERSION=${version}`, 'DEST_MODULE_LOCATION=/updates', conf];
    writeFileSync(`${source}/dkms.conf`, `${lines.join('\n')}\n`);
    mkdirSync(`${this.trees.dkmsTree}/${name}/${version}`, { recursive: true });
    symlinkSync(source, `${this.trees.dkmsTree}/${name}/${version}/source`);
  }

  /** The result of a build, with the text in the place of a module. */
  build(name: string, version: string, text = version, release: string = RUNNING.release): void {
    const folder = `${this.trees.dkmsTree}/${name}/${version}/${release}/x86_64/module`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/${name}.ko`, text);
  }

  /** The same, and the module in the kernel's tree; `text` is what lies there. */
  install(name: string, version: string, text = version, release: string = RUNNING.release): void {
    this.build(name, version, version, release);
    const folder = `${this.trees.installTree}/${release}/updates`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/${name}.ko`, text);
    symlinkSync(`${version}/${release}/x86_64`, `${this.trees.dkmsTree}/${name}/kernel-${release}-x86_64`);
  }
}
