/** What doctor, why and test know of modules that dkms builds: on a made-up system with two kernels, through the programs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { CheckResult } from '../../../agent/explain/doctor/health.ts';
import type { Investigation } from '../../../agent/records/investigation.ts';
import type { Reasons } from '../../../agent/records/reasons.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { fits } from '../../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';
import { ARCH, KERNEL, OTHER, plugd, system } from './made-up-system.ts';

const tools = await needCommands(['make', 'tar']);
t.setTimeout(600_000);
const skip = tools.kind === 'missing' ? tools.sentence : false;

t.test('a module that one kernel has, and whose build for the next failed', { skip }, async (t) => {
  const { dir, run, source } = system(t, [KERNEL, OTHER]);
  const ask = (kernel: string, ...words: readonly string[]) => {
    const place = ['--root', dir, '--kernel', kernel, '--sysfs', `${dir}/sys`, '--proc', `${dir}/proc`];
    const { stdout } = spawnSync(process.execPath, [plugd, ...words, ...place], { encoding: 'utf8' });
    return stdout.replaceAll(/\n\s+/g, ' ');
  };
  interface Answers {
    readonly doctor: { readonly checks: readonly CheckResult[] };
    readonly why: Reasons;
    readonly test: Investigation;
  }
  const json = <Name extends keyof Answers>(
    schema: Name,
    kernel: string,
    ...words: readonly string[]
  ): Answers[Name] => {
    const answer: unknown = JSON.parse(ask(kernel, schema, '--json', ...words));
    fits(t, schema, answer);
    return answer as Answers[Name];
  };
  const checks = (kernel: string, ...words: readonly string[]) => {
    const { checks: all } = json('doctor', kernel, ...words);
    return new Map(all.map((each) => [each.id, each]));
  };
  mkdirSync(`${dir}/proc`);
  mkdirSync(`${dir}/sys`);
  writeFileSync(`${dir}/proc/modules`, '');

  t.equal(run('install', source('demo', '1.0'), '-k', KERNEL).status, 0);
  t.match(checks(KERNEL).get('out-of-tree'), { state: 'ok', summary: `1 module of dkms, all installed for ${KERNEL}` });
  t.match(json('why', KERNEL, 'demo').dkms, { name: 'demo/1.0', state: 'installed', because: 'installed' });
  t.match(json('why', OTHER, 'demo'), {
    state: { kind: 'unknown-module' },
    dkms: { state: 'not-built', because: `not built; ${KERNEL} has it`, remedy: `dkms autoinstall -k ${OTHER}` },
  });

  const broken = `all:\n\t@echo "$(M)/demo.c:12:3: error: implicit declaration of function 'from_timer'"; false\n`;
  writeFileSync(`${dir}/lib/modules/${OTHER}/build/Makefile`, broken);
  t.equal(run('autoinstall', '-k', OTHER).status, 11);
  const because = `its build failed: demo.c:12: implicit declaration of function 'from_timer' (api-change); ${KERNEL} has it`;
  const remedy = `demo/1.0 does not know kernel ${OTHER}: look for a newer version of it (plugd dkms log demo/1.0 shows more)`;
  t.match(checks(KERNEL, '--next-kernel', OTHER).get('out-of-tree'), {
    state: 'wrong',
    summary: `1 of 1 module of dkms is not installed for ${OTHER}`,
    evidence: [`demo/1.0: ${because}`],
    remedy,
  });
  t.match(json('why', OTHER, 'demo').dkms, { state: 'failed', because, remedy });
  t.match(ask(OTHER, 'why', 'demo').replaceAll(/ +/g, ' '), `dkms demo/1.0: ${because} ${remedy}`);
  for (const name of ['demo', 'demo:demo'])
    t.match(json('test', OTHER, name), {
      verdict: 'no-match',
      evidence: [`dkms has demo/1.0 for it: ${because}`],
      remedy,
    });
});

t.test("its signature, and the initramfs's copy of it", { skip }, async (t) => {
  const { dir, run, source } = system(t);
  const ask = (...words: readonly string[]) => {
    const place = ['--root', dir, '--kernel', KERNEL];
    return spawnSync(process.execPath, [plugd, ...words, ...place], { encoding: 'utf8' }).stdout;
  };
  t.equal(run('install', source('demo', '1.0', '', '1.0\0srcversion=AAAA'), '-k', KERNEL).status, 0);
  const told = ask('doctor', '-v').replaceAll(/\n\s+/g, ' ');
  t.match(told, /1 module of dkms without a good signature[^]*demo of demo\/1\.0 is not signed/);
  t.notMatch(told, /another copy/);
  const image = `${dir}/boot/initrd.img-${KERNEL}`;
  mkdirSync(`${image}/lib/modules/${KERNEL}/updates/dkms`, { recursive: true });
  const copy = `${image}/lib/modules/${KERNEL}/updates/dkms/demo.ko`;
  writeFileSync(copy, readFileSync(`${dir}/var/lib/dkms/demo/1.0/${KERNEL}/${ARCH}/module/demo.ko`));
  t.notMatch(ask('doctor', '-v'), /another copy/, 'the same');
  writeFileSync(copy, moduleImage({ modinfo: ['license=GPL', 'srcversion=BBBB'] }));
  const stale = ask('doctor', '-v').replaceAll(/\n\s+/g, ' ');
  t.match(stale, /has another copy of 1 module of dkms, and loads it first/);
  t.match(stale, /demo of demo\/1\.0: its srcversion is BBBB, the tree's AAAA/);
  t.match(stale, new RegExp(`rebuild it: update-initramfs -u -k ${KERNEL}`));
});
