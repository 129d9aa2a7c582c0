/** What people meet, on a root of its own: each must come to the one right answer, with a remedy that can be typed. */
import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toMachineText } from '../../agent/base/machine-text.ts';
import { diagnosticsRig, KERNEL, MAGIC } from '../fixtures/diagnostics-rig.ts';
import { moduleImage } from '../fixtures/elf-image.ts';

t.setTimeout(600_000);

t.test('an install line that does nothing keeps the module out', (t) => {
  const { base, json, run, put } = diagnosticsRig(t, {
    'root/etc/modprobe.d/a.conf': 'install nouveau /bin/false\ninstall loop :\n',
  });
  const file = join(base, 'root/etc/modprobe.d/a.conf');
  t.match(json('test', '0000:01:00.0'), {
    verdict: 'denied',
    reason: `install nouveau /bin/false (${file}:1) keeps it out`,
    remedy: 'remove that line, or pass it over: modprobe -i nouveau',
  });
  t.equal(run('test', '-q', '0000:01:00.0').status, 1, 'it gets no driver');
  t.match(json('test', 'loop'), { verdict: 'denied' }, 'not by its name either');
  t.match(run('test', '0000:01:00.0').stdout, /^ {2}rule {5}install nouveau \/bin\/false\s+\S+a.conf:1$/m);
  const recording = join(base, 'machine.jsonl');
  writeFileSync(
    recording,
    '{"devpath":"/devices/x","subsystem":"pci","modalias":"pci:v000010DEd1","driver":"nouveau","module":"nouveau"}\n',
  );
  t.match(json('replay', '--replay', recording).devices, [{ fate: 'lost', because: /keeps it out/ }]);
  t.equal(run('test', '-q', '--replay', recording).status, 1);

  put('proc/modules', '');
  put('root/etc/modprobe.d/a.conf', 'install virtio /bin/true\ninstall nouveau modprobe -i nouveau\n');
  t.match(
    json('test', 'virtio:d00000001v1'),
    {
      verdict: 'failed',
      cause: 'missing-dependency',
      reason: `virtio_net needs virtio, which its install line keeps out (${file}:1)`,
      remedy: 'remove that line',
    },
    'what needs it cannot be loaded',
  );
  t.match(json('test', '0000:01:00.0'), { verdict: 'install-command' }, 'a command that may load it is another matter');
  t.end();
});

t.test('a file whose name is not ASCII is named as it is, whatever says so', (t) => {
  const name = 'é中\u001B[2J.conf';
  const { run, json } = diagnosticsRig(t, {
    [`root/etc/modprobe.d/${name}`]: 'blacklist nouveau\noptions loop nonsense=1\nalias zz off\n',
    [`root/etc/modules-load.d/${name}`]: 'nonesuch\nnouveau\n',
  });
  const commands: ReadonlyArray<readonly [command: string, ...words: string[]]> = [
    ['test', '0000:01:00.0'],
    ['test', 'loop'],
    ['test', 'zz'],
    ['why', 'nouveau'],
    ['why', 'loop'],
    ['doctor'],
  ];
  for (const words of commands) {
    const { stdout } = run(...words);
    const told = stdout.match(/[^/\s]*\.conf:\d/g) ?? [];
    t.not(told.length, 0, words.join(' '));
    t.same([...new Set(told.map((text) => text.slice(0, -2)))], ['é中\\x1b[2J.conf'], words.join(' '));
    t.notOk(stdout.includes('\u001B'), `${words.join(' ')}: nothing moves the cursor`);
  }
  t.match(json('test', '0000:01:00.0'), { reason: toMachineText(`/${name}:1)`) }, 'in JSON each byte is a character');
  t.end();
});

/** A USB stick on a hub, its interface, and the root hub. */
const USB = '/devices/pci0/usb1/1-1';

t.test('a USB device is what its interfaces are', (t) => {
  const { base, json, run, put, tree } = diagnosticsRig(t);
  put(`sys${USB}/uevent`, 'DEVTYPE=usb_device\nDRIVER=usb\n');
  put(`sys${USB}/1-1:1.0/uevent`, 'DEVTYPE=usb_interface\nMODALIAS=usb:v1234p0001d0100ic08\n');
  put(`sys${USB}/1-1:1.1/uevent`, 'DEVTYPE=usb_interface\nMODALIAS=usb:v1234p0001d0100icFF\n');
  const bus = join(base, 'sys/bus/usb');
  mkdirSync(join(bus, 'drivers/usb'), { recursive: true });
  mkdirSync(join(bus, 'devices'));
  for (const path of [USB, `${USB}/1-1:1.0`, `${USB}/1-1:1.1`]) {
    symlinkSync(bus, join(base, 'sys', path, 'subsystem'));
    symlinkSync(join(base, 'sys', path), join(bus, 'devices', path.slice(path.lastIndexOf('/') + 1)));
  }
  symlinkSync(join(bus, 'drivers/usb'), join(base, 'sys', USB, 'driver'));
  t.match(json('test', '1-1'), { verdict: 'no-match', reason: /^interface 1-1:1\.0: no alias/ });
  writeFileSync(join(tree, 'modules.alias'), 'alias usb:v*p*d*ic08* loop\n');
  const found = json('test', '1-1');
  t.match(found, {
    verdict: 'would-insert',
    reason: 'interface 1-1:1.0: loop would be inserted',
    evidence: [/^interface 1-1:1\.1: no-match: /],
    requests: [{ of: '1-1:1.0' }, { of: '1-1:1.1' }],
  });
  t.match(run('test', '1-1').stdout, /^modalias {3}usb:v1234p0001d0100ic08\n {2}of {7}interface 1-1:1\.0$/m);
  t.match(json('test', '1-1:1.1'), { verdict: 'no-match' });

  put(`sys${USB}/1-1:1.0/authorized`, '0\n');
  t.match(
    json('test', '1-1:1.0'),
    { verdict: 'would-insert', evidence: [/not authorized/], remedy: `echo 1 > ${base}/sys${USB}/1-1:1.0/authorized` },
    'an interface that is locked out',
  );
  for (const name of ['1-1:1.0', '1-1:1.1']) {
    unlinkSync(join(bus, 'devices', name));
    rmSync(join(base, 'sys', USB, name), { recursive: true });
  }
  put(`sys${USB}/authorized`, '0\n');
  t.match(
    json('test', '1-1'),
    {
      verdict: 'no-modalias',
      evidence: [/not authorized/],
      remedy: `echo 1 > ${base}/sys${USB}/authorized`,
    },
    'a device that is locked out shows no interfaces',
  );
  t.end();
});

t.test('what keeps a driver from a device, whatever is loaded', (t) => {
  const { base, json, put } = diagnosticsRig(t);
  const sys = join(base, 'sys');
  const gpu = '/devices/pci0/0000:01:00.0';
  const again = `echo 0000:01:00.0 > ${sys}/bus/pci/drivers_probe`;
  put(`sys${gpu}/driver_override`, 'vfio-pci\n');
  t.match(json('test', '0000:01:00.0'), {
    verdict: 'would-insert',
    evidence: ["driver_override is 'vfio-pci': only that driver is bound"],
    remedy: `echo > ${sys}${gpu}/driver_override`,
  });
  put('proc/modules', 'nouveau 1 0 - Live 0x0\n');
  t.match(json('test', '0000:01:00.0'), {
    verdict: 'loaded',
    reason: /but no driver is bound to the device$/,
    remedy: `echo > ${sys}${gpu}/driver_override; then: ${again}`,
  });
  put('proc/modules', '');
  mkdirSync(join(sys, 'bus/pci/drivers/vfio-pci'), { recursive: true });
  mkdirSync(join(sys, 'module/vfio_pci'), { recursive: true });
  put('sys/module/vfio_pci/initstate', 'live\n');
  symlinkSync('../../../../module/vfio_pci', join(sys, 'bus/pci/drivers/vfio-pci/module'));
  symlinkSync(join(sys, 'bus/pci/drivers/vfio-pci'), join(sys, gpu, 'driver'));
  t.match(json('test', '0000:01:00.0'), {
    verdict: 'would-insert',
    evidence: ["'vfio-pci' drives the device now", /^driver_override is/],
    remedy: undefined,
  });
  put('root/etc/modprobe.d/a.conf', 'blacklist nouveau\n');
  t.match(
    json('test', '0000:01:00.0'),
    {
      verdict: 'loaded',
      reason: "'vfio-pci' of module vfio_pci drives it",
      evidence: [/^nouveau is for it too, blacklisted: blacklist nouveau/],
    },
    'what is kept out does not count for a device that has a driver',
  );

  put(`sys/devices/platform/foreign/x`, '');
  put('sys/bus/virtio/drivers_autoprobe', '0\n');
  t.match(json('test', 'virtio0'), {
    verdict: 'would-insert',
    evidence: [/drivers_autoprobe of bus virtio is 0/],
    remedy: `echo 1 > ${sys}/bus/virtio/drivers_autoprobe`,
  });
  t.end();
});

t.test('what nothing answers to may have been overlooked', (t) => {
  const { base, json, run, tree } = diagnosticsRig(t);
  mkdirSync(join(tree, 'extra'));
  writeFileSync(
    join(tree, 'extra/stray-one.ko'),
    moduleImage({ modinfo: [MAGIC, 'alias=usb:v1234p*', 'alias=pci:v0000-*'] }),
  );
  const stray = {
    verdict: 'no-match',
    evidence: [`${tree}/extra/stray-one.ko is for it, and the indexes do not have it`],
    remedy: `depmod -b ${base}/root ${KERNEL}`,
  };
  t.match(json('test', 'usb:v1234p0001'), stray, 'a file that depmod has not seen, by its aliases');
  t.match(json('test', 'stray-one'), stray, 'by its name');
  t.equal(run('test', '-q', 'stray_one').status, 1);
  const whole = 'usb:v9999p0001d0100dc00dsc00dp00icFFisc00ip00in00';
  t.match(json('test', whole), { verdict: 'no-match', remedy: /a driver that this kernel does not have/ });
  t.match(json('test', 'usb:v9999p0001'), { verdict: 'no-match', remedy: /^give it whole/ });

  const other = join(base, 'root/lib/modules/7.0');
  mkdirSync(other);
  writeFileSync(join(other, 'modules.dep'), 'kernel/new.ko:\n');
  writeFileSync(join(other, 'modules.alias'), 'alias usb:v9999p* new\n');
  t.match(
    json('test', 'usb:v9999p0001'),
    { evidence: ['kernel 7.0, installed too, has new for it'], remedy: 'boot kernel 7.0' },
    'another kernel has it',
  );
  t.match(run('test', 'nouveu').stderr, /did you mean nouveau\?/);
  t.match(run('test', '/nowhere/x.ko').stderr, /there is no file \/nowhere\/x\.ko/);
  const request = json('test', 'net-pf-44');
  t.match(request, { verdict: 'no-match', meant: 'an alias' }, 'the kernel may well ask for what nobody has');
  t.end();
});

t.test('firmware that is not there', (t) => {
  const { base, json } = diagnosticsRig(t);
  const asked = () => json('test', 'virtio:d00000001v1');
  t.match(asked(), { verdict: 'would-insert', evidence: [] });
  unlinkSync(join(base, 'root/lib/firmware/virtio/none.bin'));
  t.match(asked(), {
    verdict: 'would-insert',
    evidence: ['virtio_net may ask for firmware, and nothing of what it names is there: virtio/none.bin'],
  });
  writeFileSync(join(base, 'root/lib/firmware/virtio/none.bin.xz'), '');
  t.match(asked(), { evidence: [] }, 'compressed is as good');
  t.end();
});

t.test('the next kernel: a module that needs more there than it does here', (t) => {
  const { base, json, put } = diagnosticsRig(t, { 'proc/modules': 'virtio 1 0 - Live 0x0\n' });
  const tree = 'root/lib/modules/7.0';
  put(`${tree}/modules.dep`, 'kernel/virtio.ko: kernel/fresh.ko\nkernel/fresh.ko:\n');
  put(`${tree}/modules.symbols`, 'alias symbol:new_thing fresh\n');
  for (const index of ['order', 'alias', 'builtin', 'softdep']) put(`${tree}/modules.${index}`, '');
  put(
    `${tree}/kernel/virtio.ko`,
    moduleImage({ modinfo: ['vermagic=7.0 SMP mod_unload '], needs: { new_thing: undefined } }),
  );
  put(`${tree}/kernel/fresh.ko`, moduleImage({ modinfo: ['vermagic=7.0 SMP mod_unload '], exports: { new_thing: 1 } }));
  const files = () => json('doctor', '--next-kernel', '7.0').checks.find(({ id }) => id === 'next-files');
  t.match(files(), { state: 'ok' }, 'modprobe will load it first');
  put(`${tree}/kernel/fresh.ko`, moduleImage({ modinfo: ['vermagic=6.9 SMP mod_unload '] }));
  t.match(files(), { state: 'wrong', evidence: [/^fresh \(vermagic\)/] }, 'what it needs is looked at, too');
  rmSync(join(base, tree, 'kernel/fresh.ko'));
  t.match(files(), { state: 'wrong', evidence: [/^fresh \(missing-file\)/] });
  t.end();
});

t.test('options that came too late', (t) => {
  const { base, json, run, put } = diagnosticsRig(t, {
    'root/etc/modprobe.d/a.conf': 'options virtio_net napi_tx=0 napi-weight=0x40\n',
    'proc/modules': 'virtio 1 1 virtio_net, Live 0x0\nvirtio_net 1 0 - Live 0x0\n',
  });
  put('sys/module/virtio_net/parameters/napi_tx', 'Y\n');
  put('sys/module/virtio_net/parameters/napi_weight', '64\n');
  const late = `napi_tx=0 (${base}/root/etc/modprobe.d/a.conf:1) is not in effect: napi_tx is Y now`;
  t.match(json('test', 'virtio_net'), {
    verdict: 'loaded',
    evidence: [late],
    remedy: /modprobe -r virtio_net && modprobe/,
  });
  t.same(json('why', 'virtio_net').idleOptions, [late]);
  t.match(run('why', 'virtio_net').stdout.replaceAll(/\s+/g, ' '), /but napi_tx=0 .* is not in effect/);
  put('sys/module/virtio_net/parameters/napi_tx', 'N\n');
  t.match(json('test', 'virtio_net'), { verdict: 'loaded', evidence: [], remedy: undefined });
  t.same(json('why', 'virtio_net').idleOptions, []);
  t.end();
});

t.test('why: by an alias, and of what the tree does not have', (t) => {
  const { json, run } = diagnosticsRig(t, {
    'proc/modules': 'zfs 1 0 - Live 0x0 (POE)\n',
    'root/etc/modprobe.d/a.conf': 'alias snd-slot-0 nouveau\nalias snd-slot-0 loop\n',
  });
  t.match(json('why', 'block-major-7-1'), { module: 'loop', aliasOf: ['loop'], state: { kind: 'absent' } });
  t.match(json('why', 'snd-slot-0'), { module: 'nouveau', aliasOf: ['nouveau', 'loop'] });
  t.match(run('why', 'snd-slot-0').stdout, /^ {2}asked +snd-slot-0 is an alias of nouveau, loop$/m);
  const zfs = json('why', 'zfs');
  t.match(zfs, { module: 'zfs', aliasOf: undefined, state: { kind: 'live' } });
  t.same(
    zfs.ways.filter(({ answer }) => answer === 'allowed').map(({ way }) => way),
    ['insmod FILE'],
  );
  t.match(run('why', 'zfs').stdout, /^ {2}file +none in this tree: it came from the initramfs, or by insmod$/m);
  t.end();
});

t.test('doctor: files and lines that nobody reads', (t) => {
  const { base, json, run, put } = diagnosticsRig(t);
  const check = (id: string) => json('doctor').checks.find((each) => each.id === id);
  put('root/etc/modprobe.d/blacklist', 'blacklist nouveau\n');
  put('root/etc/modprobe.d/old.conf.dpkg-old', 'blacklist nouveau\n');
  put('root/etc/modprobe.conf', 'blacklist nouveau\n');
  put('root/etc/modprobe.d/path.conf', 'blacklist nouveau.ko\nblacklist /lib/x/nouveau.ko\nsoftdep nouveau pre loop\n');
  put('root/etc/modules-load.d/a.conf', '# list\nnouveu\nvirtio-net napi_tx=1\nloop\n');
  const told = check('idle-rules')?.evidence?.join('\n').replaceAll(base, '') ?? '';
  t.equal(check('idle-rules')?.state, 'warning');
  t.match(
    told,
    /modprobe\.d\/blacklist: the whole file: only names that end in \.conf are read: rename it to blacklist\.conf/,
  );
  t.notMatch(told, /dpkg-old/);
  t.match(told, /etc\/modprobe\.conf: the whole file: it is no longer read/);
  t.match(told, /path\.conf:1: .*a module's name is wanted here, not a file's; did you mean nouveau\?/);
  t.match(told, /path\.conf:2: .*did you mean nouveau\?/);
  t.match(told, /path\.conf:3: softdep nouveau: it names nothing/);
  t.match(told, /a\.conf:2: nouveu: there is no module nouveu; did you mean nouveau\?/);
  t.match(told, /a\.conf:3: .*did you mean options virtio-net napi_tx=1\?/);
  t.notMatch(told, /a\.conf:4/);

  const clean = diagnosticsRig(t, {
    'root/usr/lib/modprobe.d/vendor.conf': 'blacklist nouveau\n',
    'root/etc/modprobe.d/vendor.conf': '',
  });
  t.match(
    clean.json('doctor').checks.find(({ id }) => id === 'idle-rules'),
    { state: 'ok', summary: 'none; 1 file hidden by another of that name' },
    'which an administrator may well have meant',
  );
  t.match(
    clean.run('doctor', '-v').stdout.replaceAll(/\s+/g, ' '),
    /usr\/lib\/modprobe\.d\/vendor\.conf: the whole file: \S+etc\/modprobe\.d\/vendor\.conf replaces it/,
  );
  t.equal(clean.run('doctor', '-q').status, 0);

  put('root/etc/modprobe.d/bom.conf', '\uFEFFblacklist nouveau\n');
  put('root/etc/modprobe.d/dos.conf', 'blacklist nouveau\r\n');
  const grammar = check('configuration')?.evidence?.join('\n') ?? '';
  t.match(grammar, /bom\.conf:1:1: a byte order mark/);
  t.match(grammar, /dos\.conf:1:\d+: a carriage return/);
  t.equal(run('doctor', '-q').status, 1);
  t.end();
});
