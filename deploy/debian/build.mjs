/**
 * Makes Debian packages of a clone that is built, with dpkg-deb; the same bytes each time:
 *
 *     npm run build:deb [-- --revision N] [-- --out DIR] [-- --lite]     → dist/deb/plugd_0.1.0-1_amd64.deb, dist/deb/plugd-dkms_0.1.0-1_all.deb
 *
 * plugd brings everything and switches on nothing; plugd-lite only with --lite. plugd-dkms is opt-in: it takes dkms's place, name and hooks (Provides, Conflicts).
 * SOURCE_DATE_EPOCH is the time in the packages; the last commit's unless given.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { env, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installSystem, version } from '../install-system.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const { values: options } = parseArgs({
  options: { revision: { type: 'string' }, out: { type: 'string' }, lite: { type: 'boolean' } },
});
const out = resolve(options.out ?? join(root, 'dist/deb'));
const debian = `${version()}-${options.revision ?? '1'}`;
const MAINTAINER = 'plugd developers <plugd@localhost>';

function run(file, args) {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    cwd: root,
    env: { ...env, SOURCE_DATE_EPOCH: epoch },
  });
  if (status !== 0) throw new Error(`${file}: ${error?.message ?? stderr}`);
  return stdout.trim();
}

/** The oldest C library whose symbols the addon needs. */
function libcVersion(file) {
  const found = [...readFileSync(file, 'latin1').matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  return `2.${Math.max(...found)}`;
}

/** Folders 755, everything of one time, as dpkg-deb packs it. */
function settle(folder, seconds) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settle(path, seconds);
    else lutimesSync(path, seconds, seconds);
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, seconds, seconds);
}

/** KiB, as du counts files. */
function sizeOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + 1 + sizeOf(path);
    return sum + (entry.isFile() ? Math.ceil(statSync(path).size / 1024) : 0);
  }, 0);
}

/** Packs `stage` with these fields, and files for dpkg by name. */
function pack(stage, fields, files) {
  const control = Object.entries({ ...fields, 'Installed-Size': sizeOf(stage) }).map(
    ([name, value]) => `${name}: ${value}\n`,
  );
  mkdirSync(join(stage, 'DEBIAN'));
  writeFileSync(join(stage, 'DEBIAN/control'), control.join(''));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(stage, 'DEBIAN', name), text);
    chmodSync(join(stage, 'DEBIAN', name), text.startsWith('#!') ? 0o755 : 0o644);
  }
  settle(stage, Number(epoch));
  const file = join(out, `${fields.Package}_${fields.Version}_${fields.Architecture}.deb`);
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', stage, file]);
  rmSync(stage, { recursive: true });
  console.log(file);
}

/** What dpkg runs, and what wakes it. */
const SCRIPTS = ['postinst', 'prerm', 'postrm', 'triggers'];

function packPlugd() {
  const stage = join(out, 'plugd');
  installSystem(stage, '/usr', { lite: options.lite });
  const libc = libcVersion(join(stage, 'usr/lib/plugd/native/build/Release/plugd.node'));
  pack(
    stage,
    {
      Package: 'plugd',
      Version: debian,
      Architecture: run('dpkg', ['--print-architecture']),
      Maintainer: MAINTAINER,
      Section: 'admin',
      Priority: 'optional',
      Depends: `nodejs (>= 20), libc6 (>= ${libc}), libstdc++6 (>= 11)`,
      Recommends: 'liblzma5, libzstd1',
      Suggests: 'plugd-dkms, pci.ids, usb.ids',
      Description: `loads kernel modules for devices, and says why or why not
 An agent for coldplug and hotplug, diagnostics, and kmod's commands. Nothing
 is switched on by installing it: systemctl enable --now plugd does that.`,
    },
    Object.fromEntries(SCRIPTS.map((name) => [name, readFileSync(join(here, name), 'utf8')])),
  );
}

/** dkms's name and hooks, where dkms's package has them. */
const DKMS_FILES = {
  'usr/lib/dkms/common.postinst': 'common.postinst',
  'usr/lib/dkms/dkms_autoinstaller': 'dkms_autoinstaller',
  'etc/kernel/postinst.d/dkms': 'kernel_postinst',
  'etc/kernel/header_postinst.d/dkms': 'kernel_postinst',
  'etc/kernel/preinst.d/dkms': 'kernel_preinst',
  'etc/kernel/prerm.d/dkms': 'kernel_prerm',
};

function packDkms() {
  const stage = join(out, 'plugd-dkms');
  for (const [to, name] of Object.entries(DKMS_FILES)) {
    mkdirSync(dirname(join(stage, to)), { recursive: true });
    cpSync(join(root, 'hooks/dkms', name), join(stage, to));
  }
  for (const folder of ['usr/sbin', 'usr/share/doc/plugd-dkms']) mkdirSync(join(stage, folder), { recursive: true });
  symlinkSync('../lib/plugd/dist/plugd.cjs', join(stage, 'usr/sbin/dkms'));
  cpSync(join(root, 'LICENSE'), join(stage, 'usr/share/doc/plugd-dkms/copyright'));
  chmodSync(join(stage, 'usr/share/doc/plugd-dkms/copyright'), 0o644);
  const conffiles = Object.keys(DKMS_FILES).filter((path) => path.startsWith('etc/'));
  const fields = {
    Package: 'plugd-dkms',
    Version: debian,
    Architecture: 'all',
    Maintainer: MAINTAINER,
    Section: 'admin',
    Priority: 'optional',
    Depends: `plugd (>= ${version()}), gcc, make, patch`,
    Recommends: 'linux-headers-generic | linux-headers',
    Provides: 'dkms (= 3.4.3)',
    Conflicts: 'dkms',
    Replaces: 'dkms',
    Description: `out-of-tree kernel modules by plugd, in dkms's place
 Takes dkms's name and its hooks for kernel packages; packages that need dkms
 work with it, on the same tree. Installing dkms removes it.`,
  };
  pack(stage, fields, { conffiles: conffiles.map((path) => `/${path}\n`).join('') });
}

let epoch = env.SOURCE_DATE_EPOCH ?? '';
try {
  epoch ||= run('git', ['log', '-1', '--format=%ct']);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  packPlugd();
  packDkms();
} catch (error) {
  console.error(`plugd: ${error.message}`);
  exit(1);
}
