/** A DKMS tree, a source and a kernel's headers in a temporary folder. make and bash are real, the compiler is cp. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildModule } from '../../../agent/dkms/build/build.ts';
import { buildPaths, type BuildPaths } from '../../../agent/dkms/build/build-paths.ts';
import type { BuildOutcome, BuildRequest } from '../../../agent/dkms/build/build-request.ts';
import type { ConfModule } from '../../../agent/dkms/conf/conf-modules.ts';
import type { DkmsConf } from '../../../agent/dkms/conf/dkms-conf.ts';
import type { BuildMessage } from '../../../agent/records/dkms/build-message.ts';
import { buildText } from '../../../agent/report/dkms/build-text.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

export const K = '6.1.0-56-amd64';

/** A module whose vermagic is that of a kernel. */
export function moduleFor(kernel: string): Buffer {
  return moduleImage({ modinfo: ['license=GPL', `vermagic=${kernel} SMP preempt mod_unload `] });
}

/** One record of a dkms.conf. */
export function record(name: string, more: Partial<ConfModule> = {}): ConfModule {
  return { name, location: '', destName: name, destLocation: '/updates', strip: false, exclusion: undefined, ...more };
}

/** A rig of one test; everything goes when the test ends. */
export class BuildRig {
  readonly home: string;
  readonly paths: BuildPaths;
  readonly source: string;
  readonly #messages: BuildMessage[] = [];

  constructor(t: { teardown(work: () => void): void }, files: Readonly<Record<string, string | Buffer>> = {}) {
    this.home = realpathSync(mkdtempSync(join(tmpdir(), 'plugd-dkms-')));
    t.teardown(() => rmSync(this.home, { recursive: true, force: true }));
    this.source = join(this.home, 'src/m-1.0');
    this.paths = buildPaths(this.trees, 'm', '1.0', { release: K, arch: 'x86_64' });
    this.write('modules/K/build/include/config/kernel.release', `${K}\n`);
    this.write('modules/K/build/Makefile', 'all:\n\tcp $(M)/prepared $(M)/m.ko\n');
    for (const [name, content] of Object.entries({ 'dkms.conf': '', prepared: moduleFor(K), ...files })) {
      this.write(`src/m-1.0/${name}`, content);
    }
    mkdirSync(this.paths.base, { recursive: true });
    symlinkSync(this.source, this.paths.source);
  }

  get trees() {
    return {
      dkmsTree: join(this.home, 'dkms'),
      sourceTree: join(this.home, 'src'),
      installTree: join(this.home, 'modules'),
    };
  }

  /** Writes a file; one that begins with `#!` can be executed. */
  write(name: string, content: string | Buffer): string {
    const path = join(this.home, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (content.toString('latin1', 0, 2).startsWith('#!')) chmodSync(path, 0o755);
    return path;
  }

  conf(more: Partial<DkmsConf> = {}): DkmsConf {
    return {
      file: join(this.source, 'dkms.conf'),
      packageName: 'm',
      packageVersion: '1.0',
      modules: [record('m')],
      exclusion: undefined,
      make: `make -C ${this.home}/modules/K/build M=${this.paths.build}`,
      patches: [],
      preBuild: undefined,
      postBuild: undefined,
      postAdd: undefined,
      preInstall: undefined,
      postInstall: undefined,
      postRemove: undefined,
      buildDepends: [],
      buildDependsRebuild: false,
      autoinstall: true,
      noWeakModules: false,
      obsoleteBy: undefined,
      sandbox: undefined,
      hasExclusives: false,
      deprecated: [],
      ...more,
    };
  }

  async build(more: Partial<BuildRequest> = {}, conf: Partial<DkmsConf> = {}): Promise<BuildOutcome> {
    return buildModule({
      module: 'm',
      version: '1.0',
      os: undefined,
      conf: this.conf(conf),
      kernel: {
        release: K,
        arch: 'x86_64',
        sourceDir: join(this.home, 'modules/K/build'),
        config: undefined,
        suffix: '',
      },
      trees: this.trees,
      framework: {
        compressGzipOpts: '',
        compressXzOpts: '--check=crc32',
        compressZstdOpts: '-q -T0',
        buildEnvironment: '',
      },
      etc: join(this.home, 'etc'),
      force: false,
      verbose: false,
      jobs: 1,
      signer: async () => undefined,
      missingDepends: [],
      tell: (message) => this.#messages.push(message),
      ...more,
    });
  }

  /** What was told since the last call, as dkms says it, the temporary folder as `/T`. */
  shown(): string {
    return this.words(this.told().filter(({ kind }) => kind !== 'build-cost'));
  }

  words(messages: readonly BuildMessage[]): string {
    return messages
      .map((message) => buildText(message).text)
      .join('')
      .replaceAll(this.home, '/T');
  }

  told(): readonly BuildMessage[] {
    return this.#messages.splice(0);
  }
}
