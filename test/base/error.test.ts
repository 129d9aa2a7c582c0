import { readFileSync } from 'node:fs';
import t from 'tap';
import { fsCode, PlugdError, reason } from '../../agent/base/error.ts';

const ERRORS: ReadonlyArray<readonly [rule: string, error: PlugdError, expected: object]> = [
  [
    'a code and a sentence',
    new PlugdError('busy', 'another agent holds the lock'),
    { code: 'busy', message: 'another agent holds the lock', what: 'another agent holds the lock', remedy: undefined },
  ],
  [
    'the file comes before the sentence',
    new PlugdError('corrupt-index', 'it is cut off', { file: '/m/modules.dep.bin', remedy: 'run depmod' }),
    { message: '/m/modules.dep.bin: it is cut off', what: 'it is cut off', remedy: 'run depmod' },
  ],
];
for (const [rule, error, expected] of ERRORS) {
  t.test(rule, (t) => {
    for (const [key, value] of Object.entries(expected)) t.equal(error[key as keyof PlugdError], value, key);
    t.ok(error instanceof Error);
    t.equal(error.name, 'PlugdError');
    t.match(error.stack, /error\.test/, 'it knows where it comes from');
    t.end();
  });
}

t.test('a cause stays, and its absence is not a cause of undefined', (t) => {
  const cause = new Error('deeper');
  t.equal(new PlugdError('system', 'x', { cause }).cause, cause);
  t.equal('cause' in new PlugdError('system', 'x'), false);
  t.end();
});

const REASONS: ReadonlyArray<readonly [rule: string, thrown: unknown, expected: string]> = [
  ['an error: its message', new Error('no'), 'no'],
  ['a PlugdError: with its file', new PlugdError('unreadable', 'no', { file: 'f' }), 'f: no'],
  ['a string', 'text', 'text'],
  ['nothing', undefined, 'undefined'],
  ['an object', {}, '[object Object]'],
  ['a failed call: what the system said', failureOf(() => readFileSync('/no/such/file')), 'no such file or directory'],
  ['a file that is a directory', failureOf(() => readFileSync('/')), 'is a directory'],
  ['a code that is no error number', Object.assign(new Error('own words'), { code: 'ERR_ASSERTION' }), 'own words'],
];
t.test('the reason in anything thrown', (t) => {
  for (const [rule, thrown, expected] of REASONS) t.equal(reason(thrown), expected, rule);
  t.end();
});

function failureOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

const CODES: ReadonlyArray<readonly [rule: string, thrown: unknown, expected: string | undefined]> = [
  ['a file that is not there', failureOf(() => readFileSync('/no/such/file')), 'ENOENT'],
  ['a directory read as a file', failureOf(() => readFileSync('/')), 'EISDIR'],
  ['an error without a code', new Error('x'), undefined],
  ['a number for a code', { code: 2 }, undefined],
  ['nothing', undefined, undefined],
  ['null', null, undefined],
];
t.test('the errno name of a failed call', (t) => {
  for (const [rule, thrown, expected] of CODES) t.equal(fsCode(thrown), expected, rule);
  t.end();
});
