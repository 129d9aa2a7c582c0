/**
 * A Debian of one's own (overlay-root.ts) to build and install out-of-tree modules in, with a kernel's headers and compiler, and a module tree
 * of a few modules, so that each depmod is short.
 */
import { join } from 'node:path';
import { needCommands } from '../../fixtures/commands.ts';
import { debianTree, type Missing } from '../../fixtures/debian.ts';
import { overlayRoot, type OverlayRoot } from '../../fixtures/roots/overlay-root.ts';

/** What roots for a kernel (`6.1.0-56-amd64`) are made of. */
export interface DkmsRoot extends OverlayRoot {
  readonly kernel: string;
}

/** The modules of the kernel that stay: one for the tree's sake, and those that Debian's packages bring, too. */
const MODULES = [
  'drivers/net/dummy.ko',
  'drivers/platform/x86/hdaps.ko',
  'drivers/hid/hid-kye.ko',
  'drivers/hid/hid-uclogic.ko',
  'drivers/hid/hid-polostar.ko',
];

/** What a root needs beside the kernel's headers. */
export const DKMS_PACKAGES = ['gawk', 'gcc', 'kmod', 'make', 'openssl', 'patch', 'xz-utils', 'zstd'];

/** Arguments: the kernel, the folder of its whole tree, then the modules that stay. */
const INSTALL = `
  set -e
  kernel=$1 tree=$2
  shift 2
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends "linux-headers-$kernel" ${DKMS_PACKAGES.join(' ')}
  modules=/lib/modules/$kernel
  for module; do
    [ ! -e "$tree/kernel/$module" ] || install -D -m 644 "$tree/kernel/$module" "$modules/kernel/$module"
  done
  cp "$tree"/modules.builtin* "$tree/modules.order" "$modules/"
  depmod "$kernel"
  rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/*`;

/** What roots are made of, installed on the first call (a minute) and kept; or the sentence that says why there is none. */
export async function dkmsRoot(): Promise<DkmsRoot | Missing> {
  const tools = await needCommands(['depmod']);
  if (tools.kind === 'missing') return tools;
  const tree = await debianTree('amd64');
  if (tree.kind === 'missing') return tree;
  const shown = [{ outside: join(tree.root, 'lib/modules', tree.kernel), inside: '/tmp/tree' }];
  const install = ['sh', '-c', INSTALL, 'sh', tree.kernel, '/tmp/tree', ...MODULES];
  const root = await overlayRoot(`dkms-${tree.kernel}`, 'a root for DKMS', install, shown);
  return root.kind === 'missing' ? root : { ...root, kernel: tree.kernel };
}
