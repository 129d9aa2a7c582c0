import t from 'tap';
import { PlugdError } from '../../../agent/base/error.ts';
import { Applet, LEVEL } from '../../../agent/commands/kmod/applet.ts';
import { appletHelp, APPLET_OPTION, type AppletUsage } from '../../../agent/commands/kmod/applet-help.ts';

const USAGE: AppletUsage = {
  name: 'modtest',
  forms: ['[OPTION...] MODULE', '-c'],
  about: 'Tests.',
  options: [
    { short: 'D', long: 'dir', value: 'DIR', group: 2, help: 'in DIR' },
    { short: 'a', long: 'all', group: 1, help: 'all of them' },
    { short: 'old', long: 'given-up' },
    { long: 'show', group: 1, help: 'show' },
    { short: 'n', long: 'dry-run', group: 1, beside: true },
    APPLET_OPTION.syslog,
    APPLET_OPTION.version,
    APPLET_OPTION.help,
  ],
  notes: 'That is all.',
};

interface Kept {
  readonly applet: Applet;
  stdout: string;
  stderr: string;
}

function keeping(print?: () => never): Kept {
  const kept = { stdout: '', stderr: '' };
  const applet = new Applet('modtest', {
    print: (text) => {
      print?.();
      kept.stdout += text;
    },
    say: (text) => {
      kept.stderr += text;
    },
  });
  return Object.assign(kept, { applet });
}

t.test('the help is made of the table: groups by number, names that were given up left out', (t) => {
  t.equal(
    appletHelp(USAGE),
    `usage: modtest [OPTION...] MODULE
       modtest -c

Tests.

  -a, --all                all of them
      --show, --dry-run    show

  -D, --dir DIR            in DIR

  -s, --syslog             messages go to the system log
  -V, --version            print the version
  -h, --help               print this

That is all.
`,
  );
  t.end();
});

t.test('how a command line is begun', async (t) => {
  const rows: ReadonlyArray<
    readonly [rule: string, words: readonly string[], status: number, taken: string, stdout: RegExp, stderr: string]
  > = [
    ['options in their order, then operands', ['x', '-Dd', '--all', 'y'], 0, 'dir=d all= | x y', /^$/, ''],
    ['-h ends it where it stands', ['-a', '-h', '-D', 'x'], 0, 'all=', /^usage: modtest/, ''],
    ['-V too', ['-V', '-a'], 0, '', /^kmod version \d+ \(plugd .*\)\n\+ZSTD .*\n$/, ''],
    ['a wrong line', ['-a', '--nope', '-h'], 1, '', /^$/, "modtest: unrecognized option '--nope'\n"],
  ];
  for (const [rule, words, status, taken, stdout, stderr] of rows) {
    const kept = keeping();
    const seen: string[] = [];
    const ended = await kept.applet.run((applet) => {
      const operands = applet.start(USAGE, words, (name, argument) => seen.push(`${name}=${argument}`));
      seen.push('|', ...operands);
      return 0;
    });
    t.equal(ended, status, rule);
    t.equal(seen.join(' '), taken, rule);
    t.match(kept.stdout, stdout, rule);
    t.equal(kept.stderr, stderr, rule);
  }
});

t.test('messages', async (t) => {
  const { applet } = keeping();
  t.equal(await applet.run(() => applet.fail('no')), 1, 'a failure ends it');
  t.equal(
    await applet.run(() => {
      applet.level = LEVEL.emergency;
      applet.fatal('hidden');
      return 0;
    }),
    0,
    'a fatal message that is hidden does not',
  );
  const plain = keeping();
  plain.applet.warning('a…b → caf\xc3\xa9 \xff ✓');
  plain.applet.print('a → b\n');
  t.equal(plain.stderr, 'modtest: WARNING: a...b -> caf\xc3\xa9 \xff \xe2\x9c\x93\n', 'one character is one byte');
  t.equal(plain.stdout, 'a -> b\n');
});

t.test('output that cannot be written', async (t) => {
  const full = () => {
    throw new PlugdError('system', 'standard output: no space left on device');
  };
  const rows: ReadonlyArray<readonly [rule: string, acts: boolean, own: number, status: number]> = [
    ['what was asked for is lost', false, 0, 1],
    ['what was to be done is done', true, 0, 0],
    ['a failure stays one', true, 1, 1],
  ];
  for (const [rule, acts, own, status] of rows) {
    const kept = keeping(full);
    const steps: string[] = [];
    const ended = await kept.applet.run((applet) => {
      applet.acts = acts;
      applet.print('insmod a\n');
      steps.push('went on');
      applet.print('insmod b\n');
      return own;
    });
    t.equal(ended, status, rule);
    t.same(steps, ['went on'], rule);
    t.equal(kept.stderr, 'modtest: ERROR: standard output: no space left on device\n', 'one complaint');
  }
  await t.rejects(
    keeping(() => {
      throw new TypeError('a defect');
    }).applet.run((applet) => {
      applet.print('x');
      return 0;
    }),
    { message: 'a defect' },
  );
});
