import t from 'tap';
import type { BuildMessage } from '../../../agent/records/dkms/build-message.ts';
import { buildText } from '../../../agent/report/dkms/build-text.ts';

const K = '6.1.0-56-amd64';
const LOG = '/var/lib/dkms/m/1.0/build/make.log';
const PLACE = { module: 'm', version: '1.0', kernel: K, arch: 'x86_64' };

/** What a terminal shows of all of them. */
function shown(messages: readonly BuildMessage[]): string {
  return messages.map((message) => buildText(message).text).join('');
}

function errors(messages: readonly BuildMessage[]): string {
  return messages
    .map(buildText)
    .filter(({ to }) => to === 'error')
    .map(({ text }) => text)
    .join('');
}

t.test('what dkms 3.4.3 was seen to print', async (t) => {
  const rows: ReadonlyArray<readonly [rule: string, messages: readonly BuildMessage[], text: string]> = [
    [
      'a build and its signature',
      [
        { kind: 'sign-command', command: '/usr/lib/linux-kbuild-6.1/scripts/sign-file' },
        { kind: 'signing-key', file: '/var/lib/dkms/mok.key' },
        { kind: 'certificate', file: '/var/lib/dkms/mok.pub' },
        { kind: 'signing-end' },
        { kind: 'step', description: 'Building module(s)', command: 'make', verbose: false },
        { kind: 'dot' },
        { kind: 'step-done' },
        { kind: 'signing-module', file: '/var/lib/dkms/m/1.0/build/m.ko' },
      ],
      `Sign command: /usr/lib/linux-kbuild-6.1/scripts/sign-file
Signing key: /var/lib/dkms/mok.key
Public certificate (MOK): /var/lib/dkms/mok.pub

Building module(s).... done.
Signing module /var/lib/dkms/m/1.0/build/m.ko
`,
    ],
    [
      'a failure of make',
      [
        { kind: 'step', description: 'Building module(s)', command: 'make all', verbose: false },
        { kind: 'step-failed', status: 2, command: 'make all', verbose: false },
        { kind: 'make-failed', kernel: K, arch: 'x86_64', log: LOG },
      ],
      `Building module(s)...(bad exit status: 2)
Failed command:
make all

Error! Bad return status for module build on kernel: ${K} (x86_64)
Consult ${LOG} for more information.
`,
    ],
    [
      'the command instead of the description when verbose, and no second time when it fails',
      [
        { kind: 'step', description: 'Building module(s)', command: 'make all', verbose: true },
        { kind: 'step-failed', status: 1, command: 'make all', verbose: true },
        { kind: 'make-failed', kernel: K, arch: 'x86_64', log: LOG },
      ],
      `make all
(bad exit status: 1)
Error! Bad return status for module build on kernel: ${K} (x86_64)
Consult ${LOG} for more information.
`,
    ],
    [
      'the end of a verbose step',
      [{ kind: 'step', description: 'Building module(s)', command: 'make all', verbose: true }, { kind: 'step-done' }],
      'make all\n done.\n',
    ],
    [
      'a failed script says no Error!',
      [{ kind: 'script-failed', script: 'pre_build', log: LOG }],
      `Consult ${LOG} for more information.\n`,
    ],
    [
      'a script that is no program',
      [{ kind: 'script-not-executable', script: 'pre_build' }],
      '\nWarning: The pre_build script is not executable.\n',
    ],
    [
      'a program that cannot sign',
      [{ kind: 'signing-failed', file: '/b/m.ko', output: '' }],
      "Warning: Failed to sign module '/b/m.ko'!\n\n",
    ],
    [
      'what it said',
      [{ kind: 'signing-failed', file: '/b/m.ko', output: 'no' }],
      "Warning: Failed to sign module '/b/m.ko'!\nno\n\n",
    ],
    [
      'no headers',
      [{ kind: 'headers-missing', kernel: K, build: `/lib/modules/${K}/build`, source: `/lib/modules/${K}/source` }],
      `
Error! Your kernel headers for kernel ${K} cannot be found at /lib/modules/${K}/build or /lib/modules/${K}/source.
Please install your distribution's kernel headers package matching ${K}, or use the --kernelsourcedir option to tell DKMS where it's located.
`,
    ],
    [
      'missing dependencies',
      [{ kind: 'depends-missing', ...PLACE, missing: ['foo', 'bar'] }],
      `
Error! Aborting build of module m/1.0 for kernel ${K} (x86_64) due to missing BUILD_DEPENDS: foo bar.
You may override by specifying --force.
`,
    ],
    [
      'missing dependencies by force',
      [{ kind: 'depends-ignored', ...PLACE, missing: ['foo', 'bar'] }],
      `Warning: Trying to build module m/1.0 for kernel ${K} (x86_64) despite of missing BUILD_DEPENDS: foo bar.\n`,
    ],
    [
      'a patch that is not there',
      [{ kind: 'patch-missing', patch: 'x.patch', folder: '/var/lib/dkms/m/1.0/build/patches' }],
      '\nError! Patch x.patch as specified in dkms.conf cannot be\nfound in /var/lib/dkms/m/1.0/build/patches/.\n',
    ],
    [
      'a patch from elsewhere',
      [{ kind: 'patch-outside', patch: '../x.patch' }],
      "\nError! Patch ../x.patch as specified in dkms.conf contains '..' path component.\n",
    ],
    [
      'a patch that does not apply',
      [{ kind: 'patch-failed', patch: 'x.patch', log: LOG }],
      `\nError! Application of patch x.patch failed.\nConsult ${LOG} for more information.\n`,
    ],
    [
      'a module that make did not make',
      [{ kind: 'module-missing', module: 'other.ko', kernel: K, arch: 'x86_64', log: LOG }],
      `
Error! Build of other.ko failed for: ${K} (x86_64)
Make sure the name and location of the generated module are correct,
or consult ${LOG} for more information.
`,
    ],
    [
      'signing off by policy',
      [{ kind: 'signing-off', why: 'policy' }],
      "Module signing is disabled by policy, modules won't be signed\n",
    ],
    [
      'signing off in a chroot',
      [{ kind: 'signing-off', why: 'chroot' }],
      "Running in chroot, modules won't be signed\n",
    ],
    [
      'signing off without a configuration',
      [{ kind: 'signing-off', why: 'no-config', file: '/c' }],
      "Kernel config /c not found, modules won't be signed\n",
    ],
    [
      'a key that cannot be made',
      [{ kind: 'key-missing', file: '/k' }],
      "Key file /k not found and can't be generated, modules won't be signed\n",
    ],
  ];
  for (const [rule, messages, text] of rows) t.equal(shown(messages), text, rule);
});

t.test('errors and warnings go to standard error, progress does not', async (t) => {
  t.equal(errors([{ kind: 'step', description: 'x', command: 'x', verbose: false }, { kind: 'step-done' }]), '');
  t.match(errors([{ kind: 'make-failed', kernel: K, arch: 'x86_64', log: LOG }]), /^\nError! /);
});

t.test("plugd's own texts", async (t) => {
  t.equal(
    shown([{ kind: 'no-space', folder: '/var/lib/dkms', needed: 84 << 20, free: (4 << 20) - 1 }]),
    '\nError! no space left on /var/lib/dkms: 84 MB needed, 3 MB free\n',
    'a need is rounded up, what is free is rounded down',
  );
  t.match(
    shown([{ kind: 'wrong-kernel', module: 'm.ko', built: '6.12.3', wanted: '6.12.4', log: LOG }]),
    'm.ko was built for 6.12.3, wanted 6.12.4: its Makefile asks uname -r\n',
  );
  t.equal(
    shown([{ kind: 'headers-hint', package: `linux-headers-${K}`, dangling: undefined, mounts: [] }]),
    `The package is linux-headers-${K}.\n`,
  );
  const dangling = { link: '/lib/modules/6/build', target: '/usr/src/linux-headers-6' };
  t.equal(
    shown([{ kind: 'headers-hint', package: undefined, dangling, mounts: [] }]),
    '/lib/modules/6/build leads to /usr/src/linux-headers-6, which is not there. In a container, mount it from the host.\n',
  );
  t.equal(
    shown([{ kind: 'headers-hint', package: undefined, dangling, mounts: ['/lib/modules', '/usr/src'] }]),
    "/lib/modules/6/build leads to /usr/src/linux-headers-6, which is not there.\nThis is a container: start it with the host's folders, -v /lib/modules:/lib/modules -v /usr/src:/usr/src.\n",
  );
});

t.test('what a build takes', async (t) => {
  const cost = { kind: 'build-cost', bytes: 5 << 20, seconds: 12.5 } as const;
  t.same(buildText(cost), { to: 'out', text: 'Built in 12.5 s, with 5.0 MiB of disk.\n' });
  t.equal(
    buildText({ ...cost, memory: 300 << 20 }).text,
    'Built in 12.5 s, with 300.0 MiB of memory and 5.0 MiB of disk.\n',
  );
  t.equal(buildText({ kind: 'build-forecast', seconds: 41 }).text, 'This takes about 41 s, as the last time.\n');
});
