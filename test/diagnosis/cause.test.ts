import t from 'tap';
import { ERRNO } from '../../agent/base/errno.ts';
import type { ModuleName } from '../../agent/base/names.ts';
import {
  CAUSES,
  causeOf,
  causeText,
  foreseenText,
  foundNoDevice,
  REFUSALS,
  type Cause,
} from '../../agent/diagnosis/cause.ts';
import type { KernelState } from '../../agent/facts/kernel/kernel-state.ts';
import { FULL_PRIVILEGES } from '../fixtures/confinement/privileges.ts';

const FREE: KernelState = {
  moduleSupport: true,
  modulesDisabled: false,
  lockdown: 'none',
  privileges: FULL_PRIVILEGES,
};
const UNABLE = { ...FULL_PRIVILEGES, capabilities: { ...FULL_PRIVILEGES.capabilities, SYS_MODULE: false } };

interface Refused {
  readonly errno: keyof typeof ERRNO;
  readonly during?: 'open' | 'decompress';
  readonly kernel?: Partial<KernelState>;
  readonly blacklisted?: boolean;
}

/** What is known at once, and the cause. */
const ROWS: ReadonlyArray<readonly [rule: string, refused: Refused, cause: Cause]> = [
  ['no file', { errno: 'ENOENT', during: 'open' }, 'missing-file'],
  ['a file that may not be read', { errno: 'EACCES', during: 'open' }, 'permission'],
  ['too many open files are no lack of rights', { errno: 'EMFILE', during: 'open' }, 'other'],
  ['nor are those of the whole machine', { errno: 'ENFILE', during: 'open' }, 'other'],
  ['nor a folder in its place', { errno: 'EISDIR', during: 'open' }, 'other'],
  ['nor a disk that fails', { errno: 'EIO', during: 'open' }, 'other'],
  ['a call whose task was killed', { errno: 'EINTR' }, 'other'],
  ['damaged compression', { errno: 'EBADMSG', during: 'decompress' }, 'compression'],
  [
    'EPERM with modules_disabled, whatever else holds',
    { errno: 'EPERM', kernel: { modulesDisabled: true, privileges: UNABLE } },
    'modules-disabled',
  ],
  ['ENOSYS of a kernel without modules', { errno: 'ENOSYS', kernel: { moduleSupport: false } }, 'modules-disabled'],
  [
    'EPERM without the capability comes before lockdown',
    { errno: 'EPERM', kernel: { privileges: UNABLE, lockdown: 'integrity' } },
    'permission',
  ],
  ['EPERM for module_blacklist=', { errno: 'EPERM', blacklisted: true }, 'kernel-blacklist'],
  [
    'EPERM for module_blacklist= is certain, for lockdown only likely',
    { errno: 'EPERM', blacklisted: true, kernel: { lockdown: 'integrity' } },
    'kernel-blacklist',
  ],
  ['EPERM under lockdown', { errno: 'EPERM', kernel: { lockdown: 'confidentiality' } }, 'lockdown'],
  ['EPERM for nothing known', { errno: 'EPERM' }, 'permission'],
  ['EKEYREJECTED', { errno: 'EKEYREJECTED' }, 'signature'],
  ['ENOKEY', { errno: 'ENOKEY' }, 'signature'],
  ['EBADMSG of the call', { errno: 'EBADMSG' }, 'signature'],
  ['ENOEXEC', { errno: 'ENOEXEC' }, 'vermagic'],
  ['ENOENT of the call', { errno: 'ENOENT' }, 'unknown-symbol'],
  ['ENODEV', { errno: 'ENODEV' }, 'no-device'],
  ['EBUSY', { errno: 'EBUSY' }, 'busy'],
  ['EEXIST', { errno: 'EEXIST' }, 'busy'],
  ['ELIBBAD', { errno: 'ELIBBAD' }, 'corrupt'],
  ['ENOMEM', { errno: 'ENOMEM' }, 'other'],
  ['EINVAL can be anything', { errno: 'EINVAL' }, 'other'],
];
for (const [rule, { errno, during = 'insert', kernel, blacklisted = false }, cause] of ROWS) {
  t.test(rule, (t) => {
    const given = causeOf({
      module: {
        module: 'm' as ModuleName,
        path: '/m.ko',
        kernelBlacklist: blacklisted ? { file: '/proc/cmdline', line: 1 } : undefined,
      },
      kernel: { ...FREE, ...kernel },
      refusal: { errno: ERRNO[errno], during, log: [] },
    });
    t.equal(given, cause);
    t.end();
  });
}

t.test('the kernel is looked at only for errors that its state may explain', (t) => {
  const module = { module: 'm' as ModuleName, path: '/m.ko', kernelBlacklist: undefined };
  let looked = 0;
  const ask = (errno: number) =>
    causeOf({
      module,
      refusal: { errno, during: 'insert', log: [] },
      get kernel() {
        looked++;
        return FREE;
      },
    });
  t.equal(ask(ERRNO.ENODEV), 'no-device');
  t.equal(looked, 0);
  ask(ERRNO.EPERM);
  t.ok(looked > 0);
  t.end();
});

t.test('every refusal is explained, and every cause of the table is of the set', (t) => {
  t.match(REFUSALS.at(-1), { cause: 'other', errnos: '*', needsFile: false });
  for (const { cause } of REFUSALS) t.ok(Object.hasOwn(CAUSES, cause), cause);
  t.end();
});

t.test('in words', (t) => {
  t.equal(causeText('busy', ERRNO.EBUSY), 'busy (EBUSY): something else holds what it needs');
  t.equal(causeText('cycle', undefined), 'cycle: its dependencies form a cycle');
  t.equal(foreseenText('signature', 'm'), 'the kernel would refuse m');
  t.equal(foreseenText('permission', 'm'), 'this user may not read or load m');
  t.end();
});

for (const [errno, during, is] of [
  ['ENODEV', 'insert', true],
  ['ENXIO', 'insert', true],
  ['ENXIO', 'open', false],
  ['ENOENT', 'insert', false],
] as const) {
  t.test(`${errno} of ${during} ${is ? 'is' : 'is not'} an init without a device`, (t) => {
    t.equal(foundNoDevice({ errno: ERRNO[errno], during }), is);
    t.end();
  });
}
