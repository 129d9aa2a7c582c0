/** What errors come to at the end of a program; commands and their words are tested by test/flow. */
import t from 'tap';
import { PlugdError } from '../../agent/base/error.ts';
import { exitStatus } from '../../agent/commands/program.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: open '/x'`), { code, syscall: 'open' });
}

const STATUS: Readonly<Record<string, readonly [error: unknown, status: number]>> = {
  'no memory is left for a system call': [systemError('ENOMEM'), 71],
  'no descriptor is left for this process': [systemError('EMFILE'), 71],
  'no descriptor is left on the machine': [systemError('ENFILE'), 71],
  "another system call's error that nobody expected": [systemError('ENOENT'), 70],
  'a defect': [new TypeError('x is not a function'), 70],
  'something thrown that is no error': ['ENOMEM', 70],
  'a wrong option': [new PlugdError('usage', 'no such option'), 64],
  'what the system refuses': [new PlugdError('system', 'no'), 71],
  'any other expected end': [new PlugdError('no-modules-directory', 'none'), 1],
};
for (const [rule, [error, status]] of Object.entries(STATUS)) {
  t.test(rule, async (t) => {
    t.equal(exitStatus(error), status);
  });
}
