import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PolicyFile, policyError, type PolicyLoad } from '../../agent/daemon/policy-file.ts';
import { ALLOW_ALL } from '../../agent/rules/policy/policy.ts';
import type { AgentStatus } from '../../agent/records/agent-status.ts';

type State = AgentStatus['policy']['state'];
/** Another thing in the file's place: text, nothing, or a directory. */
type Content = string | { readonly is: 'nothing' | 'directory' };
const NOTHING: Content = { is: 'nothing' };
const DIRECTORY: Content = { is: 'directory' };
const ONE = 'deny module=a\n';
const TWO = 'deny module=a\nallow module=b\n';
const BAD = 'deny nonsense\n';

type Step = readonly [content: Content, load: PolicyLoad['kind'], state: State, rules: number];
const ROWS: Record<string, readonly Step[]> = {
  'no file allows everything, and is no news': [[NOTHING, 'unchanged', 'none', 0]],
  'an empty file is a policy': [
    ['', 'new', 'active', 0],
    ['', 'unchanged', 'active', 0],
  ],
  'read once, then only when its text is another': [
    [ONE, 'new', 'active', 1],
    [ONE, 'unchanged', 'active', 1],
    [TWO, 'new', 'active', 2],
  ],
  'errors change nothing': [
    [TWO, 'new', 'active', 2],
    [BAD, 'malformed', 'previous', 2],
    [BAD, 'malformed', 'previous', 2],
    [ONE, 'new', 'active', 1],
  ],
  'errors that are undone lead back to what held': [
    [TWO, 'new', 'active', 2],
    [BAD, 'malformed', 'previous', 2],
    [TWO, 'new', 'active', 2],
    [TWO, 'unchanged', 'active', 2],
  ],
  'a file that is removed denies nothing any more': [
    [ONE, 'new', 'active', 1],
    [NOTHING, 'new', 'none', 0],
    [NOTHING, 'unchanged', 'none', 0],
    [ONE, 'new', 'active', 1],
  ],
  'a file with errors that is removed, too': [
    [ONE, 'new', 'active', 1],
    [BAD, 'malformed', 'previous', 1],
    [NOTHING, 'new', 'none', 0],
  ],
  'errors from the beginning, where the policy is optional': [
    [BAD, 'malformed', 'previous', 0],
    [NOTHING, 'new', 'none', 0],
  ],
  'what cannot be read is not what is not there': [
    [ONE, 'new', 'active', 1],
    [DIRECTORY, 'malformed', 'previous', 1],
    [DIRECTORY, 'malformed', 'previous', 1],
    [ONE, 'new', 'active', 1],
  ],
  'what cannot be read from the beginning': [
    [DIRECTORY, 'malformed', 'none', 0],
    [ONE, 'new', 'active', 1],
  ],
  'bytes that are no UTF-8 are text like any': [['# \xff\xfe\ndeny modalias=\xe9*\n', 'new', 'active', 1]],
};
for (const [name, steps] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const file = join(t.testdir({}), 'policy.conf');
    const policy = new PolicyFile(file);
    for (const [i, [content, kind, state, rules]] of steps.entries()) {
      rmSync(file, { recursive: true, force: true });
      if (typeof content === 'string') writeFileSync(file, content, 'latin1');
      else if (content.is === 'directory') mkdirSync(file);
      const read = policy.load();
      t.equal(read.kind, kind, `step ${i}`);
      t.same(policy.status(), { state, file, rules, phase: 'boot' }, `step ${i}`);
      t.equal(policy.judges, state !== 'none', `step ${i}: devices are judged`);
      if (rules === 0 && content !== '') t.equal(policy.policy, ALLOW_ALL);
      if (read.kind === 'malformed') t.match(read.problems, [{ file, severity: 'error' }]);
    }
    t.end();
  });
}

t.test('a folder that is not there, or is a file, is a file that is not there', (t) => {
  const folder = t.testdir({ plain: '' });
  for (const file of ['none/policy.conf', 'plain/policy.conf']) {
    t.same(new PolicyFile(join(folder, file)).load(), { kind: 'unchanged' }, file);
  }
  t.end();
});

t.test('a file that this process may not read', { skip: process.geteuid?.() === 0 ? 'root may' : false }, (t) => {
  const file = join(t.testdir({ 'policy.conf': ONE }), 'policy.conf');
  chmodSync(file, 0);
  t.match(new PolicyFile(file).load(), { kind: 'malformed', problems: [{ code: 'unreadable', line: 0 }] });
  t.end();
});

t.test('the phase is the agent’s to set', (t) => {
  const policy = new PolicyFile('/none');
  policy.phase = 'after-boot';
  t.match(policy.status(), { phase: 'after-boot' });
  t.end();
});

t.test('the error that stops an agent has every line', (t) => {
  const file = join(t.testdir({ 'policy.conf': 'deny\ndefault x\n' }), 'policy.conf');
  const read = new PolicyFile(file).load();
  if (read.kind !== 'malformed') throw new Error(read.kind);
  const error = policyError(read.problems);
  t.match(error, { code: 'configuration', remedy: /--policy-optional/ });
  t.match(error.message, /policy\.conf:1.*\nplugd: .*policy\.conf:2/);
  t.end();
});
