import { constants } from 'node:os';
import { openSync } from 'node:fs';
import t from 'tap';
import { ERRNO, errnoName, errnoOf, errnoText } from '../../agent/base/errno.ts';

t.test('every number that Node knows too is the same', (t) => {
  const both = Object.entries(ERRNO).filter(([name]) => name in constants.errno);
  t.ok(both.length > 30, `${both.length} names`);
  for (const [name, number] of both) t.equal(number, constants.errno[name as keyof typeof constants.errno], name);
  t.end();
});

t.test('a number has a name and a text, in the table or not', (t) => {
  t.equal(errnoName(ERRNO.ENOEXEC), 'ENOEXEC');
  t.equal(errnoText(ERRNO.ENOEXEC), 'Exec format error');
  t.equal(errnoName(521), 'errno 521');
  t.equal(errnoText(521), 'Unknown error 521');
  t.end();
});

const THROWN: Readonly<Record<string, readonly [thrown: unknown, number: number]>> = {
  'a failed call of node:fs has a positive number': [failure(() => openSync('/nowhere/at/all', 'r')), ERRNO.ENOENT],
  'a positive errno stays as it is': [Object.assign(new Error('x'), { errno: 17 }), ERRNO.EEXIST],
  'another error has the fallback': [new RangeError('x'), ERRNO.EIO],
  'an errno that is not a number has the fallback': [{ errno: 'ENOENT' }, ERRNO.EIO],
  'nothing has the fallback': [undefined, ERRNO.EIO],
  'null has the fallback': [null, ERRNO.EIO],
};
for (const [rule, [thrown, number]] of Object.entries(THROWN)) {
  t.test(rule, (t) => {
    t.equal(errnoOf(thrown, ERRNO.EIO), number);
    t.end();
  });
}

function failure(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
