/**
 * kmod's own test-suite against plugd, Debian's kmod and BusyBox (see kmod-testsuite.ts): all of its tests that run commands.
 *
 * The others call kmod's C library (test-init, -initstate, -loaded, -new-module, -blacklist, -dependencies, -list, -array, -hash,
 * -strbuf, -scratchbuf, -util, -testsuite), or `kmod insert` and `kmod remove`, which Debian does not build (test-tools).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { commandPath, needCommands, runProgram } from '../../fixtures/commands.ts';
import { debianFiles, debianSource } from '../../fixtures/debian.ts';
import { refusesStandIns } from '../../fixtures/confinement/own-mounts.ts';
import { linkedLite } from '../../native/plugd-lite.ts';
import { nodeFolders, Suite, type Subject } from './kmod-testsuite.ts';

const project = join(import.meta.dirname, '../../../..');
t.setTimeout(900_000);

async function missing(): Promise<string | false> {
  const tools = await needCommands(['gcc', 'modprobe', 'unshare', 'xz', 'zstd', 'gzip', '/usr/include/stdio.h']);
  if (tools.kind === 'missing') return tools.sentence;
  const refusal = await refusesStandIns();
  if (refusal !== undefined) return refusal;
  const source = await debianSource('kmod');
  return source.kind === 'missing' && source.sentence;
}

t.test("kmod's test-suite", { skip: await missing() }, async (t) => {
  const source = await debianSource('kmod');
  if (source.kind === 'missing') throw new Error(source.sentence);
  const work = mkdtempSync(join(tmpdir(), 'plugd-testsuite-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const features = (await runProgram('modprobe', ['-V'])).stdout.split('\n')[1] ?? '';
  const standIn = join(project, 'test/oracle/kmod-testsuite/kmod-testsuite.c');
  const suite = new Suite(source.root, join(work, 'build'), standIn, features);
  const tests = suite.tests();
  t.ok(tests.length >= 37, `${tests.length} tests`);

  const busybox = await debianFiles(['busybox'], 'amd64', { libraries: true });
  const subjects: Record<string, Subject> = {
    plugd: { program: join(project, 'dist/plugd.cjs'), folders: [project, ...nodeFolders()] },
    'kmod 30': { program: commandPath('kmod') ?? '', folders: [] },
    nothing: { program: '/usr/bin/true', folders: [] },
    ...(busybox.kind === 'ready' && {
      busybox: { program: join(busybox.root, 'bin/busybox'), folders: [busybox.root] },
    }),
  };
  const failed = new Map<string, readonly string[]>();
  for (const [name, subject] of Object.entries(subjects)) {
    // The subjects share the roots.
    const complaints = await suite.judge(subject);
    failed.set(name, [...complaints.keys()]);
    if (name === 'plugd' || name === 'kmod 30')
      for (const [test, complaint] of complaints) t.comment(`${name} ${test}\n${complaint}`);
  }
  const idle = failed.get('nothing')?.length ?? 0;
  t.ok(idle > tests.length / 2, `a program that does nothing misses ${idle}`);
  failed.delete('nothing');
  const counts = [...failed].map(([name, misses]) => `${name} ${tests.length - misses.length} of ${tests.length}`);
  t.comment(`passed: ${counts.join(' / ')}`);
  t.comment(`busybox misses ${failed.get('busybox')?.join(', ') ?? 'nothing: it cannot be had here'}`);
  t.same(failed.get('kmod 30'), [], "kmod's own programs pass all, so the rig is right");
  t.same(failed.get('plugd'), [], 'plugd passes all');

  const lite = await linkedLite();
  if (lite.kind === 'missing') {
    t.comment(`plugd-lite is not judged: ${lite.sentence}`);
    return;
  }
  const { program } = lite;
  const complaints = await suite.judge({ program, folders: [dirname(program)], names: ['modprobe', 'modinfo'] });
  t.same([...complaints], [], 'plugd-lite passes those of modprobe and modinfo');
});
