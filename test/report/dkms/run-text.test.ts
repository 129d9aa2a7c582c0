import t from 'tap';
import type { RunMessage } from '../../../agent/records/dkms/run-message.ts';
import { isRunMessage, runText } from '../../../agent/report/dkms/run-text.ts';

const STATUS = { kind: 'status', module: 'a/1', originals: false, missing: false, differs: false } as const;
const KERNEL = { release: '6.1', arch: 'x86_64' };

t.test('lines that scripts read, byte for byte', async (t) => {
  const rules: ReadonlyArray<readonly [RunMessage, 'out' | 'error', string]> = [
    [{ ...STATUS, kernel: undefined, state: 'added' }, 'out', 'a/1: added\n'],
    [{ ...STATUS, kernel: KERNEL, state: 'built' }, 'out', 'a/1, 6.1, x86_64: built\n'],
    [
      { ...STATUS, kernel: KERNEL, state: 'installed', originals: true, differs: true },
      'out',
      'a/1, 6.1, x86_64: installed (Original modules exist) (Differences between built and installed modules)\n',
    ],
    [
      { ...STATUS, kernel: KERNEL, state: 'built', missing: true },
      'out',
      'a/1, 6.1, x86_64: built (Built modules are missing in the kernel modules folder)\n',
    ],
    [{ kind: 'link-created', link: '/d/source', target: '/s' }, 'out', 'Creating symlink /d/source -> /s\n'],
    [
      { kind: 'already-added', module: 'a/1' },
      'error',
      '\nError! DKMS tree already contains: a/1\nYou cannot add the same module/version combo more than once.\n',
    ],
    [
      { kind: 'no-source-directory', folder: '/usr/src/a-1' },
      'error',
      '\nError! Could not find module source directory.\nDirectory: /usr/src/a-1 does not exist.\n',
    ],
    [
      { kind: 'remove-cancelled' },
      'error',
      'Warning: Remove cancelled because --rpm_safe_upgrade scenario detected.\n',
    ],
    [
      { kind: 'autoinstall-result', result: 'succeeded', release: '6.1', modules: ['a', 'b'] },
      'out',
      'Autoinstall on 6.1 succeeded for module(s) a b.\n',
    ],
    [
      { kind: 'autoinstall-result', result: 'skipped', release: '6.1', modules: ['c'] },
      'out',
      'Autoinstall on 6.1 was skipped for module(s) c.\n',
    ],
    [
      { kind: 'dependencies-missing', module: 'm/1', missing: ['x', 'y'] },
      'out',
      'm/1 autoinstall failed due to missing dependencies: x y.\n',
    ],
    [{ kind: 'rebuilding', module: 'm/1' }, 'out', '\nRebuilding module m/1 due to updated dependencies\n\n'],
    [{ kind: 'post-transaction' }, 'out', 'Executing post-transaction command...'],
    [{ kind: 'post-transaction-done', status: 0 }, 'out', ' done.\n'],
  ];
  for (const [message, to, text] of rules) t.same(runText(message), { to, text }, message.kind);
});

t.test('a fault names what to do, unless it was repaired', async (t) => {
  const fault = { kind: 'fault', fault: 'half-build', path: '/d/a/1/6.1/x86_64' } as const;
  t.equal(
    runText({ ...fault, repaired: false }).text,
    `${fault.path}: a build without modules\n  plugd dkms check --repair\n`,
  );
  t.equal(runText({ ...fault, repaired: true }).text, `${fault.path}: a build without modules: repaired\n`);
});

t.test('messages of other parts are told apart', async (t) => {
  t.ok(isRunMessage({ kind: 'blank' }));
  for (const kind of ['depmod', 'conf-bad', 'step', 'postinst-usage', 'toString'])
    t.notOk(isRunMessage({ kind }), kind);
});
