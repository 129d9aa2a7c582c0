/** The environment of a build's processes: little of the caller's, and messages in English. Pure. */

/** Names that pass; all else does not, so that a build does not depend on who started it. */
const PASSES =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|TZ|ARCH|SUBARCH|CROSS_COMPILE\w*|KBUILD_\w+|KERNEL_\w+|KCFLAGS|KCPPFLAGS|KAFLAGS|KDIR|KSRC|LLVM\w*|INSTALL_MOD_\w+|CCACHE_\w+|DISTCC_\w+|SOURCE_DATE_EPOCH|parallel_jobs)$/;

/** Where programs are when the caller does not say, as for a maintainer script. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of a build: allowed names of the caller's, those of `set`, and LC_ALL=C, since make.log is read by programs, too.
 * CC, CFLAGS and their like, MAKEFLAGS and BASH_ENV of the caller do not reach it.
 */
export function buildEnvironment(
  caller: Readonly<Record<string, string | undefined>>,
  set: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const passed = Object.entries(caller).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && PASSES.test(entry[0]),
  );
  return { PATH, HOME: '/root', ...Object.fromEntries(passed), LC_ALL: 'C', ...set };
}
