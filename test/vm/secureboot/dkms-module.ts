/**
 * A module for the laboratory's kernel by the whole way of plugd's DKMS: a key, made; the module, compiled against the kernel's headers by that
 * release's compiler, signed and installed. It happens in a Debian of the kernel's release, whose headers' programs need its C library.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DKMS_MOK } from '../../../agent/trust/mok-files.ts';
import type { DebianTree, Missing } from '../../fixtures/debian.ts';
import { runInRoot, type OverlayRoot } from '../../fixtures/roots/overlay-root.ts';
import { suiteRoot } from '../../fixtures/roots/suite-root.ts';
import { DKMS_PACKAGES, dkmsRoot } from '../../oracle/dkms/dkms-root.ts';
import type { GuestFiles } from '../machine/image.ts';

const project = join(import.meta.dirname, '../../../..');

/** What DKMS left. */
export interface DkmsModule {
  readonly kind: 'ready';
  /** What it is called. */
  readonly name: string;
  /** Where it is installed: `/lib/modules/6.12…/updates/dkms/plugd-own.ko.xz`. */
  readonly path: string;
  /** The module at its place; the key that signed it and its certificate in `/root/dkms`. */
  readonly files: GuestFiles;
  /** What was said on the way. */
  readonly log: string;
}

/** Where the key is in the guest until it is put in its place. */
export const CARRIED_KEY = '/root/dkms';

const NAME = 'plugd-own';
const SOURCES: Readonly<Record<string, string>> = {
  'dkms.conf': `PACKAGE_NAME="${NAME}"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME[0]="${NAME}"
DEST_MODULE_LOCATION[0]="/updates/dkms"
AUTOINSTALL="yes"
`,
  Makefile: `obj-m := ${NAME}.o
KDIR ?= /lib/modules/$(shell uname -r)/build
all:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
`,
  [`${NAME}.c`]: `#include <linux/module.h>
static int __init own_init(void) { return 0; }
static void __exit own_exit(void) { }
module_init(own_init);
module_exit(own_exit);
MODULE_DESCRIPTION("What a key of one's own signs");
MODULE_LICENSE("GPL");
`,
};

/** Argument: the kernel. Shown: the project, /tree with the kernel's modules, /out with the sources, which gets the results. */
const RUN = `
  set -e
  kernel=$1 modules=/lib/modules/$1
  # One module tells how this kernel's are compressed.
  mkdir -p "$modules/kernel/drivers/net"
  cp /tree/kernel/drivers/net/dummy.ko* "$modules/kernel/drivers/net/"
  cp /tree/modules.builtin* /tree/modules.order "$modules/"
  depmod "$kernel"
  ln -s "$PLUGD" /usr/local/sbin/plugd
  mkdir -p /etc/dkms/framework.conf.d
  echo try_sign_modules=true > /etc/dkms/framework.conf.d/sign.conf
  cp -r /out/source /usr/src/${NAME}-1.0
  plugd keys generate
  plugd dkms install ${NAME}/1.0 -k "$kernel"
  plugd dkms status
  cp "$modules"/updates/dkms/* ${DKMS_MOK.key} ${DKMS_MOK.certificate} /out/`;

/** The root in which modules for that kernel are built. */
async function rootOf(tree: DebianTree, release: 'bookworm' | 'trixie'): Promise<OverlayRoot | Missing> {
  if (release === 'bookworm') return dkmsRoot();
  return suiteRoot(release, `dkms-${tree.kernel}`, [`linux-headers-${tree.kernel}`, ...DKMS_PACKAGES]);
}

/** Builds it, in half a minute; or the sentence that says why not. Throws with what was said when the build fails. */
export async function dkmsModule(tree: DebianTree, release: 'bookworm' | 'trixie'): Promise<DkmsModule | Missing> {
  const root = await rootOf(tree, release);
  if (root.kind === 'missing') return root;
  const folder = mkdtempSync(join(tmpdir(), 'plugd-lab-dkms-'));
  try {
    mkdirSync(join(folder, 'source'));
    for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(folder, 'source', name), text);
    const shown = [
      { outside: project, inside: project },
      { outside: join(tree.root, 'lib/modules', tree.kernel), inside: '/tree' },
      { outside: folder, inside: '/out', writable: true },
    ];
    const plugd = `PLUGD=${join(project, 'dist/plugd.cjs')}`;
    const ended = await runInRoot(root, ['env', plugd, 'sh', '-c', RUN, 'sh', tree.kernel], { shown });
    const log = `${ended.stdout}${ended.stderr}`;
    const file = readdirSync(folder).find((name) => name.startsWith(`${NAME}.ko`));
    if (ended.status !== 0 || file === undefined) throw new Error(`plugd dkms install: status ${ended.status}\n${log}`);
    const path = `/lib/modules/${tree.kernel}/updates/dkms/${file}`;
    const carried = [DKMS_MOK.key, DKMS_MOK.certificate].map((each) => each.slice(each.lastIndexOf('/') + 1));
    const files: Record<string, Buffer> = { [`usr${path}`]: readFileSync(join(folder, file)) };
    for (const each of carried) files[`${CARRIED_KEY}/${each}`.slice(1)] = readFileSync(join(folder, each));
    return { kind: 'ready', name: NAME, path, files, log };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
