/** Every command that has --json: its answer has a schemaVersion and fits its schema, and an error is an object of one form. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { describeAll } from '../../../agent/commands/command-table.ts';
import { diagnosticsRig, fits, KERNEL, plugd } from '../../fixtures/diagnostics-rig.ts';
import { machineOptions } from '../../fixtures/sysfs.ts';

t.setTimeout(600_000);

/** `MACHINE` stands for the options that lead to the rig's machine, `NONE` for a run directory without an agent. */
type Words = readonly string[];
interface Row {
  /** An answer, its exit status, and the schema that it fits; absent where only a running agent gives one. */
  readonly answer?: readonly [words: Words, status: number, schema?: string];
  /** A line of which an error comes, and its code. */
  readonly error: readonly [words: Words, status: number, code: string];
}

const ROWS: Readonly<Record<string, Row>> = {
  coldplug: {
    answer: [['-n', 'MACHINE'], 0, 'coldplug'],
    error: [['-n', 'MACHINE', '--kernel', '9.9'], 1, 'no-modules-directory'],
  },
  status: { error: [['NONE'], 1, 'unsupported'] },
  settle: { error: [['NONE', '-t', '0'], 1, 'unsupported'] },
  reload: { error: [['NONE'], 1, 'unsupported'] },
  log: { error: [['NONE'], 1, 'unsupported'] },
  monitor: { error: [['x'], 64, 'usage'] },
  test: { answer: [['MACHINE', 'nouveau'], 0, 'test'], error: [['MACHINE', 'nonsense'], 1, 'not-found'] },
  devices: { answer: [['MACHINE', 'nothing'], 1, 'devices'], error: [['-o', 'x'], 64, 'usage'] },
  why: { answer: [['MACHINE', 'nonsense'], 1, 'why'], error: [[], 64, 'usage'] },
  modules: {
    answer: [['MACHINE', 'virtio'], 0, 'modules'],
    error: [['MACHINE', '--kernel', '9.9'], 1, 'no-modules-directory'],
  },
  doctor: { answer: [['MACHINE'], 0, 'doctor'], error: [['--frob'], 64, 'usage'] },
  lookup: {
    answer: [['--root', 'ROOT', '--kernel', KERNEL, 'nonsense'], 1, 'lookup'],
    error: [['--root', 'ROOT', '--kernel', '9.9', 'x'], 1, 'no-modules-directory'],
  },
  closure: {
    answer: [['MACHINE', 'virtio_net'], 0, 'closure'],
    error: [['MACHINE', '--kernel', '9.9'], 1, 'no-modules-directory'],
  },
  image: {
    answer: [['MACHINE', '--check', 'ROOT'], 0, 'image-check'],
    error: [['MACHINE', '--check', '/none'], 1, 'unreadable'],
  },
  verify: { answer: [['MACHINE', 'virtio'], 1, 'verify'], error: [['MACHINE', 'nonsense'], 1, 'not-found'] },
  keys: { answer: [['MACHINE'], 0, 'keys'], error: [['frob'], 64, 'usage'] },
  dkms: { answer: [['check', '--root', 'ROOT'], 4, 'dkms'], error: [['frob'], 2, 'usage'] },
};

t.test('answers and errors', async (t) => {
  const rig = diagnosticsRig(t);
  const place: Readonly<Record<string, Words>> = {
    MACHINE: machineOptions(rig.base, KERNEL),
    ROOT: [join(rig.base, 'root')],
    NONE: ['--run-dir', join(rig.base, 'none')],
  };
  const run = (command: string, words: Words) =>
    spawnSync(process.execPath, [plugd, command, '--json', ...words.flatMap((word) => place[word] ?? word)], {
      encoding: 'utf8',
    });
  for (const [command, { answer, error }] of Object.entries(ROWS)) {
    if (answer !== undefined) {
      const [words, status, schema] = answer;
      const ended = run(command, words);
      t.equal(ended.status, status, `${command} ${words.join(' ')}: ${ended.stderr}`);
      const told = JSON.parse(ended.stdout) as { readonly schemaVersion: number };
      t.equal(told.schemaVersion, 1, command);
      if (schema !== undefined) fits(t, schema, told);
    }
    const [words, status, code] = error;
    const ended = run(command, words);
    t.equal(ended.status, status, `${command} ${words.join(' ')}`);
    const told = JSON.parse(ended.stdout) as { readonly error: { readonly code: string; readonly message: string } };
    fits(t, 'error', told);
    t.equal(told.error.code, code, command);
    t.ok(ended.stderr.includes(told.error.message), `${command}: the sentence for people, too`);
  }
  const asked = (await describeAll())
    .filter(({ command: { options = [] } }) => options.some(({ long }) => long === 'json'))
    .map(({ command: { name } }) => name);
  t.same(
    asked.filter((name) => !Object.hasOwn(ROWS, name)),
    ['modinfo'],
    'every command with --json has a row; modinfo gives a list of records',
  );
});

t.test('a list for each module, and what is no command', (t) => {
  const rig = diagnosticsRig(t);
  const at = ['-b', join(rig.base, 'root'), '-k', KERNEL];
  const run = (...words: string[]) => spawnSync(process.execPath, [plugd, ...words], { encoding: 'utf8' });
  const known = run('modinfo', '--json', ...at, 'virtio', 'virtio_net');
  t.same(
    (JSON.parse(known.stdout) as ReadonlyArray<{ schemaVersion: number }>).map(({ schemaVersion }) => schemaVersion),
    [1, 1],
  );
  t.match(run('modinfo', '--json', ...at, 'nonsense'), { status: 1, stdout: '[]\n', stderr: /nonsense not found/ });
  const none = run('devcies', '--json');
  t.equal(none.status, 64);
  fits(t, 'error', JSON.parse(none.stdout));
  t.end();
});

t.test('a key that is made, and where it stands', (t) => {
  const base = t.testdir();
  const files = ['--key', join(base, 'k/mok.key'), '--cert', join(base, 'k/mok.pub')];
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [plugd, 'keys', ...words, ...files], { encoding: 'utf8' });
  const made = run('generate', '--json');
  t.match(JSON.parse(made.stdout), { schemaVersion: 1, key: files[1], certificate: files[3] }, made.stderr);
  const state = JSON.parse(run('status', '--json').stdout) as { readonly state: string };
  t.match(run('status', '-q'), { stdout: `${state.state}\n`, stderr: '' });
  t.end();
});
