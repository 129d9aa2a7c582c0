import t from 'tap';
import { isLookMessage, lookText, type LookMessage } from '../../../agent/report/dkms/look-text.ts';

const STATUS = { kind: 'status', module: 'a/1', originals: false, missing: false, differs: false } as const;
const KERNEL = { release: '6.1', arch: 'x86_64' };
const MANUAL = 'Manual intervention is required!\n';

const ROWS: ReadonlyArray<readonly [message: LookMessage, to: 'out' | 'error', text: string]> = [
  [{ ...STATUS, kernel: undefined, state: 'broken' }, 'out', 'a/1: broken\n'],
  [{ ...STATUS, kernel: KERNEL, state: 'built' }, 'out', 'a/1, 6.1, x86_64: built\n'],
  [
    { ...STATUS, kernel: KERNEL, state: 'installed', originals: true, missing: true },
    'out',
    'a/1, 6.1, x86_64: installed (Original modules exist) (Built modules are missing in the kernel modules folder)\n',
  ],
  [
    { kind: 'broken', module: 'a/1', during: 'status' },
    'error',
    `\nError! a/1: Missing the module source directory or the symbolic link pointing to it.\n${MANUAL}`,
  ],
  [
    { kind: 'broken', module: 'a/1', during: 'action' },
    'error',
    `\nError! a/1 is broken!\nMissing the source directory or the symbolic link pointing to it.\n${MANUAL}`,
  ],
  [
    { kind: 'broken', module: 'a/1', during: 'autoinstall' },
    'error',
    `\nError! a/1 is broken! Missing the source directory or the symbolic link pointing to it.\n${MANUAL}`,
  ],
  [{ kind: 'conf-zero-modules' }, 'error', 'dkms.conf: Warning! Zero modules specified.\n'],
];

t.test('lines that scripts read, byte for byte', async (t) => {
  for (const [message, to, text] of ROWS) {
    t.same(lookText(message), { to, text }, text);
    t.ok(isLookMessage(message));
  }
  for (const kind of ['depmod', 'step', 'fault', 'log']) t.notOk(isLookMessage({ kind }), kind);
});
