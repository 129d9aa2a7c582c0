/** A Debian package of an out-of-tree module, built and signed by `dkms install` in a root of its own (dkms-root.ts). */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../fixtures/cache.ts';
import { debianPackages, type Missing } from '../../fixtures/debian.ts';
import { runInRoot } from '../../fixtures/roots/overlay-root.ts';
import { dkmsRoot } from './dkms-root.ts';

const project = join(import.meta.dirname, '../../../..');

/** The module that was built. */
export interface BuiltPackage {
  readonly kind: 'built';
  readonly kernel: string;
  /** The module's file, on this machine. */
  readonly file: string;
}

/** Arguments: the kernel, and the package. Shown: /debs, /told, /var/cache/kept-make, the project. */
const RUN = `
  set -e
  mkdir -p /usr/lib/kept-make /etc/dkms/framework.conf.d
  mv /usr/bin/make /usr/lib/kept-make/make
  cp "$HERE/kept-make.sh" /usr/bin/make
  chmod 755 /usr/bin/make
  echo try_sign_modules=true > /etc/dkms/framework.conf.d/sign.conf
  dpkg-deb -x /debs/"$2"_*.deb /
  module=$(basename /usr/src/"\${2%-dkms}"-*)
  # By dkms's name it has no walls, and what earlier runs kept may be read.
  ln -s "$PLUGD" /usr/local/sbin/dkms
  dkms install "\${module%%-*}/\${module#*-}" -k "$1"
  cp "/lib/modules/$1/updates/dkms/"*.ko /told/`;

/** Builds `v4l2loopback-dkms` and copies its module to a folder; or the sentence that says why not. Throws when the build fails. */
export async function buildPackage(name: string, folder: string): Promise<BuiltPackage | Missing> {
  const root = await dkmsRoot();
  const debs = root.kind === 'ready' ? await debianPackages([name]) : root;
  if (root.kind === 'missing' || debs.kind === 'missing') return root.kind === 'missing' ? root : (debs as Missing);
  const kept = join(cacheFolder(), `kept-make-${root.kernel}`);
  mkdirSync(kept, { recursive: true });
  const shown = [
    { outside: project, inside: project },
    { outside: debs.root, inside: '/debs' },
    { outside: folder, inside: '/told', writable: true },
    { outside: kept, inside: '/var/cache/kept-make', writable: true },
  ];
  const variables = [`PLUGD=${join(project, 'dist/plugd.cjs')}`, `HERE=${join(project, 'test/oracle/dkms')}`];
  const command = ['env', ...variables, 'sh', '-c', RUN, 'sh', root.kernel, name];
  const { status, stdout, stderr } = await runInRoot(root, command, { shown, timeout: 3600_000 });
  if (status !== 0) throw new Error(`${name}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  return { kind: 'built', kernel: root.kernel, file: join(folder, `${name.replace(/-dkms$/, '')}.ko`) };
}
