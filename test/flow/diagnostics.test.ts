/** `plugd test`, `devices`, `why` and `modules` as programs on a root of their own. */
import { readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Investigation } from '../../agent/records/investigation.ts';
import { diagnosticsRig, fits, KERNEL, MAGIC } from '../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

const RULES = { 'root/etc/modprobe.d/a.conf': '# rules\nblacklist nouveau\noptions virtio_net napi_tx=N naqi_tx=1\n' };

t.setTimeout(600_000);

t.test('test: a device with everything that is known of it', (t) => {
  const { json, run, base } = diagnosticsRig(t, RULES);
  const found = json('test', '/devices/pci0/0000:00:01.0/virtio0');
  t.match(found, { verdict: 'would-insert', kernel: KERNEL, device: { subsystem: 'virtio', driver: undefined } });
  const [candidate] = found.requests[0]?.candidates ?? [];
  t.match(candidate, { module: 'virtio_net', source: 'modules.alias', pattern: 'virtio:d00000001v*', priority: 2 });
  t.same(
    candidate?.steps.map(({ module, state, why }) => [module, state, why]),
    [
      ['virtio', 'live', 'depends'],
      ['virtio_net', 'absent', 'target'],
    ],
  );
  t.match(candidate?.steps[1]?.origins, [
    { text: 'napi_tx=N naqi_tx=1', place: { file: join(base, 'root/etc/modprobe.d/a.conf'), line: 3 } },
  ]);
  t.match(found.evidence, [/virtio_net has no parameter naqi_tx .*a.conf:3.*did you mean napi_tx\?/]);
  const { stdout, status } = run('test', '/devices/pci0/0000:00:01.0/virtio0');
  t.equal(status, 0);
  t.match(stdout, /^verdict {4}would-insert: virtio_net would be inserted$/m);
  t.notMatch(stdout, /no such rule|none for it/, 'what did not apply is shown with -v only');
  const verbose = run('test', '-v', '0000:01:00.0');
  t.equal(verbose.status, 1);
  t.match(verbose.stdout, /rule {5}blacklist nouveau +\S+a.conf:2$/m);
  t.match(verbose.stdout, /rule {5}install: no such rule anywhere/);
  t.match(verbose.stdout, /rule {5}options: 1 rule, none for it/);
  t.match(verbose.stdout, /^rules +were looked for in \S+a.conf/m);
  t.match(verbose.stdout, /^verdict {4}blacklisted: blacklist nouveau/m);
  t.end();
});

const words: Readonly<Record<string, readonly [word: string, verdict: string, status: number]>> = {
  'a devpath': ['/devices/pci0/0000:00:01.0', 'loaded', 0],
  'a bus address': ['0000:00:01.0', 'loaded', 0],
  'a bus address without its domain': ['00:01.0', 'loaded', 0],
  'a MODALIAS': ['virtio:d00000001v00001AF4', 'would-insert', 0],
  'a MODALIAS that nothing has': ['usb:v1p1', 'no-match', 1],
  'a MODALIAS with an open bracket': ['usb:v[1', 'no-match', 1],
  'the name of a module': ['nouveau', 'would-insert', 0],
  'the name of a built-in module': ['button', 'builtin', 0],
  'an alias': ['block-major-7-0', 'would-insert', 0],
  'a device with a driver inside the kernel': ['none', 'builtin', 0],
  'a device without MODALIAS': ['mute', 'no-modalias', 1],
  'a module for another kernel': ['foreign', 'failed', 1],
  'a device that has a driver, though its module would be refused': ['other', 'builtin', 0],
};
t.test('test: each way to name what is meant', (t) => {
  const { run } = diagnosticsRig(t, RULES);
  for (const [name, [word, verdict, status]] of Object.entries(words)) {
    const ended = run('test', '--json', word);
    t.equal((JSON.parse(ended.stdout) as Investigation).verdict, verdict, name);
    t.equal(ended.status, status, name);
  }
  const wrong = run('test', 'nonsense');
  t.equal(wrong.status, 1);
  t.match(wrong.stderr, /is not a device on any bus.*nor is it the name of a module/);
  for (const path of ['/devices/pci0/gone', '/dev/none', '/sys/none'])
    t.match(run('test', path).stderr, /there is no /, path);
  t.equal(run('test').status, 64);
  t.equal(run('test', 'a', 'b').status, 64);
  t.match(run('test', '--insert', 'virtio_net').stderr, /takes no --root/);
  t.end();
});

t.test('test: what the kernel would refuse', (t) => {
  const { json, tree, run } = diagnosticsRig(t);
  const other = json('test', 'platform:other');
  t.match(other, { verdict: 'failed', cause: 'vermagic', evidence: [/5\.10\.0-other/, /6\.1\.0-test/] });
  t.match(run('test', 'platform:other').stdout, /because {2}version magic found: +'5\.10\.0-other[^]*remedy/);
  // Insertions of a file have no dependencies.
  const file = json('test', join(tree, 'kernel/net/virtio_net.ko'));
  t.match(file, { verdict: 'would-insert' }, 'virtio is loaded here');
  unlinkSync(join(tree, 'kernel/net/virtio_net.ko'));
  t.match(json('test', 'virtio:d00000001v1'), { verdict: 'failed', cause: 'missing-file' });
  writeFileSync(join(tree, 'kernel/gpu/nouveau.ko'), 'not a module');
  t.match(json('test', 'nouveau'), { verdict: 'failed', cause: 'corrupt' });
  rmSync(tree, { recursive: true });
  t.match(json('test', 'nouveau'), { verdict: 'failed', cause: 'no-modules-directory' });
  t.match(json('test', '0000:00:01.0'), { verdict: 'loaded' }, 'a bound device still has its driver');
  t.end();
});

t.test("the agent's policy", (t) => {
  const { base, json, run, put } = diagnosticsRig(t);
  const policy = join(base, 'root/etc/plugd/policy.conf');
  put(
    'root/etc/plugd/policy.conf',
    'deny module=virtio subsystem=virtio\ndeny subsystem=pci device=*/0000:01:*\nafter boot deny module=loop\n',
  );
  const nvidia = json('test', '0000:01:00.0');
  t.match(nvidia, { verdict: 'denied', reason: /deny subsystem=pci/, remedy: /policy.*modprobe nouveau/ });
  t.match(nvidia.reason, `${policy}:2`);
  t.match(nvidia.requests[0], { verdict: 'denied', candidates: [{ verdict: 'denied' }] });
  t.equal(json('test', 'nouveau').verdict, 'would-insert', 'it is about that device only');
  t.match(
    json('test', '0000:00:01.0'),
    { verdict: 'loaded' },
    'what is loaded is not taken away, and what it needs was not denied to it',
  );
  t.match(
    json('test', 'virtio0'),
    { verdict: 'denied', reason: /deny module=virtio subsystem=virtio .*policy.conf:1\), for virtio$/ },
    'a line that names what it needs',
  );
  t.match(json('test', 'block-major-7-1'), {
    verdict: 'would-insert',
    evidence: [/^after boot the agent's policy denies it: after boot deny module=loop .*policy.conf:3/],
  });
  t.match(run('test', '0000:01:00.0').stdout, /^ {2}rule {5}deny subsystem=pci device=\S+\s+\S+policy.conf:2$/m);
  t.equal(run('test', '0000:01:00.0').status, 1);
  t.match(json('devices', '--bus', 'pci').devices, [{ verdict: 'loaded' }, { verdict: 'denied' }]);
  const way = (module: string, name: string) => json('why', module).ways.find((each) => each.way === name);
  t.match(way('nouveau', 'a device, by its MODALIAS'), { answer: 'blocked', place: { file: policy, line: 2 } });
  t.match(way('nouveau', 'modprobe nouveau'), { answer: 'allowed' });

  put('root/etc/plugd/policy.conf', 'default deny\nallow subsystem=pci\n');
  t.equal(json('test', '0000:01:00.0').verdict, 'would-insert');
  t.match(way('loop', 'the kernel asks, by an alias'), { answer: 'blocked', because: 'policy: default deny' });
  put('root/etc/plugd/policy.conf', 'deny\nallow everything\n');
  t.equal(json('test', '0000:01:00.0').verdict, 'would-insert', 'half a policy is none');
  t.match(
    json('doctor').checks.find(({ id }) => id === 'configuration'),
    { state: 'wrong', evidence: [/policy.conf:1/, /policy.conf:2/] },
  );
  t.end();
});

t.test('devices: rows, filters, tree', (t) => {
  const { json, run } = diagnosticsRig(t, RULES);
  const rows = (...args: string[]) => json('devices', ...args).devices;
  const names = (...args: string[]) => rows(...args).map(({ name }) => name);
  t.equal(rows().length, 7, 'without what has neither MODALIAS nor driver');
  t.equal(rows('--all').length, 8);
  t.match(rows('0000:01:00.0'), [{ modules: ['nouveau'], verdict: 'blacklisted' }]);
  t.same(names('--bus', 'pc*', '--no-driver'), ['0000:01:00.0']);
  t.same(names('virtio_pci'), ['0000:00:01.0'], 'part of a module');
  t.same(names('platform:*'), ['foreign', 'none', 'other'], 'a glob over modaliases');
  t.same(names('--failed'), [], 'files are not read');
  t.same(names('--failed', '--check'), ['foreign'], 'but with --check');
  t.equal(run('devices', 'nothing').status, 1);
  const text = run('devices', '--tree').stdout;
  t.match(text, /^BUS +DEVICE +DRIVER +VERDICT +MODULES +MODALIAS$/m);
  t.match(
    text,
    /^virtio +  virtio0 +- +would-insert +virtio_net +virtio:d00000001v…$/m,
    'a device below the one it is behind',
  );
  t.end();
});

t.test('a recording of one machine against the tree of another', (t) => {
  const { base, json, run, tree } = diagnosticsRig(t);
  const recording = run('devices', '--record').stdout;
  for (const line of recording.trimEnd().split('\n')) fits(t, 'recording', JSON.parse(line));
  const file = join(base, 'machine.jsonl');
  writeFileSync(file, recording);
  const fates = () =>
    Object.fromEntries(json('replay', '--replay', file).devices.map(({ name, fate }) => [name, fate]));
  t.same(fates(), {
    '0000:00:01.0': 'kept',
    virtio0: 'none',
    '0000:01:00.0': 'none',
    foreign: 'none',
    other: 'lost',
    none: 'lost',
    'LNXPWRBN:00': 'kept',
  });
  const lost = run('test', '--replay', file);
  t.equal(lost.status, 1);
  t.match(lost.stdout, /^LOST {4}platform other, which other drove: failed \(vermagic\)$/m);
  t.match(
    lost.stdout,
    /^4 devices had a driver; with 6.1.0-test 2 would have it, 2 would not\. 3 devices\nhad none\.$/m,
  );
  writeFileSync(join(tree, 'kernel/char/other.ko'), moduleImage({ modinfo: [MAGIC, 'intree=Y'] }));
  t.equal(run('test', '--replay', file).status, 1, 'mystery is nowhere');
  writeFileSync(file, recording.replace(/^.*mystery.*\n/m, ''));
  t.equal(run('test', '--replay', file).status, 0);
  writeFileSync(
    file,
    '{"devpath":"/devices/platform/loop","subsystem":"platform","modalias":"platform:loop","driver":"loop"}\n',
  );
  const untold = run('test', '--replay', file);
  t.equal(untold.status, 3, 'what cannot be told is not 0');
  t.match(untold.stdout, /^UNTOLD {2}platform loop, which loop drove: no-match$/m, 'and is listed without -v');
  writeFileSync(file, recording);
  t.match(run('devices', '--replay', file, 'virtio0').stdout, /^virtio +virtio0 +- +would-insert/m);
  writeFileSync(file, '{"devpath": 1}\n');
  const broken = run('test', '--replay', file);
  t.equal(broken.status, 64);
  t.match(broken.stderr, /machine.jsonl:1: 'devpath' is not a string/);
  t.end();
});

t.test('why: every way in, and what each rule covers', (t) => {
  const { json, run } = diagnosticsRig(t, RULES);
  const why = json('why', 'nouveau');
  t.match(why, {
    state: { kind: 'absent' },
    description: 'Open driver',
    aliases: ['pci:v000010DEd*'],
    devices: [{ name: '0000:01:00.0', driven: false }],
  });
  const ways = Object.fromEntries(why.ways.map(({ way, answer }) => [way, answer]));
  t.match(ways, {
    'a device, by its MODALIAS': 'blocked',
    'the kernel asks, by an alias': 'no-way',
    'the kernel asks, by its name': 'allowed',
    'modprobe nouveau': 'allowed',
    'modprobe -b nouveau, udev rules': 'blocked',
    'another module needs it': 'no-way',
    'insmod FILE': 'allowed',
    'the initramfs': 'no-way',
  });
  const loaded = json('why', 'virtio');
  t.match(loaded, { state: { kind: 'live' }, neededBy: ['virtio_net', 'virtio_pci'] });
  t.match(run('why', 'virtio').stdout, /needed by {2}2 modules: virtio_net, virtio_pci/);
  const typo = run('why', 'nouveu');
  t.equal(typo.status, 1);
  t.match(typo.stdout, /did you mean nouveau\?/);
  t.match(run('why', 'button').stdout, /built into the kernel/);
  t.match(run('why', 'pci:v1').stderr, /not a module's name.*plugd test 'pci:v1'/s);
  t.end();
});

t.test('why: the command line of the kernel and install lines', (t) => {
  const { json } = diagnosticsRig(t, {
    'proc/cmdline': 'module_blacklist=loop\n',
    'root/etc/modprobe.d/b.conf': 'install nouveau /bin/false\ninstall virtio_net /sbin/modprobe -i virtio_net\n',
    'root/etc/modules-load.d/x.conf': 'nouveau\n',
  });
  const answers = (module: string) =>
    new Set(
      json('why', module)
        .ways.filter(({ answer }) => answer !== 'no-way')
        .map(({ way, answer }) => `${way}: ${answer}`),
    );
  t.notOk(
    [...answers('loop')].some((each) => each.endsWith('allowed')),
    'module_blacklist= covers every way',
  );
  t.ok(answers('nouveau').has('insmod FILE: allowed'), 'insmod knows no install lines');
  t.ok(answers('nouveau').has('modprobe nouveau: blocked'));
  t.ok(answers('nouveau').has('a list for boot (modules-load.d): blocked'));
  t.ok(answers('virtio_net').has('modprobe virtio_net: command'));
  t.end();
});

t.test('modules', (t) => {
  const { json, run } = diagnosticsRig(t, RULES);
  const rows = (...args: string[]) => json('modules', ...args).modules;
  t.same(
    rows('virtio-*').map(({ module, state }) => `${module} ${state}`),
    ['virtio_net absent', 'virtio_pci live'],
  );
  t.same(
    rows('--loaded').map(({ module }) => module),
    ['virtio', 'virtio_pci'],
  );
  t.same(
    rows('--ruled').map(({ module, rules }) => `${module} ${rules.map(({ kind }) => kind).join()}`),
    ['nouveau blacklist', 'virtio_net options'],
  );
  t.match(run('modules', 'button').stdout, /^button +builtin/m);
  t.equal(run('modules', 'nothing*').status, 1);
  t.end();
});

t.test('devices --metrics: gauges, and a file that is replaced as a whole', (t) => {
  const rig = diagnosticsRig(t);
  const printed = rig.run('devices', '--metrics');
  t.equal(printed.status, 0);
  t.match(printed.stdout, /^plugd_devices_by_verdict\{verdict="loaded"\} [1-9]/m);
  t.match(
    printed.stdout,
    /^plugd_device_attention\{subsystem="\w+",device="[^"]+",verdict="[\w-]+",modules="\w*"\} 1$/m,
  );
  const file = join(rig.base, 'textfile/plugd.prom');
  rig.put('textfile/plugd.prom', 'old\n');
  t.match(rig.run('devices', '--metrics', '--output', file), { status: 0, stdout: '' });
  t.equal(readFileSync(file, 'utf8'), printed.stdout);
  t.same(readdirSync(join(rig.base, 'textfile')), ['plugd.prom'], 'nothing is left beside it');
  t.match(rig.run('devices', '--output', file), { status: 64, stderr: /--output goes with --metrics/ });
  t.match(rig.run('devices', '--metrics', '--output', '/dev/null/x'), {
    status: 71,
    stderr: /--output \/dev\/null\/x: /,
  });
  t.end();
});
