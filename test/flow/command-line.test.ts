/** What is the same in every command: help, mistyped words, errors under --json, -q, exit statuses. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { diagnosticsRig, fits, plugd } from '../fixtures/diagnostics-rig.ts';

function run(...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [plugd, ...args], { encoding: 'utf8' });
}

t.setTimeout(600_000);

t.test('help and version as words and as options', (t) => {
  for (const [word, option] of [
    [['help'], ['--help']],
    [['version'], ['--version']],
    [
      ['help', 'devices'],
      ['devices', '--help'],
    ],
    [
      ['help', 'rmmod'],
      ['rmmod', '--help'],
    ],
  ] as const) {
    const ended = run(...word);
    t.equal(ended.status, 0, word.join(' '));
    t.equal(ended.stdout, run(...option).stdout, word.join(' '));
    t.not(ended.stdout, '');
  }
  t.end();
});

const mistyped: ReadonlyArray<readonly [rule: string, args: readonly string[], stderr: RegExp]> = [
  ['a command', ['devcies'], /no command 'devcies'\nplugd: did you mean devices\? see plugd --help/],
  ['the beginning of one command', ['dev'], /did you mean devices\?/],
  ["kmod's commands count", ['modprbe'], /did you mean modprobe\?/],
  ['help of a command that is none', ['help', 'docter'], /did you mean doctor\?/],
  ['a command that is like no other', ['xyzzyx'], /no command 'xyzzyx'\nplugd: see plugd --help/],
  ['an option', ['devices', '--no-drvier'], /Unknown option '--no-drvier'\nplugd: did you mean --no-driver\?/],
  ['the beginning of one option', ['coldplug', '--dry'], /did you mean --dry-run\?/],
  ['an option with a value', ['devices', '--rot=/x'], /Unknown option '--rot'\nplugd: did you mean --root\?/],
  ['a letter', ['devices', '-Z'], /Unknown option '-Z'\nplugd: see plugd devices --help/],
];
for (const [rule, args, stderr] of mistyped) {
  t.test(`did you mean: ${rule}`, (t) => {
    const ended = run(...args);
    t.equal(ended.status, 64);
    t.match(ended.stderr, stderr);
    t.equal(ended.stdout, '');
    t.end();
  });
}

t.test(
  'what was named and is not there is status 1; a line that means nothing 64; under --json both are objects',
  (t) => {
    const rig = diagnosticsRig(t);
    const rows: ReadonlyArray<
      readonly [args: readonly [string, ...string[]], status: number, code: string | undefined]
    > = [
      [['test', 'nonsense'], 1, 'not-found'],
      [['test', '/dev/none'], 1, 'not-found'],
      [['test', './none.ko'], 1, 'not-found'],
      [['why', 'nonsense'], 1, undefined],
      [['devices', 'nonsense'], 1, undefined],
      [['modules', 'nonsense'], 1, undefined],
      [['test'], 64, 'usage'],
      [['devices', '--jsno'], 64, 'usage'],
    ];
    for (const [[command, ...args], status, code] of rows) {
      const ended = rig.run(command, '--json', ...args);
      t.equal(ended.status, status, `${command} ${args.join(' ')}`);
      const answer = JSON.parse(ended.stdout) as { schemaVersion: number; error?: { code: string; message: string } };
      t.equal(answer.schemaVersion, 1);
      t.equal(answer.error?.code, code);
      if (code === undefined) continue;
      fits(t, 'error', answer);
      t.ok(
        ended.stderr.includes(answer.error?.message.replaceAll(rig.base, '') ?? '-'),
        'the sentence for people, too',
      );
    }
    t.end();
  },
);

t.test('-q prints the bare answer', (t) => {
  const { run } = diagnosticsRig(t);
  const rows: ReadonlyArray<readonly [args: readonly [string, ...string[]], status: number, stdout: string]> = [
    [['devices', '--bus', 'pci'], 0, '/devices/pci0/0000:00:01.0\n/devices/pci0/0000:01:00.0\n'],
    [['devices', 'nonsense'], 1, ''],
    [['modules', 'virtio*'], 0, 'virtio\nvirtio_net\nvirtio_pci\n'],
    [['why', 'virtio'], 0, 'live\n'],
    [['why', 'nonsense'], 1, 'unknown-module\n'],
    [['test', 'nouveau'], 0, 'would-insert\n'],
    [['test', 'usb:v1p1'], 1, 'no-match\n'],
  ];
  for (const [[command, ...args], status, stdout] of rows) {
    t.match(run(command, '-q', ...args), { status, stdout, stderr: '' }, `${command} ${args.join(' ')}`);
  }
  t.end();
});
