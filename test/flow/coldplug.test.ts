/** `plugd coldplug` as a program on fixture roots: a small module tree, a plain tree in place of sysfs, rules in etc/. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { ColdplugRun } from '../../agent/records/coldplug-run.ts';
import { machineOptions, plantSysfs, type RecordedDevice } from '../fixtures/sysfs.ts';
import { isOfSchema } from '../schemas.ts';

const root = join(import.meta.dirname, '../../..');
const plugd = join(root, 'dist/plugd.cjs');
const KERNEL = '6.1.0-test';

/** A root with text indexes only (plugd builds the tries itself), and a machine beside it. */
function machine(base: string, files: Record<string, string | Buffer>, devices: readonly RecordedDevice[]) {
  const put = (path: string, text: string | Buffer) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  };
  const tree = `root/lib/modules/${KERNEL}`;
  put(`${tree}/modules.dep`, MODULES_DEP);
  put(`${tree}/modules.alias`, MODULES_ALIAS);
  put(`${tree}/modules.builtin`, 'kernel/drivers/acpi/button.ko\n');
  put(`${tree}/modules.builtin.modinfo`, 'button.alias=acpi*:LNXPWRBN:*\0button.file=drivers/acpi/button\0');
  for (const [, path] of MODULES_DEP.matchAll(/^(.+?):/gm)) put(`${tree}/${path}`, '');
  put('proc/modules', 'loop 40960 0 - Live 0x0\n');
  put('proc/cmdline', 'quiet ahci.mode=2\n');
  for (const [path, text] of Object.entries(files)) put(path, text);
  mkdirSync(join(base, 'sys'), { recursive: true });
  plantSysfs(join(base, 'sys'), devices);
  return (...args: string[]) => {
    const result = spawnSync(process.execPath, [plugd, 'coldplug', '-n', ...machineOptions(base, KERNEL), ...args], {
      encoding: 'utf8',
    });
    return {
      ...result,
      run: args.includes('--json') && result.stdout !== '' ? (JSON.parse(result.stdout) as ColdplugRun) : undefined,
    };
  };
}

const MODULES_DEP = `kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/ata/libata.ko:
kernel/drivers/ata/ahci.ko: kernel/drivers/ata/libata.ko
kernel/drivers/block/loop.ko:
kernel/drivers/scsi/sg.ko:
kernel/drivers/gpu/nouveau.ko:
kernel/drivers/char/gone.ko: kernel/drivers/char/nowhere.ko
`;
const MODULES_ALIAS = `# Aliases extracted from modules themselves.
alias virtio:d00000001v* virtio_net
alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci
alias pci:v*d*sv*sd*bc01sc06i01* ahci
alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau
alias platform:loop loop
alias dmi*:svn*QEMU*:pn* virtio
alias platform:gone gone
`;
const DEVICES: readonly RecordedDevice[] = [
  { devpath: '/devices/pci0/0000:00:01.0', subsystem: 'pci', modalias: 'pci:v00001AF4d00001041sv0sd0bc02sc00i00' },
  { devpath: '/devices/pci0/0000:00:01.0/virtio0', subsystem: 'virtio', modalias: 'virtio:d00000001v00001AF4' },
  { devpath: '/devices/pci0/0000:00:1f.2', subsystem: 'pci', modalias: 'pci:v00008086d00002922sv0sd0bc01sc06i01' },
  { devpath: '/devices/pci0/0000:01:00.0', subsystem: 'pci', modalias: 'pci:v000010DEd00001234sv0sd0bc03sc00i00' },
  { devpath: '/devices/LNXSYSTM:00/LNXPWRBN:00', subsystem: 'acpi', modalias: 'acpi:LNXPWRBN:' },
  { devpath: '/devices/platform/loop', subsystem: 'platform', modalias: 'platform:loop' },
  { devpath: '/devices/platform/none', subsystem: 'platform', modalias: 'platform:none' },
  { devpath: '/devices/platform/pcspkr', subsystem: 'platform' },
];
const RULES = { 'root/etc/modprobe.d/a.conf': 'blacklist nouveau\noptions virtio_net napi_tx=0\n' };

const names = (run: ColdplugRun | undefined) => run?.modules.map((record) => record.module);

t.test('the whole plan, in order, with options, rules and what is there', (t) => {
  const { run, status, stderr } = machine(t.testdir({}), RULES, DEVICES)('--json');
  t.equal(stderr, '');
  t.equal(status, 0);
  t.same(names(run), ['virtio', 'virtio_pci', 'libata', 'ahci', 'virtio_net']);
  t.equal(run?.devices, 8);
  t.equal(run?.modaliases.length, 7);
  t.match(run?.modules.at(-1), { module: 'virtio_net', params: 'napi_tx=0', why: 'target', result: 'planned' });
  t.match(run?.modules[3], { module: 'ahci', params: 'mode=2', requester: { devpath: '/devices/pci0/0000:00:1f.2' } });
  t.same(run?.present, ['loop']);
  t.match(run?.blocked, [{ module: 'nouveau', kind: 'blacklisted', place: { line: 1 } }]);
  t.match(
    run?.modaliases.find((one) => one.modalias === 'acpi:LNXPWRBN:'),
    { verdict: 'builtin', modules: ['button'] },
  );
  t.match(
    run?.modaliases.find((one) => one.modalias === 'platform:none'),
    { verdict: 'no-match' },
  );
  const validate = isOfSchema('coldplug');
  t.ok(validate(run), JSON.stringify(validate.errors));
  t.end();
});

t.test('as text it fits 80 columns', (t) => {
  const { stdout, status } = machine(t.testdir({}), RULES, DEVICES)();
  t.equal(status, 0);
  t.match(stdout, /^virtio_net napi_tx=0 +virtio virtio0$/m);
  t.match(stdout, /5 modules would be inserted \(nothing was changed\)/);
  t.match(stdout, /nouveau +blacklist nouveau/);
  t.same(
    stdout.split('\n').filter((line) => line.length > 80 && !line.includes('/')),
    [],
  );
  t.end();
});

t.test('strings that broke other tools: each answered, all others still served', (t) => {
  const nasty = [
    'dmi:bvn"Quoted":svn QEMU x:pn',
    `dmi:svnQEMU:pn${'x'.repeat(4000)}`,
    'platform:a[b',
    'acpi:\xff\xfe:',
    'platform:Fixed MDIO bus',
    'a-b]',
  ];
  const devices = nasty.map((modalias, i): RecordedDevice => ({
    devpath: `/devices/platform/nasty${i}`,
    subsystem: 'platform',
    modalias,
  }));
  const { run, status } = machine(t.testdir({}), {}, [...devices, ...DEVICES.slice(0, 3)])('--json');
  t.equal(status, 0);
  t.same(names(run), ['virtio', 'virtio_pci', 'libata', 'ahci', 'virtio_net']);
  const verdict = (modalias: string) => run?.modaliases.find((one) => (one.modalias as string) === modalias)?.verdict;
  t.same(nasty.map(verdict), ['matched', 'matched', 'malformed', 'no-match', 'no-match', 'malformed']);
  t.end();
});

t.test('several MODALIAS lines in one uevent file', (t) => {
  const plan = machine(t.testdir({}), { 'sys/devices/pci0/0000:00:01.0/uevent': 'MODALIAS=pci:v00001AF4d1\n' }, []);
  t.equal(plan('--json').run?.devices, 0, 'a directory without a link on its bus is no device');
  const many = machine(join(t.testdirName, 'many'), {}, [
    {
      devpath: '/devices/x',
      subsystem: 'platform',
      modalias: 'virtio:d00000001v1\nMODALIAS=pci:v1d1sv1sd1bc01sc06i01x',
    },
  ])('--json').run;
  t.same(names(many), ['virtio', 'virtio_net', 'libata', 'ahci']);
  t.end();
});

t.test('a bad line of configuration is named, and the rest counts', (t) => {
  const files = { 'root/etc/modprobe.d/a.conf': 'blaklist nouveau\nblacklist ahci\n' };
  const { stdout, status } = machine(t.testdir({}), files, DEVICES)();
  t.equal(status, 0);
  t.match(stdout, /modprobe\.d\/a\.conf:1:1: .*blaklist/);
  t.match(stdout, /ahci +blacklist ahci/);
  t.match(stdout, /^nouveau/m, 'the misspelt line blocks nothing');
  t.end();
});

t.test('indexes that are damaged give way to their text, and say so', (t) => {
  const dir = `root/lib/modules/${KERNEL}`;
  const files = {
    [`${dir}/modules.alias.bin`]: Buffer.from('not an index'),
    [`${dir}/modules.dep.bin`]: Buffer.alloc(0),
  };
  const { run, status } = machine(t.testdir({}), files, DEVICES)('--json');
  t.equal(status, 0);
  t.ok(names(run)?.includes('virtio_net' as never));
  t.same(run?.problems.map((problem) => problem.file.replace(/^.*\//, '')).toSorted(), [
    'modules.alias.bin',
    'modules.dep.bin',
  ]);
  t.end();
});

t.test('a file that modules.dep names and that is not there stops only what needs it', (t) => {
  const devices = [
    { devpath: '/devices/platform/gone', subsystem: 'platform', modalias: 'platform:gone' },
    ...DEVICES.slice(2, 3),
  ];
  const { run, status } = machine(t.testdir({}), {}, devices)('--json');
  t.equal(status, 1, 'a plan that cannot be carried out is a negative answer');
  const of = (module: string) => run?.modules.find((record) => (record.module as string) === module);
  t.match(of('nowhere'), { result: 'failed', cause: 'missing-file', detail: /kernel\/drivers\/char\/nowhere\.ko$/ });
  t.match(of('gone'), { result: 'skipped', cause: 'missing-dependency', detail: 'nowhere' });
  t.match(of('ahci'), { result: 'planned' });
  t.end();
});

t.test('a load rule asks for a module of its own', (t) => {
  const files = {
    'root/etc/udev/rules.d/90-x.rules':
      'ACTION=="add", SUBSYSTEM=="platform", KERNEL=="pcspkr", RUN{builtin}+="kmod load sg"\n',
  };
  const { run } = machine(t.testdir({}), files, DEVICES)('--json');
  t.match(
    run?.modules.find((record) => (record.module as string) === 'sg'),
    { requester: { name: 'sg', rule: { line: 1 } } },
  );
  t.end();
});

const refusals: ReadonlyArray<readonly [string, string[], RegExp, number]> = [
  [
    'no module tree for this release',
    ['-n', '--kernel', '1.2.3-none'],
    /^plugd: there are no modules for kernel 1\.2\.3-none: .*\nplugd: .+\n$/,
    1,
  ],
  ['an unknown option', ['--nonsense'], /Unknown option '--nonsense'[^\n]*\nplugd: see plugd coldplug --help\n$/, 64],
  ['a word', ['x'], /coldplug takes no arguments: x/, 64],
  ['a chart of a run that is none', ['-n', '--chart', '/x.svg'], /--chart shows a run, and --dry-run makes none/, 64],
  ['a trace of a run that is none', ['-n', '--trace', '/x.json'], /--trace shows a run, and --dry-run makes none/, 64],
  ['jobs that are no number', ['-n', '-j', 'many'], /--jobs many: not a whole number from 1 to 1024/, 64],
];
for (const [name, args, expected, status] of refusals) {
  t.test(`one clear sentence: ${name}`, (t) => {
    const result = spawnSync(process.execPath, [plugd, 'coldplug', ...args], { encoding: 'utf8' });
    t.match(result.stderr, expected);
    t.equal(result.status, status);
    t.equal(result.stdout, '');
    t.end();
  });
}

t.test('chart and trace of a run in which nothing was to be done', (t) => {
  const base = t.testdir({ outside: 'kept' });
  machine(base, {}, []);
  for (const [path, text] of [
    ['proc/self/status', 'CapEff:\t000001ffffffffff\n'],
    ['proc/self/uid_map', '0 0 4294967295\n'],
    ['proc/sys/kernel/modules_disabled', '0\n'],
  ] as const) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  }
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [plugd, 'coldplug', ...machineOptions(base, KERNEL), '--timeout', '30', ...args], {
      encoding: 'utf8',
    });
  const [svg, json] = [join(base, 'run.svg'), join(base, 'run.json')];
  // Where another user may write: links lie in wait under the names that could be guessed, and under the name itself.
  for (const link of [svg, `${svg}.part`, `${json}.part`]) symlinkSync(join(base, 'outside'), link);
  const ended = run('--chart', svg, '--trace', json, '--json');
  t.equal(ended.stderr, '');
  t.equal(ended.status, 0);
  const isRun = isOfSchema('coldplug');
  t.ok(isRun(JSON.parse(ended.stdout)), JSON.stringify(isRun.errors));
  t.match(readFileSync(svg, 'utf8'), /^<svg [^]*Node and plugd start[^]*<\/svg>\n$/);
  t.equal((JSON.parse(readFileSync(json, 'utf8')) as { displayTimeUnit: string }).displayTimeUnit, 'ms');
  t.equal(readFileSync(join(base, 'outside'), 'utf8'), 'kept', 'no link is followed');
  const failed = run('--chart', join(base, 'none/x.svg'));
  t.equal(failed.status, 71);
  t.match(failed.stderr, /^plugd: --chart \S+\/none\/x\.svg: no such file or directory\n$/);
  t.same(
    readdirSync(base).filter((name) => name.endsWith('.part')),
    ['run.json.part', 'run.svg.part'],
    'nothing is left behind',
  );
  t.end();
});

t.test('one clear sentence: a kernel without module support, no root, no capability, loading switched off', (t) => {
  const proc = (files: Record<string, string>) => t.testdir({ proc: { self: {}, ...files } }) + '/proc';
  const attempt = (directory: string, status: string, disabled = '0') => {
    mkdirSync(join(directory, 'self'), { recursive: true });
    mkdirSync(join(directory, 'sys/kernel'), { recursive: true });
    writeFileSync(join(directory, 'self/status'), status);
    writeFileSync(join(directory, 'sys/kernel/modules_disabled'), `${disabled}\n`);
    return spawnSync(process.execPath, [plugd, 'coldplug', '--proc', directory], { encoding: 'utf8' });
  };
  const none = attempt(proc({}), 'CapEff:\t000001ffffffffff\n');
  t.match(none.stderr, /^plugd: this kernel was built without loadable modules: .*\nplugd: .*coldplug -n.*\n$/);
  t.equal(none.status, 1);
  const bare = attempt(proc({ modules: '' }), 'CapEff:\t0000000000000000\n');
  t.match(bare.stderr, process.geteuid?.() === 0 ? /lacks CAP_SYS_MODULE/ : /only root may load/);
  t.equal(bare.status, 1);
  const off = attempt(proc({ modules: '' }), 'CapEff:\t000001ffffffffff\n', '1');
  t.match(off.stderr, /modules_disabled is 1/);
  t.equal(off.status, 1);
  t.end();
});

t.test('help fits 80 columns and names every option', (t) => {
  const text = execFileSync(process.execPath, [plugd, 'coldplug', '--help'], { encoding: 'utf8' });
  for (const option of ['--dry-run', '--jobs', '--timeout', '--chart', '--json', '--root', '--kernel', '--sysfs'])
    t.match(text, option);
  t.same(
    text.split('\n').filter((line) => line.length > 80),
    [],
  );
  t.end();
});
