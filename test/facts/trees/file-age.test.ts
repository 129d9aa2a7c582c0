import { symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRNO } from '../../../agent/base/errno.ts';
import { changedAt, fileAge } from '../../../agent/facts/trees/file-age.ts';

t.test('the second in which a file was changed, or why nobody can tell', (t) => {
  const dir = t.testdir({ file: 'x' });
  const file = join(dir, 'file');
  utimesSync(file, 1000, 1234.9);
  symlinkSync('loop', join(dir, 'loop'));
  t.equal(changedAt('', file), 1234);
  t.equal(changedAt('', join(dir, 'none')), undefined);
  t.equal(changedAt('', join(dir, 'loop')), undefined);
  t.same(fileAge('', file), { kind: 'file', seconds: 1234 });
  t.same(fileAge('', join(dir, 'none')), { kind: 'absent' });
  t.same(fileAge('', join(file, 'below')), { kind: 'absent' });
  t.same(fileAge('', join(dir, 'loop')), { kind: 'unknown', errno: ERRNO.ELOOP });
  symlinkSync('/file', join(dir, 'absolute'));
  t.same(fileAge(dir, join(dir, 'absolute')), { kind: 'file', seconds: 1234 }, 'inside a root');
  t.end();
});
