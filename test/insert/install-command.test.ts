import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { moduleName } from '../../agent/base/names.ts';
import { runCommand } from '../../agent/insert/install-command.ts';

const foo = moduleName('foo-bar');

t.test('a command gets the module name, a shell and its bytes', async (t) => {
  const file = join(t.testdir({}), 'out');
  t.same(await runCommand(`printf '%s é' "$MODPROBE_MODULE" > '${file}'`.replace('é', '\xc3\xa9'), foo), {
    kind: 'command',
  });
  t.equal(readFileSync(file, 'utf8'), 'foo_bar é');
});

t.test('failures say how it ended', async (t) => {
  t.same(await runCommand('exit 3', foo), { kind: 'command-failed', code: 3, why: 'exit status 3' });
  t.same(await runCommand('/bin/false', foo), { kind: 'command-failed', code: 1, why: 'exit status 1' });
  t.same(await runCommand('kill -TERM $$', foo), { kind: 'command-failed', code: undefined, why: 'ended by SIGTERM' });
});

t.test('a command gets variables', async (t) => {
  const file = join(t.testdir({}), 'out');
  await runCommand(`printf '%s' "$MODPROBE_OPTIONS" > '${file}'`, foo, { env: { MODPROBE_OPTIONS: '-v' } });
  t.equal(readFileSync(file, 'utf8'), '-v');
});
