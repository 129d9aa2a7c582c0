/** kmod's commands under their own names: the bundle is called through links, as scripts would find it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const bundle = join(import.meta.dirname, '../../plugd.cjs');
const NAMES = ['modprobe', 'insmod', 'rmmod', 'lsmod', 'modinfo', 'depmod'];
const VERSION = /^kmod version \d+ \(plugd \S+\)\n([+-]\w+ ?)+\n$/;

function run(program: string, args: readonly string[], options: { cwd?: string; path?: string } = {}) {
  const PATH = `${options.path === undefined ? '' : `${options.path}:`}${process.env['PATH'] ?? ''}`;
  const ended = spawnSync(program, args, { encoding: 'utf8', cwd: options.cwd, env: { ...process.env, PATH } });
  return `${ended.status} ${ended.stdout}${ended.stderr}`;
}

t.test('under each name, whatever way', (t) => {
  const dir = t.testdir({ node_modules: { plugd: {}, '.bin': {} }, sbin: {}, links: {} });
  // What npm makes of "bin", and a whole installation's folder behind a link.
  symlinkSync(join(bundle, '..'), join(dir, 'node_modules/plugd/dist'));
  symlinkSync('../plugd/dist/plugd.cjs', join(dir, 'node_modules/.bin/plugd'));
  symlinkSync('sbin', join(dir, 'usr-sbin'));
  for (const name of NAMES) {
    symlinkSync('../node_modules/.bin/plugd', join(dir, 'sbin', name));
    symlinkSync(`../usr-sbin/${name}`, join(dir, 'links', name));
    const usage = new RegExp(`^0 usage: ${name} \\[OPTION\\.\\.\\.\\]`);
    t.match(run(join(dir, 'links', name), ['-h']), usage, `${name}, a link to a link to npm's link`);
    t.match(run(name, ['-V'], { path: join(dir, 'sbin') }).slice(2), VERSION, `${name} on PATH`);
    if (name !== 'lsmod') continue;
    t.match(run(`./${name}`, ['-h'], { cwd: join(dir, 'sbin') }), usage, `./${name}`);
    t.match(run(join(dir, 'node_modules/.bin/plugd'), [name, '-h']), usage, `plugd ${name}`);
  }
  t.end();
});

t.test('any other name is plugd', (t) => {
  const dir = t.testdir({});
  mkdirSync(join(dir, 'lsmod.d'));
  for (const name of ['plugd', 'lsmod2', 'lsmod.d/x']) {
    symlinkSync(bundle, join(dir, name));
    t.match(run(join(dir, name), ['--version']), /^0 plugd \d/, name);
  }
  t.end();
});
