/** What commands write, where: the program itself, with its output full, gone, a pipe and a terminal. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { jsonText } from '../../agent/commands/output.ts';
import { needCommands } from '../fixtures/commands.ts';

const bundle = join(import.meta.dirname, '../../plugd.cjs');
/** A name that clears the screen, in every way: C0, C1 in UTF-8, a direction mark, a stray byte. */
const NASTY = 'a\u001b[2J\u009b2J\u202ez';

t.test('JSON keeps its values and lets nothing out that a terminal obeys', (t) => {
  const value = { [NASTY]: [NASTY, 'é\u007f\u2028'] };
  const text = jsonText(value, 1);
  t.same(JSON.parse(text), value);
  t.notMatch(text, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]/);
  t.match(text, /é/);
  t.end();
});

t.test('standard output is full', (t) => {
  const base = t.testdir({
    'lib/modules/1.0': { 'modules.dep': 'kernel/a.ko:\n', 'modules.alias': 'alias x:* a\n', kernel: { 'a.ko': '' } },
  });
  const links = join(base, 'links');
  mkdirSync(links);
  for (const name of ['modprobe', 'lsmod', 'modinfo', 'depmod']) symlinkSync(bundle, join(links, name));
  const tree = ['--root', base, '--kernel', '1.0'];
  const host = [...tree, '--sysfs', base];
  const plain = /^plugd: standard output: no space left on device\n$/;
  const kmod = /^(\w+): ERROR: standard output: no space left on device\n$/;
  const rows: ReadonlyArray<readonly [program: string, args: readonly string[], status: number, stderr: RegExp]> = [
    ['', ['--version'], 71, plain],
    ['', ['--help'], 71, plain],
    ['', ['lookup', '--help'], 71, plain],
    ['', ['lookup', ...tree, 'x:1'], 71, plain],
    ['', ['lookup', ...tree, '--json', 'x:1'], 71, plain],
    ['', ['test', ...host, 'x:1'], 71, plain],
    ['', ['modules', ...host], 71, plain],
    ['', ['doctor', ...host], 71, plain],
    ['', ['why', ...host, 'a'], 71, plain],
    ['', ['coldplug', '-n', ...host], 71, plain],
    ['modprobe', ['-V'], 1, kmod],
    ['modprobe', ['-d', base, '-S', '1.0', '-C', '/dev/null', '-D', 'a'], 1, kmod],
    ['modprobe', ['-d', base, '-S', '1.0', '-C', '/dev/null', '-n', '-v', 'a'], 1, kmod],
    ['lsmod', ['-h'], 1, kmod],
    ['modinfo', ['-F', 'filename', '-b', base, '-k', '1.0', 'a'], 1, kmod],
    ['depmod', ['-n', '-b', base, '1.0'], 1, /standard output: no space left on device/],
  ];
  const full = openSync('/dev/full', 'w');
  for (const [program, args, status, stderr] of rows) {
    const file = program === '' ? bundle : join(links, program);
    const ended = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] });
    t.equal(ended.status, status, `${program} ${args.join(' ')}`);
    t.match(ended.stderr, stderr, `${program} ${args.join(' ')}`);
  }
  const lost = spawnSync(process.execPath, [bundle, 'nonesuch'], { stdio: ['ignore', 'pipe', full] });
  t.equal(lost.status, 64, 'a message that cannot be written changes nothing');
  closeSync(full);
  t.end();
});

t.test('machine text: bytes in a pipe, escaped on a terminal', async (t) => {
  const base = t.testdir({ proc: {}, 'sys/module': {}, 'lib/modules/1.0': { 'modules.dep': '' } });
  const words = ['lookup', '--root', base, '--kernel', '1.0', `${NASTY}é`];
  const piped = spawnSync(process.execPath, [bundle, ...words]);
  t.equal(piped.stdout.toString('utf8'), `${NASTY}é\t\n`);
  const modinfo = spawnSync(process.execPath, [bundle, 'modinfo', NASTY], { encoding: 'utf8' });
  t.equal(modinfo.stderr, `modinfo: ERROR: Module ${NASTY} not found.\n`);
  const tools = await needCommands(['script']);
  if (tools.kind === 'missing') return t.comment(tools.sentence);
  const typed = (args: readonly string[]) => [process.execPath, bundle, ...args].map((word) => `'${word}'`).join(' ');
  for (const args of [
    words,
    ['modinfo', NASTY],
    ['nonesuch', NASTY],
    ['test', '--root', base, '--kernel', '1.0', NASTY],
  ]) {
    const shown = spawnSync('script', ['-qec', typed(args), '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'dumb' },
    });
    t.notMatch(shown.stdout, /[\u001b\u009b\u202e]/, args.join(' '));
    if (args[0] !== 'nonesuch') t.match(shown.stdout, 'a\\x1b[2J', args.join(' '));
  }
});
