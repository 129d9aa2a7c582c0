/** What builds the modules of the DKMS packages for a kernel: `dkms autoinstall -k 6.1.0-56-amd64`; undefined: the one that runs. */
export function dkmsCommand(release: string | undefined): string {
  return release === undefined ? 'dkms autoinstall' : `dkms autoinstall -k ${release}`;
}

/** How to come by a module for a kernel that was built for another one. */
export function buildRemedy(release: string | undefined): string {
  const headers = release === undefined ? 'its headers' : `linux-headers-${release}`;
  return `build it for this kernel (with DKMS: ${dkmsCommand(release)}; it needs ${headers}), or install a package that did`;
}
