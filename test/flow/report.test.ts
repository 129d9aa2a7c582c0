/** `plugd report` as a program: a page of a planted machine, and of a recording. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { diagnosticsRig, KERNEL } from '../fixtures/diagnostics-rig.ts';
import { record } from '../report/run-records.ts';

t.setTimeout(600_000);

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
  t.match(page, `Acme &lt;Rocket&gt;, Linux ${KERNEL}: plugd report</title>`);
  t.match(page, /class="title">modules</, 'the checks of the tree');
  t.notMatch(page, />privileges<|>module support<|>uevents</, 'and none of the machine that makes the page');
  t.equal(run('report', '--replay', recording, '--kernel', '9.9', '-o', file).status, 0);
  const bare = readFileSync(file, 'utf8');
  t.match(bare, 'There is no module tree here to judge it by.');
  t.match(bare, 'Acme &lt;Rocket&gt;: plugd report</title>', 'the kernel here has nothing to do with it');
  t.notMatch(bare, 'id="checks"');
  const wrong = run('report', '--run', recording);
  t.equal(wrong.status, 64);
  t.match(wrong.stderr, /machine\.jsonl: it is not JSON.*plugd coldplug --json > run\.json/s);
  t.equal(run('report', '--replay', join(base, 'none')).status, 1);
  t.end();
});

t.test('test --replay: reports for CI beside its own', (t) => {
  const { run, base } = diagnosticsRig(t);
  const [recording, xml, text] = ['machine.jsonl', 'a.xml', 'a.md'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  const device = {
    devpath: '/devices/pci0/0000:00:02.0',
    subsystem: 'pci',
    modalias: 'pci:v1234d1',
    driver: 'gone',
    module: 'gone',
  };
  writeFileSync(recording, `${JSON.stringify(device)}\n`);
  const ended = run('test', '--replay', recording, '--junit', xml, '--markdown', text);
  t.match(ended, { status: 1, stdout: /^LOST/ });
  t.match(readFileSync(xml, 'utf8'), /<testsuites [^>]*tests="1" failures="1"/);
  t.match(readFileSync(text, 'utf8'), /^## plugd: 1 device would lose/);
  t.equal(run('test', '-q', '--replay', recording, recording, '--junit', xml).status, 1);
  t.match(readFileSync(xml, 'utf8'), /<testsuites [^>]*tests="2" failures="2"/, 'several recordings');
  t.match(run('test', '--junit', xml, 'pci:v1'), { status: 64, stderr: /--junit is about the devices of a recording/ });
  t.end();
});
