/** A made-up system for `dkms`: kernels whose headers copy a made module instead of compiling one. bash, make and tar are real. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { moduleImage } from '../../fixtures/elf-image.ts';

export const plugd = join(import.meta.dirname, '../../../plugd.cjs');
export const KERNEL = '6.1.0-1-test';
export const OTHER = '6.2.0-1-test';
export const ARCH = 'x86_64';

/** How a command ended. */
export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

/** The system, and what can be done with it. */
export interface System {
  readonly dir: string;
  readonly run: (...words: readonly string[]) => Ended;
  /** Makes the sources of a module; `conf` are more lines of its dkms.conf, `text` makes its bytes its own. */
  readonly source: (name: string, version: string, conf?: string, text?: string) => string;
  readonly read: (path: string) => string;
  readonly status: () => string;
}

/** Makes one, with trees and headers of kernels. */
export function system(t: Pick<Test, 'testdir'>, releases: readonly string[] = [KERNEL]): System {
  const dir = t.testdir({
    etc: { 'os-release': 'ID=debian\n', dkms: {} },
    usr: { src: {} },
    var: { lib: { dkms: {} } },
    lib: { modules: {} },
    given: {},
  });
  for (const release of releases) {
    const tree = `${dir}/lib/modules/${release}`;
    mkdirSync(`${tree}/build/include`, { recursive: true });
    writeFileSync(`${tree}/build/.config`, '# CONFIG_MODULE_SIG is not set\n');
    writeFileSync(`${tree}/build/Makefile`, 'all:\n\tcd $(M) && for f in *.image; do cp $$f $${f%.image}.ko; done\n');
    mkdirSync(`${tree}/kernel`);
    writeFileSync(`${tree}/kernel/own.ko`, moduleImage({ modinfo: ['license=GPL', `vermagic=${release} SMP`] }));
    writeFileSync(`${tree}/modules.dep`, 'kernel/own.ko:\n');
  }
  const run = (...words: readonly string[]): Ended => {
    const child = spawnSync(process.execPath, [plugd, 'dkms', ...words, '--root', dir], { encoding: 'utf8', cwd: dir });
    return { status: child.status, out: child.stdout, error: child.stderr };
  };
  return {
    dir,
    run,
    source: (name, version, conf = '', text = version) => {
      const folder = `${dir}/given/${name}-${version}`;
      mkdirSync(folder, { recursive: true });
      const lines = [
        `PACKAGE_NAME="${name}"`,
        `PACKAGE_VERSION="${version}"`,
        `BUILT_MODULE_NAME="${name}"`,
        'DEST_MODULE_LOCATION="/kernel/extra"',
        'STRIP="no"',
        'AUTOINSTALL="yes"',
        conf,
      ];
      writeFileSync(`${folder}/dkms.conf`, `${lines.join('\n')}\n`);
      const modinfo = ['license=GPL', `version=${text}`, `vermagic=${KERNEL} SMP`, `alias=demo:${name}`];
      writeFileSync(`${folder}/${name}.image`, moduleImage({ modinfo }));
      return folder;
    },
    read: (path) => readFileSync(`${dir}/${path}`, 'utf8'),
    status: () => run('status').out,
  };
}

/** The files below a folder and what they hold; links as where they lead. */
export function contents(folder: string, top = folder): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of readdirSync(folder).toSorted()) {
    const path = `${folder}/${name}`;
    const stat = lstatSync(path);
    if (stat.isDirectory()) Object.assign(all, contents(path, top));
    else all[path.slice(top.length)] = stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'latin1');
  }
  return all;
}
