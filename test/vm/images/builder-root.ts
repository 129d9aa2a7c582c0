/** Debian's initramfs-tools and dracut in a root of their own, fed with what plugd finds for a recorded machine. */
import { join } from 'node:path';
import { needCommands, type Ended } from '../../fixtures/commands.ts';
import type { DebianTree, Missing } from '../../fixtures/debian.ts';
import { overlayRoot, runInRoot, type OverlayRoot } from '../../fixtures/roots/overlay-root.ts';

const project = join(import.meta.dirname, '../../../..');

const PACKAGES = ['initramfs-tools-core', 'dracut-core', 'busybox-static', 'udev', 'kmod', 'zstd', 'cpio'];
const INSTALL = `
  set -e
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends ${PACKAGES.join(' ')}
  rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/*`;

/** The builders, installed on the first call (a minute) and kept; or the sentence that says why there are none. */
export async function builderRoot(): Promise<OverlayRoot | Missing> {
  const tools = await needCommands(['unshare', 'tar']);
  if (tools.kind === 'missing') return tools;
  return overlayRoot('initramfs-builders', 'a root with initramfs builders', ['sh', '-c', INSTALL]);
}

const INITRAMFS_TOOLS = `
    mkdir -p /etc/plugd/machines
    cp /out/machine.jsonl /etc/plugd/machines/
    install -m 755 /plugd/hooks/initramfs-tools/plugd /etc/initramfs-tools/hooks/plugd
    sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf`;

const DRACUT = (more: string) => `
    dracut --force --kver "$kernel" --no-hostonly --zstd --modules 'base rootfs-block udev-rules kernel-modules fs-lib${more}' \\
      --drivers " $(tr '\\n' ' ' < /out/names) " "$1"`;

/** How an image is built, in the shell: `$kernel` is the release; /out has `machine.jsonl`, `names`, and gets the image `$1`. */
export const BUILDS = {
  /** By the hook as it ships, and nothing of initramfs-tools' own choice. */
  'initramfs-tools': `${INITRAMFS_TOOLS}
    mkinitramfs -o "$1" "$kernel"`,
  /** Exclusively the modules on the way to the root file system, by name. */
  dracut: DRACUT(''),
  /** The same two with plugd-lite as their loader. */
  'initramfs-tools-lite': `${INITRAMFS_TOOLS}
    install -m 755 /plugd/hooks/initramfs-tools/plugd-lite /etc/initramfs-tools/hooks/plugd-lite
    install -m 755 /plugd/hooks/initramfs-tools/plugd-lite-start /etc/initramfs-tools/scripts/init-top/plugd-lite
    mkinitramfs -o "$1" "$kernel"`,
  'dracut-lite': `
    cp -r /plugd/hooks/dracut/99plugd-lite /usr/lib/dracut/modules.d/
    ${DRACUT(' plugd-lite')}`,
} as const;

/** The name of a builder. */
export type Builder = keyof typeof BUILDS;

/** Copies an image without a module: `$2` → `$1` without `$3.ko`, with the indexes of Debian's depmod for the rest. */
export const REMOVE = `
  mkdir /tmp/unpacked
  cd /tmp/unpacked
  zstdcat "$2" | cpio -idm --quiet
  find . -name "$3.ko*" -delete
  depmod -b . "$kernel"
  find . | cpio -o -H newc --quiet | zstd -q > "$1"`;

/** Runs one of the scripts with the tree's modules as this machine's and `folder` as /out. */
export async function build(
  root: OverlayRoot,
  tree: DebianTree,
  folder: string,
  script: string,
  words: readonly string[],
): Promise<Ended> {
  const modules = join('lib/modules', tree.kernel);
  const before =
    'set -e; kernel=$0; ln -sf /plugd/dist/plugd.cjs /usr/local/bin/plugd; ln -sf /plugd/native/build/lite/plugd-lite /usr/local/sbin/';
  return runInRoot(root, ['sh', '-c', `${before}\n${script}`, tree.kernel, ...words], {
    shown: [
      { outside: join(tree.root, modules), inside: `/${modules}` },
      // mkinitramfs reads the kernel's configuration.
      { outside: join(tree.root, 'boot'), inside: '/boot' },
      { outside: project, inside: '/plugd' },
      { outside: folder, inside: '/out', writable: true },
    ],
  });
}
