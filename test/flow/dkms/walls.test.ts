/** Whose word counts on whether builds are walled in. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { openSandbox } from '../../../agent/dkms/build/sandbox/sandbox.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { ARCH, KERNEL, plugd, system } from './made-up-system.ts';

const tools = await needCommands(['make']);
t.setTimeout(600_000);
const { missing } = await openSandbox({ entered: ['/'] });
const lacking = missing.find(({ wall }) => wall === 'files')?.why ?? false;
const skip = tools.kind === 'missing' ? tools.sentence : lacking;

/** What is said, by whom, and what becomes of it. */
const ROWS: ReadonlyArray<
  readonly [
    rule: string,
    program: 'plugd' | 'dkms',
    words: readonly string[],
    conf: string,
    framework: string,
    walled: boolean,
  ]
> = [
  ["plugd's own command has walls", 'plugd', [], '', '', true],
  ['the option', 'plugd', ['--no-sandbox'], '', '', false],
  ['framework.conf', 'plugd', [], '', 'build_sandbox=no', false],
  ['the option wins over framework.conf', 'plugd', ['--sandbox'], '', 'build_sandbox=no', true],
  ['the module wins over all', 'plugd', ['--sandbox'], 'BUILD_SANDBOX=no', '', false],
  ["dkms's name has dkms's rights", 'dkms', [], '', '', false],
  ['unless the administrator wants it', 'dkms', [], '', 'build_sandbox="yes"', true],
  ['or the caller', 'dkms', ['--sandbox'], '', '', true],
];

t.test('walls around builds: whose word counts', { skip }, async (t) => {
  const { dir, source, read } = system(t);
  // /tmp stays writable.
  if (dir.startsWith('/tmp/')) return;
  const link = `${dir}/given/dkms`;
  symlinkSync(plugd, link);
  const outside = `${dir}/var/outside`;
  const make = `MAKE="echo x > ${outside}; cp demo.image demo.ko"`;
  for (const [i, [rule, program, words, conf, framework, walled]] of ROWS.entries()) {
    writeFileSync(`${dir}/etc/dkms/framework.conf`, `${framework}\n`);
    rmSync(outside, { force: true });
    const given = source('demo', `${i}`, `${conf}\n${make}`);
    const start = program === 'dkms' ? [link] : [plugd, 'dkms'];
    const command = [...start, 'build', given, '-k', KERNEL, '--root', dir, ...words];
    const ended = spawnSync(process.execPath, command, { encoding: 'utf8', cwd: dir });
    t.equal(ended.status, 0, `${rule}: ${ended.stdout}${ended.stderr}`);
    t.equal(existsSync(outside), !walled, rule);
    const log = read(`var/lib/dkms/demo/${i}/${KERNEL}/${ARCH}/log/make.log`);
    t.equal(log.includes('Read-only file system'), walled, rule);
  }
});
