import t from 'tap';
import { parseDkms, type DkmsArguments } from '../../../agent/commands/dkms/dkms-arguments.ts';

const run = (...words: readonly string[]) => parseDkms(words);

function options(...words: readonly string[]) {
  const parsed = run(...words);
  return parsed.kind === 'run' ? parsed.options : parsed;
}

t.test('options in every form', async (t) => {
  const rules: ReadonlyArray<readonly [string, readonly string[], object]> = [
    ['short, before the action', ['-m', 'a', '-v', '1', 'build'], { action: 'build', module: 'a', version: '1' }],
    ['after the action', ['build', '-m', 'a', '-v', '1'], { action: 'build', module: 'a', version: '1' }],
    ['name and version in one', ['build', '-m', 'a/1.0'], { module: 'a', version: '1.0' }],
    ['as a word', ['build', 'a/1.0'], { module: 'a', version: '1.0' }],
    ['-v wins over the version of -m', ['build', '-m', 'a/1', '-v', '2'], { module: 'a', version: '2' }],
    ['everything behind the first slash is the version', ['build', 'a/1/2'], { module: 'a', version: '1/2' }],
    ['long with =', ['build', '--module=a/1'], { module: 'a', version: '1' }],
    ['long with its value behind', ['build', '--module', 'a/1'], { module: 'a' }],
    ['a name that begins with the option', ['build', '--module-name=a'], { module: 'a' }],
    ['an archive, not an architecture', ['add', '--archive-location', 'x.tgz'], { archive: 'x.tgz', arches: [] }],
    ['an architecture', ['build', '--arch', 'x86_64'], { arches: ['x86_64'] }],
    ['several kernels', ['build', '-k', '6.1', '-k', '6.2'], { kernels: ['6.1', '6.2'] }],
    ['a kernel with its architecture', ['build', '-k', '6.1/i686'], { kernels: ['6.1'], arches: ['i686'] }],
    ['directives', ['build', '--directive', 'A=1', '--directive=B=2'], { directives: ['A=1', 'B=2'] }],
    ['switches', ['install', '--force', '--no-depmod'], { force: true, noDepmod: true, all: false }],
    ['all kernels', ['remove', '--all'], { all: true }],
  ];
  for (const [rule, words, expected] of rules) t.match(options(...words), expected, rule);
});

t.test('what ends at once', async (t) => {
  t.same(run('--version'), { kind: 'version' });
  t.same(run('-V', '--nonsense'), { kind: 'version' }, 'before an error behind it');
  t.same(run('build', '--help'), { kind: 'help' });
});

t.test('errors and their statuses', async (t) => {
  const rules: ReadonlyArray<readonly [string, readonly string[], number, RegExp]> = [
    ['an unknown option', ['build', '--nonsense'], 2, /^Unknown option: --nonsense$/],
    ['short options take no value of their own', ['build', '-k6.1'], 2, /^Unknown option: -k6.1$/],
    ['two actions', ['build', 'install'], 4, /^Cannot specify more than one action\.$/],
    ['both halves of an archive', ['mktarball', '--binaries-only', '--source-only'], 8, /both --binaries-only/],
    ['more architectures than kernels', ['build', '-a', 'x', '-a', 'y', '-k', '6.1'], 1, /more than one arch/],
    ['a kernel and all', ['remove', '-k', '6.1', '--all'], 2, /a kernel version and also/],
    ['an architecture and all', ['remove', '-a', 'x', '--all'], 3, /an arch and also/],
    ['a hook without its kernel', ['kernel_prerm'], 4, /requires exactly one kernel/],
    ['a kernel of no name', ['build', '-k', ''], 16, /^Empty kernelver\[0\]$/],
    ['a kernel that leads out of the tree', ['build', '-k', '..'], 16, /^\.\. cannot be the name/],
    ['jobs that are no number', ['build', '-j', 'many'], 2, /^-j many: not a number of jobs$/],
    ['no action', ['-m', 'a'], 2, /^Unknown action specified: ""$/],
    ['a word that is none', ['upgrade-all'], 2, /^Unknown action specified: "upgrade-all"$/],
  ];
  for (const [rule, words, status, line] of rules) {
    const parsed = run(...words);
    if (parsed.kind !== 'error') {
      t.fail(rule);
      continue;
    }
    t.equal(parsed.status, status, rule);
    t.match(parsed.lines[0], line, rule);
  }
});

t.test('a misspelt action', async (t) => {
  const hint = (parsed: DkmsArguments) => (parsed.kind === 'error' ? parsed.lines[1] : undefined);
  for (const word of ['instal', 'isntall', 'installl', 'unstall', 'statsu', 'stat']) {
    t.match(hint(run(word)), /^Did you mean "(install|status|uninstall)"\?$/, word);
  }
  t.equal(hint(run('v4l2loopback')), undefined, 'another word');
});

t.test('words that are files', async (t) => {
  const dir = t.testdir({ tree: { 'dkms.conf': '' }, empty: {}, 'a.tar.gz': '' });
  t.match(options('add', `${dir}/tree`), { source: `${dir}/tree`, module: '' });
  t.match(options('add', `${dir}/tree/dkms.conf`), { source: `${dir}/tree/dkms.conf` });
  t.match(options('add', `${dir}/a.tar.gz`), { archive: `${dir}/a.tar.gz` });
  const empty = run('add', 'a/1', 'b/2');
  t.match(empty, { kind: 'run', notes: ['Warning: I do not know how to handle b/2.'] }, 'a second module');
});

t.test('options of long ago', async (t) => {
  t.match(run('build', '--no-initrd', 'a/1'), { kind: 'run', notes: ['Deprecated feature: --no-initrd'] });
});
