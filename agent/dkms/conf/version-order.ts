/** dkms's order of versions, of kernels and of modules alike. Pure. */

/**
 * Negative when `a` is the older, positive when `b` is, 0 when they are equal: `1.9` < `1.10`. Each run of one or two digits is
 * padded to three, then text is compared. So a version is older than one that it begins (`6.1` < `6.1.0`), `6.1.0` is older than
 * `6.1.0-rc1`, and 1000 is older than 999: dkms.conf files are written for these rules.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [padded(a), padded(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function padded(version: string): string {
  return version.replaceAll(/\d+/g, (digits) => digits.padStart(3, '0'));
}
