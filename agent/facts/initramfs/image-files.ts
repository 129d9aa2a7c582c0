/**
 * Finds a kernel's initramfs by the names that distributions and boot loaders give it; opens nothing:
 *
 *     /boot/initrd.img-6.1.0-56-amd64                Debian, Ubuntu
 *     /boot/initramfs-6.12.0-1.fc42.x86_64.img       Fedora, RHEL, Gentoo (dracut)
 *     /boot/initrd-6.4.0-150600-default              SUSE
 *     /boot/initramfs-linux.img                      Arch: the name in /lib/modules/RELEASE/pkgbase
 *     /boot/initramfs-lts                            Alpine: the flavour at the end of the release
 *     /boot/initramfs-genkernel-x86_64-6.6.21        Gentoo (genkernel)
 *     /usr/lib/modules/RELEASE/initramfs.img         ostree, bootc
 *     /boot/MACHINE-ID/RELEASE/initrd                Boot Loader Specification, also below /efi and /boot/efi
 *     /efi/EFI/Linux/NAME-RELEASE.efi                a unified kernel image
 *     /run/booted-system/initrd                      NixOS, Guix
 */
import type { Host } from '../../base/host.ts';
import { existsInRoot, namesInRoot } from '../../base/root.ts';
import { readTextIn } from '../regular-file.ts';

/** The image of the host's kernel, and other images in the places searched. */
export interface ImageFiles {
  /** Absolute; undefined when no file has one of the known names. */
  readonly file: string | undefined;
  /** Files that look like an initramfs for some kernel (`/boot/initramfs-custom.img`), absolute, sorted; empty when `file` is found. */
  readonly others: readonly string[];
}

const NAMES = ['initrd.img-@', 'initramfs-@.img', 'initrd-@', 'initrd.img-@.img', 'initramfs-@', 'initrd-@.img'];
const LOADER_FOLDERS = ['/boot', '/efi', '/boot/efi'];
const ENTRY_NAMES = ['initrd', 'initrd.img', 'initramfs.img'];
/** How many machine ids, or entry tokens in their place, to look at. */
const MOST_ENTRIES = 64;

/** Looks for the initramfs of the host's kernel. */
export function findImage(host: Host): ImageFiles {
  const { root, kernel, moduleDir } = host;
  const boot = names(root, `${root}/boot`);
  const candidates = [
    ...NAMES.map((name) => `${root}/boot/${name.replace('@', kernel)}`),
    ...flavours(host).flatMap((flavour) => [
      `${root}/boot/initramfs-${flavour}.img`,
      `${root}/boot/initramfs-${flavour}`,
    ]),
    ...boot
      .filter((name) => name.startsWith('initramfs-genkernel-') && name.endsWith(`-${kernel}`))
      .map((name) => `${root}/boot/${name}`),
    `${moduleDir}/initramfs.img`,
    `${moduleDir}/initrd`,
    ...systemImage(host),
  ];
  const file = candidates.find((path) => existsInRoot(root, path)) ?? loaderEntry(root, kernel);
  if (file !== undefined) return { file, others: [] };
  const others = boot.filter((name) => /^init(rd|ramfs)/.test(name)).map((name) => `${root}/boot/${name}`);
  return { file, others: others.toSorted() };
}

/** The image of the system, in the sense of NixOS and Guix, that the modules belong to. */
function systemImage({ root, moduleDir }: Host): readonly string[] {
  const system = /^\/run\/(?:booted|current)-system\//.exec(moduleDir.slice(root.length))?.[0];
  return system === undefined ? [] : [`${root}${system}initrd`];
}

/** `linux` from pkgbase; `lts` from `6.6.21-0-lts`. */
function flavours({ root, moduleDir, kernel }: Host): readonly string[] {
  const pkgbase = readTextIn(root, `${moduleDir}/pkgbase`, 4096)?.trim() ?? '';
  const suffix = kernel.slice(kernel.lastIndexOf('-') + 1);
  return [pkgbase, suffix].filter((name) => /^[\w.+-]*[a-zA-Z][\w.+-]*$/.test(name));
}

/** A boot loader's entry for this kernel. */
function loaderEntry(root: string, kernel: string): string | undefined {
  for (const folder of LOADER_FOLDERS) {
    for (const token of names(root, root + folder).slice(0, MOST_ENTRIES)) {
      const entry = ENTRY_NAMES.map((name) => `${root}${folder}/${token}/${kernel}/${name}`);
      const found = entry.find((path) => existsInRoot(root, path));
      if (found !== undefined) return found;
    }
    const images = `${root}${folder}/EFI/Linux`;
    // The name contains the release, and the tries left after a plus sign: `debian-6.12.9+3.efi`.
    const image = names(root, images).find((name) => unified(name, kernel));
    if (image !== undefined) return `${images}/${image}`;
  }
  return undefined;
}

function unified(name: string, kernel: string): boolean {
  if (!name.endsWith('.efi')) return false;
  const bare = name.slice(0, -'.efi'.length).replace(/\+\d+(-\d+)?$/, '');
  return bare === kernel || bare.endsWith(`-${kernel}`) || bare.startsWith(`${kernel}-`);
}

function names(root: string, folder: string): readonly string[] {
  return namesInRoot(root, folder).toSorted();
}
