/** kmod's names in a package that has plugd-lite: it serves where it can, and Node in every other case. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VERSION } from '../../agent/base/version.ts';
import { runProgram, type Ended } from '../fixtures/commands.ts';
import { plugdLite } from './plugd-lite.ts';

t.setTimeout(600_000);
const project = join(import.meta.dirname, '../../..');
const lite = await plugdLite();
const skip = lite.kind === 'missing' ? lite.sentence : false;

t.test("kmod's names", { skip }, async (t) => {
  const top = t.testdir({
    tree: { lib: { modules: { '6.1': { 'modules.dep': 'a.ko:\n', 'modules.alias': 'alias pci:v1* a\n' } } } },
  });
  const env = { ...process.env, DESTDIR: join(top, 'image'), PREFIX: '/usr' };
  const installed = await runProgram(process.execPath, [join(project, 'deploy/install-system.mjs'), '--lite'], { env });
  t.equal(installed.status, 0, installed.stderr);
  const lib = join(top, 'image/usr/lib/plugd');
  const program = join(lib, `native/build/Release/plugd-lite-${VERSION}`);
  t.equal(realpathSync(join(top, 'image/usr/sbin/plugd-lite')), realpathSync(program), 'people and hooks find it');
  const words = ['-d', join(top, 'tree'), '-S', '6.1', '-R', 'pci:v1d2'];
  const modprobe = async (path = join(lib, 'names/modprobe')): Promise<Ended> => runProgram(path, words);
  const byNode = await modprobe(join(lib, 'names/node/modprobe'));
  t.match(byNode, { status: 0, stdout: 'a\n' });
  t.same(await modprobe(), byNode, 'plugd-lite answers as Node does');

  // What it is called with, and what becomes of its status.
  renameSync(program, join(top, 'lite'));
  const replaced = (text: string | Buffer): void => {
    writeFileSync(program, text);
    chmodSync(program, 0o755);
  };
  replaced('#!/bin/sh\necho "lite $*"\nexit 3\n');
  mkdirSync(join(top, 'sbin'));
  symlinkSync('../image/usr/lib/plugd/names/modprobe', join(top, 'sbin/modprobe'));
  for (const path of [join(lib, 'names/modprobe'), join(top, 'sbin/modprobe')])
    t.match(await modprobe(path), { status: 3, stdout: `lite ${words.join(' ')}\n` }, `it is preferred: ${path}`);

  const other = readFileSync(join(top, 'lite')).subarray(0, 64);
  other.writeUInt16LE(0xf00d, 18);
  const UNFIT: Readonly<Record<string, () => void>> = {
    'of another machine': () => replaced(other),
    'an empty file': () => replaced(''),
    'text that is no script': () => replaced('modprobe() { :; }\n'),
    'not executable': () => chmodSync(program, 0o644),
    'of another version': () => renameSync(program, join(lib, 'native/build/Release/plugd-lite-0.0.1')),
    'not there': () => rmSync(program, { force: true }),
  };
  for (const [rule, make] of Object.entries(UNFIT)) {
    make();
    t.same(await modprobe(), byNode, `Node serves: ${rule}`);
  }
  symlinkSync('modprobe', join(lib, 'names/frobnicate'));
  t.match(await modprobe(join(lib, 'names/frobnicate')), { status: 71, stderr: /^plugd: .*frobnicate: No such file/ });
});
