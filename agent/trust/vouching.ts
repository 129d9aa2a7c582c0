/**
 * Which of the kernel's keyrings vouch for modules. Every kernel takes the keys that are built in, those that they vouched for, and the
 * machine owner's (.machine). The kernels of Debian, Ubuntu, Fedora and Red Hat have a patch and take the firmware's (.platform), too.
 *
 * Source: kernel/module/signing.c (VERIFY_USE_SECONDARY_KEYRING), and the distributions' patches of it.
 */
import type { Host } from '../base/host.ts';
import type { KeyringName } from '../facts/kernel/keyring.ts';
import { readProc } from '../facts/kernel/procfs.ts';

const ALWAYS: readonly KeyringName[] = ['.builtin_trusted_keys', '.secondary_trusted_keys', '.machine'];
const PATCHED = /debian|ubuntu|\.fc\d+\.|\.el\d+/i;

/** The keyrings whose keys vouch for modules on this host, by the text of /proc/version. */
export function vouchingRings(host: Host): ReadonlySet<KeyringName> {
  return new Set(PATCHED.test(readProc(host, 'version') ?? '') ? [...ALWAYS, '.platform'] : ALWAYS);
}
