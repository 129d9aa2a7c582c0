import t from 'tap';
import { compilerFinding } from '../../../../agent/dkms/build/why/compiler-error.ts';

/** What is found: the class, the subject, and the name whose change explains it. */
type Row = readonly [
  words: string,
  next: string,
  kind: string,
  subject: string | undefined,
  change: string | undefined,
];

const ROWS: readonly Row[] = [
  // Functions, as gcc and clang write of them.
  [
    "implicit declaration of function 'from_timer'; did you mean 'mod_timer'?",
    '',
    'api-change',
    'from_timer',
    'from_timer',
  ],
  [
    "implicit declaration of function 'nosuch' [-Werror=implicit-function-declaration]",
    '',
    'api-change',
    'nosuch',
    undefined,
  ],
  ["call to undeclared library function 'strlcpy' with type", '', 'api-change', 'strlcpy', 'strlcpy'],
  ["too many arguments to function 'class_create'", '', 'api-change', 'class_create', 'class_create'],
  ['macro "access_ok" passed 3 arguments, but takes just 2', '', 'api-change', 'access_ok', 'access_ok'],
  [
    "passing argument 4 of 'proc_create' from incompatible pointer type",
    '',
    'api-change',
    'proc_create',
    'proc_create',
  ],
  // Members: the struct decides, the driver's line of source where the words name none.
  ["'struct timer_list' has no member named 'data'", '', 'api-change', 'timer_list.data', 'timer_list.data'],
  [
    "'const struct inode' has no member named 'i_ctime'; did you mean '__i_ctime'?",
    '',
    'api-change',
    'inode.i_ctime',
    'inode.i_ctime',
  ],
  ["no member named 'nosuch' in 'struct page'", '', 'api-change', 'page.nosuch', undefined],
  [
    "initialization of 'void (*)(struct platform_device *)' from incompatible pointer type 'int (*)(struct platform_device *)'",
    '   12 |         .remove = m_remove,',
    'api-change',
    'platform_driver.remove',
    'platform_driver.remove',
  ],
  [
    "initialization of 'int' from incompatible pointer type 'char *'",
    '   12 |  x = y;',
    'api-change',
    undefined,
    undefined,
  ],
  ["assignment of read-only location '*dev->dev_addr'", '', 'api-change', 'dev_addr', 'dev_addr'],
  // Types.
  ["unknown type name 'nosuch_t'", '', 'api-change', 'nosuch_t', undefined],
  ["storage size of 'now' isn't known", '    9 |   struct timespec now;', 'api-change', 'timespec', 'timespec'],
  ["invalid use of undefined type 'struct timeval'", '', 'api-change', 'timeval', 'timeval'],
  ["'VERIFY_READ' undeclared (first use in this function)", '', 'api-change', 'VERIFY_READ', 'VERIFY_READ'],
  ["use of undeclared identifier 'nosuch'", '', 'api-change', 'nosuch', undefined],
  // Headers: the kernel's own, another package's, one that moved.
  ['linux/nosuch.h: No such file or directory', '', 'missing-header', 'linux/nosuch.h', undefined],
  ["'asm/nosuch.h' file not found", '', 'missing-header', 'asm/nosuch.h', undefined],
  ['libnl3/netlink.h: No such file or directory', '', 'missing-package', 'libnl3/netlink.h', undefined],
  ['asm/unaligned.h: No such file or directory', '', 'api-change', 'asm/unaligned.h', 'asm/unaligned.h'],
  // The configuration, before any other name that is not declared.
  ["'CONFIG_NR_CPUS' undeclared", '', 'config-off', 'CONFIG_NR_CPUS', undefined],
  ['#error This module needs CONFIG_IPV6', '', 'config-off', 'CONFIG_IPV6', undefined],
  ['#error "Unsupported kernel version"', '', 'api-change', undefined, undefined],
  // Neither the source nor the kernel.
  ['error writing to /tmp/cc.s: No space left on device', '', 'no-space', undefined, undefined],
  ['Killed signal terminated program cc1', '', 'killed', 'cc1', undefined],
  ["unused variable 'x' [-Werror=unused-variable]", '', 'compiler', '-Wunused-variable', undefined],
  ["expected ';' before '}' token", '', 'source', undefined, undefined],
];

t.test('the class of an error, what it is about, and the change that explains it', async (t) => {
  for (const [words, next, kind, subject, change] of ROWS) {
    const found = compilerFinding(words, next);
    t.same([found.class, found.subject, found.change?.symbol], [kind, subject, change], words);
    t.notMatch(found.text, /did you mean|\[-W/, 'no guess of the compiler, and no option');
  }
});
