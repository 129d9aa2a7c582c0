/** What an installer without CAP_SYS_MODULE, as in a container, hears. */
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import t from 'tap';
import { needCommands } from '../../fixtures/commands.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';
import { writeFileSync } from 'node:fs';
import { plugd, system } from './made-up-system.ts';

const tools = await needCommands(['make', 'setpriv']);
t.setTimeout(600_000);
const able = spawnSync('setpriv', ['--bounding-set=-sys_module', 'true']).status === 0;
const skip = tools.kind === 'missing' ? tools.sentence : !able && 'no right to give up a capability';

t.test('installed, and not to be loaded from here', { skip }, async (t) => {
  const running = release();
  const { dir, source } = system(t, [running]);
  const image = moduleImage({ modinfo: ['license=GPL', `vermagic=${running} SMP`] });
  writeFileSync(`${dir}/own.ko`, image);
  const given = source('demo', '1.0', `MAKE="cp ${dir}/own.ko demo.ko"`);
  const trees = [`--dkmstree=${dir}/var/lib/dkms`, `--sourcetree=${dir}/usr/src`, `--installtree=${dir}/lib/modules`];
  const install = (...before: readonly string[]) => {
    const [program = '', ...words] = [...before, process.execPath, plugd, 'dkms', 'install', given, ...trees];
    return spawnSync(program, [...words, '--force', '--no-sandbox'], { encoding: 'utf8', cwd: dir });
  };
  const ended = install('setpriv', '--bounding-set=-sys_module');
  t.equal(ended.status, 0, ended.stderr);
  t.match(ended.stderr, /are installed, but cannot be loaded from here: CAP_SYS_MODULE is missing\.\n/);
  const free = /CapEff:\t0*([0-9a-f]+)/.exec(spawnSync('cat', ['/proc/self/status'], { encoding: 'utf8' }).stdout)?.[1];
  if ((BigInt(`0x${free ?? '0'}`) >> 16n) % 2n === 1n) t.notMatch(install().stderr, /CAP_SYS_MODULE/);
});
