import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRNO } from '../../agent/base/errno.ts';
import { readRegularFile, readTextIn } from '../../agent/facts/regular-file.ts';

t.test('reading names a pipe, a device or a folder and never waits for it', (t) => {
  const dir = t.testdir({ folder: {}, file: 'text\xe4' });
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  symlinkSync('loop', join(dir, 'loop'));
  const rows: Record<string, object> = {
    pipe: { kind: 'fault', why: 'not a regular file' },
    folder: { kind: 'fault', errno: ERRNO.EISDIR, why: 'a directory, not a file' },
    loop: { kind: 'fault', errno: ERRNO.ELOOP, why: 'a symbolic link that leads to itself' },
    nothing: { kind: 'absent' },
    'file/below': { kind: 'fault', errno: ERRNO.ENOTDIR },
    file: { kind: 'bytes' },
  };
  for (const [name, expected] of Object.entries(rows)) t.match(readRegularFile('', join(dir, name)), expected, name);
  t.match(readRegularFile('', '/dev/null'), { kind: 'fault', why: 'not a regular file' });
  t.end();
});

t.test('a file beyond the limit is not read, and says the limit', (t) => {
  const dir = t.testdir();
  const file = join(dir, 'large');
  writeFileSync(file, '');
  truncateSync(file, (3 << 20) + 1);
  t.match(readRegularFile('', file, 3 << 20), { kind: 'fault', errno: ERRNO.EFBIG, why: /larger than 3 MiB/ });
  truncateSync(file, 3 << 20);
  const read = readRegularFile('', file, 3 << 20);
  t.equal(read.kind === 'bytes' ? read.bytes.length : -1, 3 << 20);
  t.end();
});

t.test('procfs says 0 of a size; all of it is read', (t) => {
  t.match(readTextIn('', '/proc/self/status'), /CapEff/);
  t.end();
});

t.test('inside a root, absolute links stay inside', (t) => {
  const root = t.testdir();
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/b'), 'inside');
  symlinkSync('/etc/b', join(root, 'etc/a'));
  symlinkSync('/etc/passwd', join(root, 'etc/p'));
  t.equal(readTextIn(root, join(root, 'etc/a')), 'inside');
  t.equal(readTextIn(root, join(root, 'etc/p')), undefined);
  t.end();
});
