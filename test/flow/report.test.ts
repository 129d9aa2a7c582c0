/** `plugd report` as a program: a page of a planted machine, and of a recording. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { diagnosticsRig, KERNEL } from '../fixtures/diagnostics-rig.ts';
import { record } from '../report/run-records.ts';

t.setTimeout(120_000);

t.test('report: a page of this machine', (t) => {
  const { run, base } = diagnosticsRig(t, { 'root/etc/modprobe.d/a.conf': 'blacklist nouveau\n' });
  const file = join(base, 'page.html');
  const written = run('report', '-o', file);
  t.equal(written.status, 0, written.stderr);
  t.equal(written.stdout, '');
  t.match(written.stderr, /^plugd: wrote \/page\.html \(\d+ KiB\)\n$/);
  const page = readFileSync(file, 'utf8');
  t.match(page, `Linux</span> ${KERNEL}`);
  t.match(page, /blacklist nouveau<\/code> <span class="at">[^<]*a\.conf:1/);
  t.match(page, /href="#m-virtio_net"|id="m-virtio_net"/);
  t.notMatch(page, 'id="timeline"', 'no agent runs there, and no run is given');
  const stylesheet = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
  t.ok(stylesheet.length > 4000 && !stylesheet.includes('\n  '), 'the bundle has the style in it, without blanks');
  const same = (text: string) => text.replaceAll(/<time[^>]*>[^<]*<\/time>/g, '');
  t.equal(same(run('report').stdout), same(page), 'standard output without -o');
  t.equal(run('report', '-q', '-o', file).stderr, '');
  t.equal(run('report', '-o', join(base, 'none/page.html')).status, 71);
  t.notOk(existsSync(join(base, 'none')));
  t.equal(run('report', 'word').status, 64);
  t.end();
});

t.test('report: a recording, and a run', (t) => {
  const { run, base } = diagnosticsRig(t);
  const [recording, saved, file] = ['machine.jsonl', 'run.json', 'page.html'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  const lines = [
    { recording: 1, machine: 'Acme <Rocket>', kernel: '6.0.0', date: '2026-11-27T07:00:00Z' },
    {
      devpath: '/devices/pci0/0000:00:01.0',
      subsystem: 'pci',
      modalias: 'pci:v00001AF4d00001041',
      driver: 'virtio-pci',
      module: 'virtio_pci',
    },
    {
      devpath: '/devices/pci0/0000:00:02.0',
      subsystem: 'pci',
      modalias: 'pci:v00001234d00000001',
      driver: 'gone',
      module: 'gone',
    },
  ];
  writeFileSync(recording, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  writeFileSync(saved, JSON.stringify({ kernel: '6.0.0', wallMs: 200, modules: [record('virtio_pci', 10, 110)] }));
  const ended = run('report', '--replay', recording, '--run', saved, '-o', file);
  t.equal(ended.status, 0, ended.stderr);
  const page = readFileSync(file, 'utf8');
  t.match(page, /<h1 id="h-machine">\s*Acme &lt;Rocket&gt;\s*<\/h1>/);
  t.match(page, /1 device would lose what it has/);
  t.match(page, /this tree has no module gone/);
  t.match(page, /data-module="virtio_pci"/);
  t.match(page, /href="#m-virtio_pci"/);
  const wrong = run('report', '--run', recording);
  t.equal(wrong.status, 64);
  t.match(wrong.stderr, /machine\.jsonl: it is not JSON.*plugd coldplug --json > run\.json/s);
  t.equal(run('report', '--replay', join(base, 'none')).status, 1);
  t.end();
});
