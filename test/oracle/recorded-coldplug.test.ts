/** `plugd coldplug -n` on plain trees made from recordings of whole real machines, against Debian's tree of their architecture. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { ColdplugRun } from '../../agent/records/coldplug-run.ts';
import { debianTree } from '../fixtures/debian.ts';
import { parseRecording, plantSysfs } from '../fixtures/sysfs.ts';
import { plugdLite } from '../native/plugd-lite.ts';

const corpus = process.env['PLUGD_CORPUS'];
const plugd = join(import.meta.dirname, '../../plugd.cjs');

/** What is planned, without times, and without who was the first to ask: devices are read side by side. */
function planOf({ stdout }: { readonly stdout: string }): object {
  const run = JSON.parse(stdout) as ColdplugRun;
  const sorted = (lines: readonly string[]) => lines.toSorted();
  return {
    devices: run.devices,
    modules: sorted(run.modules.map(({ module, path, params, result }) => `${module} ${path} ${params} ${result}`)),
    modaliases: sorted(run.modaliases.map((record) => JSON.stringify(record))),
    blocked: sorted(run.blocked.map(({ module, kind, reason }) => `${module} ${kind} ${reason}`)),
    present: sorted(run.present),
    problems: run.problems,
  };
}

t.setTimeout(600_000);
t.test(
  'recorded machines',
  { skip: corpus === undefined && 'PLUGD_CORPUS names no folder of recordings' },
  async (t) => {
    const lite = await plugdLite();
    if (lite.kind === 'missing') t.comment(`plugd-lite is not judged: ${lite.sentence}`);
    const tree = await debianTree('amd64');
    if (tree.kind === 'missing') return t.comment(tree.sentence);
    const folder = join(corpus ?? '', 'machines');
    const recordings = readdirSync(folder).filter((name) => /^(dell|hp|nvidia|samsung|vm)_.*\.jsonl$/.test(name));
    t.ok(recordings.length >= 5, `${recordings.length} recordings of amd64 machines`);
    for (const name of recordings) {
      const devices = parseRecording(readFileSync(join(folder, name), 'utf8'));
      const base = mkdtempSync(join(tmpdir(), 'plugd-recorded-'));
      const [sysfs, proc] = [join(base, name, 'sys'), join(base, name, 'proc')];
      plantSysfs(sysfs, devices);
      mkdirSync(proc, { recursive: true });
      writeFileSync(join(proc, 'modules'), '');
      const args = [
        'coldplug',
        '-n',
        '--json',
        '--root',
        tree.root,
        '--kernel',
        tree.kernel,
        '--sysfs',
        sysfs,
        '--proc',
        proc,
      ];
      const ended = spawnSync(process.execPath, [plugd, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
      const options = { encoding: 'utf8', maxBuffer: 1 << 26 } as const;
      if (lite.kind === 'ready')
        t.same(planOf(spawnSync(lite.program, args, options)), planOf(ended), `${name}: plugd-lite plans the same`);
      rmSync(base, { recursive: true });
      t.equal(ended.status, 0, `${name}: ${ended.stderr}`);
      const run = JSON.parse(ended.stdout) as ColdplugRun;
      const paths = new Set(
        devices
          .filter(({ devpath, subsystem }) => devpath.startsWith('/devices/') && subsystem !== undefined)
          .map(({ devpath }) => devpath),
      );
      t.equal(run.devices, paths.size, 'every recorded device is seen');
      const strings = new Set(
        devices.map(({ modalias }) => modalias).filter((text) => text !== undefined && text !== ''),
      );
      t.equal(run.modaliases.length, strings.size, 'every modalias is answered once');
      const planned = new Set(run.modules.map(({ module }) => module));
      t.equal(planned.size, run.modules.length, 'each module is planned once');
      const matched = run.modaliases.filter(({ verdict }) => verdict === 'matched');
      t.ok(
        matched.length > 20,
        `${name}: ${run.devices} devices, ${matched.length} modaliases matched, ${planned.size} modules`,
      );
      for (const { modalias, modules } of matched) {
        const missing = modules.filter((module) => !planned.has(module));
        // A candidate that is built in beside one that is a module needs no plan.
        if (missing.length === modules.length) t.fail(`${modalias}: none of ${modules.join(' ')} is planned`);
      }
    }
  },
);
