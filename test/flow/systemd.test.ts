/** The units: what systemd itself says of them, and that the agent can do its work within what they allow. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AgentRig, rigMissing } from '../fixtures/agent-rig.ts';
import { needCommands, runProgram } from '../fixtures/commands.ts';
import { allowedCalls, buildFilter } from '../fixtures/confinement/system-call-filter.ts';

const root = join(import.meta.dirname, '../../..');
const SOURCE = join(root, 'systemd');
const HELPER = join(root, 'native/build/Release/plugd-request');
const UNITS = ['plugd.service', 'plugd-dkms.service', 'plugd-settle.service'];
const OVERLAYS = ['instead-of-udevd', 'free-install-commands', 'instead-of-modules-load'];

const tools = await needCommands(['systemd-analyze']);
const skip = tools.kind === 'missing' ? { skip: tools.sentence } : {};
const noRig = rigMissing();

/** Directives of a unit in their order. */
function directives(text: string): ReadonlyArray<readonly [name: string, value: string]> {
  return [...text.matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value] as const);
}

function valuesOf(unit: string, name: string): string[] {
  const all = directives(readFileSync(join(SOURCE, unit), 'utf8'));
  return all.filter(([directive]) => directive === name).map(([, value]) => value);
}

/** A folder of units as they would be installed, with the programs of this checkout. */
function install(folder: string, overlays: readonly string[] = []): NodeJS.ProcessEnv {
  for (const name of UNITS) {
    const text = readFileSync(join(SOURCE, name), 'utf8');
    writeFileSync(join(folder, name), text.replaceAll(/^(Exec\w+)=plugd /gm, `$1=${join(root, 'dist/plugd.cjs')} `));
  }
  for (const name of overlays) cpSync(join(SOURCE, name), folder, { recursive: true });
  return { SYSTEMD_UNIT_PATH: `${folder}:/usr/lib/systemd/system:/lib/systemd/system`, PATH: '/usr/bin:/bin' };
}

t.setTimeout(600_000);

t.test('systemd finds nothing wrong in the units, nor in the drop-ins', skip, async (t) => {
  for (const overlays of [[], ...OVERLAYS.map((name) => [name])]) {
    const folder = t.testdir();
    const env = install(folder, overlays);
    const paths = UNITS.map((name) => join(folder, name));
    const ended = await runProgram('systemd-analyze', ['verify', '--man=no', ...paths], { env });
    t.same([ended.status, ended.stdout + ended.stderr], [0, ''], overlays.join());
    writeFileSync(join(folder, 'plugd.service'), '[Service]\nExecStart=/bin/true\nNoSuchThing=yes\n');
    const wrong = await runProgram('systemd-analyze', ['verify', '--man=no', ...paths], { env });
    t.match(wrong.stderr, /NoSuchThing/, 'it names what it does not know');
  }
});

t.test('how exposed the units are', skip, async (t) => {
  const exposure = async (unit: string, overlays: readonly string[]) => {
    const args = ['security', '--offline=yes', '--no-pager', unit];
    const { stdout } = await runProgram('systemd-analyze', args, { env: install(t.testdir(), overlays) });
    return Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  };
  const measured = {
    plugd: await exposure('plugd.service', []),
    settle: await exposure('plugd-settle.service', []),
    free: await exposure('plugd.service', ['free-install-commands']),
  };
  t.comment(`exposure (0 to 10): plugd.service ${measured.plugd}, plugd-settle.service ${measured.settle}`);
  t.comment(`with free-install-commands ${measured.free}`);
  t.ok(measured.plugd <= 4.3, 'systemd-udevd.service has 7');
  t.ok(measured.settle <= 1.5);
  t.ok(measured.free > 8, 'the drop-in takes all of it back');
});

t.test('a reason stands beside each right and each denial', (t) => {
  for (const unit of UNITS) {
    const lines = readFileSync(join(SOURCE, unit), 'utf8').split('\n');
    const comments = lines.filter((line) => line.startsWith('#')).join('\n');
    t.ok(
      lines.every((line) => line.length <= 120),
      `${unit} is readable`,
    );
    if (unit !== 'plugd.service') continue;
    for (const name of valuesOf(unit, 'CapabilityBoundingSet').join(' ').split(' ')) {
      t.match(comments, new RegExp(`^# - [A-Z_ ]*\\b${name.replace('CAP_', '')}\\b[A-Z_ ]*: \\S`, 'm'), name);
    }
    for (const word of valuesOf(unit, 'SystemCallFilter').join(' ').replaceAll('~', '').split(' ')) {
      t.match(comments, new RegExp(`^# - [\\w@ ]*${word}[\\w@ ]*: \\S`, 'm'), word);
    }
    for (const word of valuesOf(unit, 'RestrictAddressFamilies').join(' ').split(' ')) {
      t.match(comments, new RegExp(`\\b${word}\\b`), word);
    }
    const before = (name: string) => lines[lines.findIndex((line) => line.startsWith(`${name}=`)) - 1];
    for (const name of [
      'KillMode',
      'WatchdogSec',
      'OOMPolicy',
      'ProtectSystem',
      'ProtectHome',
      'SystemCallErrorNumber',
    ]) {
      t.match(before(name), /^# /, name);
    }
    const given = new Set(directives(lines.join('\n')).map(([name]) => name));
    for (const [, name = ''] of comments.matchAll(/^# - [^:]*?\b([A-Z]\w+)=(?=[,:])/gm)) {
      t.notOk(given.has(name), `${name} is left out, as the unit says`);
    }
  }
  t.end();
});

t.test('what the package and the units say of each other', (t) => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: readonly string[] };
  t.ok(files.includes('systemd'));
  t.same(readdirSync(SOURCE).toSorted(), [...UNITS, ...OVERLAYS].toSorted());
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const name of OVERLAYS) t.match(readme, name);
  for (const unit of UNITS) {
    for (const name of ['ExecStart', 'ExecReload']) {
      for (const value of valuesOf(unit, name)) {
        const { stderr } = spawnHelp(value.split(' ')[1] ?? '');
        t.equal(stderr, '', `${value} names a command`);
      }
    }
  }
  t.end();
});

function spawnHelp(command: string): { stderr: string } {
  try {
    execFileSync(process.execPath, [join(root, 'dist/plugd.cjs'), command, '--help'], { stdio: 'pipe' });
    return { stderr: '' };
  } catch (error) {
    return { stderr: String((error as { stderr?: unknown }).stderr) };
  }
}

t.test('the mask of udevd is made, and taken away', (t) => {
  const folder = t.testdir();
  const half = (path: string) => readFileSync(join(SOURCE, 'instead-of-udevd', path), 'utf8');
  const run = (text: string, name: string) => {
    const line = directives(text).find(([directive]) => directive === name)?.[1] ?? '';
    const words = /^-?(\S+) (?:-c '(.*)'|(.*))$/.exec(line.replaceAll(/\/(run|etc)\//g, `${folder}/$1/`));
    const args = words?.[2] === undefined ? (words?.[3] ?? '').split(' ') : ['-c', words[2]];
    const env = { PATH: `${folder}/bin:${process.env['PATH']}` };
    try {
      execFileSync(words?.[1] ?? '', args, { env });
      return true;
    } catch {
      return false;
    }
  };
  const mask = join(folder, 'run/udev/rules.d/80-drivers.rules');
  const udevd = half('systemd-udevd.service.d/plugd.conf');
  const agent = half('plugd.service.d/instead-of-udevd.conf');
  const masked = () => lstatSync(mask, { throwIfNoEntry: false }) !== undefined;

  t.notOk(run(udevd, 'ExecStartPre'), 'plugd is not enabled');
  t.notOk(masked());
  const wants = join(folder, 'etc/systemd/system/sysinit.target.wants');
  mkdirSync(wants, { recursive: true });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(wants, 'plugd.service'), '');
  writeFileSync(join(folder, 'bin/plugd'), '#!/bin/sh\n', { mode: 0o755 });
  t.ok(run(udevd, 'ExecStartPre'));
  t.equal(readlinkSync(mask), '/dev/null');
  t.ok(run(agent, 'ExecStartPre'), 'a second time');
  t.equal(readlinkSync(mask), '/dev/null');
  t.ok(run(agent, 'ExecStopPost'));
  t.notOk(masked());
  t.ok(run(agent, 'ExecStopPost'), 'a second time');
  t.end();
});

const noFilter = noRig === undefined ? skip : { skip: noRig.sentence };

t.test(
  'an agent does all its work within the SystemCallFilter, and so do usual install commands',
  noFilter,
  async (t) => {
    const rig = await AgentRig.open(t, {
      modules: {
        bus: { aliases: ['pci:v1'] },
        node: { aliases: ['pci:v2'] },
        fs: { aliases: ['fs-x'] },
        odd: { aliases: ['pci:v3'] },
      },
      devices: [{ devpath: '/devices/a', subsystem: 'pci', modalias: 'pci:v1' }],
      files: { 'etc/plugd/policy.conf': 'deny modalias=acpi:*\n' },
    });
    const at = (name: string) => join(rig.base, name);
    rig.put(
      'root/etc/modprobe.d/a.conf',
      `install node p=${at('fifo')}; mknod $p p && chmod 0640 $p && chown 0:0 $p && mkdir -p ${at('d')} && echo 1 > ${at('d/on')} ` +
        `&& sleep 0.1 && { cat ${at('d/on')} | grep 1 > ${at('d/out')}; }\n` +
        // @mount is in none of the sets.
        `install odd python3 -c 'import ctypes; ctypes.CDLL(None).mount(0, 0, 0, 0, 0)' || mount -t tmpfs x ${at('d')}\n`,
    );
    rig.under = [buildFilter(rig.base, allowedCalls(valuesOf('plugd.service', 'SystemCallFilter')))];
    const agent = rig.start(['--serve-kernel-requests'], [0]);
    await agent.line('settled');
    t.match(readFileSync(`/proc/${agent.child.pid}/status`, 'latin1'), /^Seccomp:\s+2$/m, 'the filter is in force');
    await rig.play([{ action: 'add', devpath: '/devices/b', SUBSYSTEM: 'pci', MODALIAS: 'pci:v2' }]);
    await agent.line('command', ({ module }) => module === 'node');
    t.ok(statSync(at('fifo')).isFIFO());
    t.equal(readFileSync(at('d/out'), 'latin1'), '1\n');
    t.equal((await runProgram(HELPER, ['--control', at('run/control'), '-q', '--', 'fs-x'])).status, 0);
    t.match(await agent.ask('load', { names: ['bus'] }), { modules: [{ found: true, failed: [] }] });
    // A new generation by inotify, and one by a signal.
    rig.put('root/etc/modprobe.d/b.conf', 'options fs x=1\n');
    await agent.line('generation');
    agent.child.kill('SIGHUP');
    await agent.line('generation', ({ generation }) => generation === 3);
    t.match(await agent.ask('status', {}), { insertions: { failed: 0 } });
    await rig.play([{ action: 'add', devpath: '/devices/c', SUBSYSTEM: 'pci', MODALIAS: 'pci:v3' }]);
    t.match(await agent.line('failed', ({ module }) => module === 'odd'), { msg: /odd/ }, 'what is not allowed fails');
    t.equal(await agent.stop(), 0, agent.stderr);
    t.equal(readFileSync(at('proc/sys/kernel/modprobe'), 'utf8'), '/sbin/modprobe\n');
  },
);
