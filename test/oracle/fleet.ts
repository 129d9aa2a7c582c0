/**
 * Every recorded machine of PLUGD_CORPUS against Debian's kernels of its architecture: the stable one, and those of the later suites. Then
 * against the stable one with a driver taken out of it, which must be missed.
 *
 *     PLUGD_CORPUS=DIR npm run oracle:fleet
 *
 * It prints what is lost, replaced or untold, and why, time and memory. Exit status 1: more than 3 in 100 bound devices with a MODALIAS are untold, or a driver
 * that was taken out was not missed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { debianSuiteTree, debianTree, type Architecture, type DebianTree, type Missing } from '../fixtures/debian.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');
const corpus = process.env['PLUGD_CORPUS'];
if (corpus === undefined) throw new Error('PLUGD_CORPUS names no folder of recordings.');
const machines = join(corpus, 'machines');

/** As many untold devices may be, of those with a driver and a MODALIAS. */
const MOST_UNTOLD = 0.03;
/** Modules to take out, of disks, networks, input and buses, with the drivers in them. */
const REMOVED: Readonly<Record<string, RegExp>> = {
  nvme: /^nvme$/,
  ahci: /^ahci$/,
  e1000e: /^e1000e$/,
  r8169: /^r8169$/,
  psmouse: /^psmouse$/,
  'i2c-piix4': /^piix4_smbus$/,
  '8139cp': /^8139cp$/,
  rndis_host: /^rndis_host$/,
};
/** Devices that no recorded machine has, whose MODALIASes have a second driver. */
const MADE = [
  { devpath: '/devices/LNXSYSTM:00', subsystem: 'acpi', modalias: 'acpi:LNXSYSTM:' },
  { devpath: '/devices/platform/pcspkr', subsystem: 'platform', modalias: 'platform:pcspkr' },
  {
    devpath: '/devices/pci0000:00/0000:00:03.0',
    subsystem: 'pci',
    modalias: 'pci:v000010ECd00008139sv00001AF4sd00001100bc02sc00i00',
    driver: '8139cp',
    module: '8139cp',
  },
  {
    devpath: '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0',
    subsystem: 'usb',
    modalias: 'usb:v0525pA4A2d0404dcEFdsc02dp01icE0isc01ip03in00',
    driver: 'rndis_host',
    module: 'rndis_host',
  },
];
/** It tells the most memory that a run had, in KiB, on a third descriptor. */
const PEAK =
  'data:text/javascript,import{writeSync}from"node:fs";process.on("exit",()=>writeSync(3,String(process.resourceUsage().maxRSS)))';
const made = join(mkdtempSync(join(tmpdir(), 'plugd-fleet-')), 'made.jsonl');
writeFileSync(made, MADE.map((device) => `${JSON.stringify(device)}\n`).join(''));
process.on('exit', () => rmSync(dirname(made), { recursive: true, force: true }));
const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64', 'armhf', 'ppc64el', 's390x'];

interface Device {
  readonly devpath: string;
  readonly modaliases: readonly string[];
  readonly fate: string;
  readonly driver?: string;
  readonly because?: string;
}

interface Fleet {
  readonly kernel: string;
  readonly machines: ReadonlyArray<{ readonly file: string; readonly devices: readonly Device[] }>;
  readonly unread: ReadonlyArray<{ readonly file: string }>;
}

interface Run {
  readonly status: number;
  readonly seconds: number;
  /** MiB */
  readonly peak: number;
  readonly fleet: Fleet;
}

function replay(root: string, kernel: string, recordings: readonly string[] = [machines]): Run {
  const words = ['--import', PEAK, plugd, 'test', '--root', root, '--kernel', kernel, '--json'];
  for (const each of recordings) words.push('--replay', each);
  const from = process.hrtime.bigint();
  const stdio = ['ignore', 'pipe', 'inherit', 'pipe'] as const;
  const child = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 1 << 30, stdio: [...stdio] });
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  const peak = Number(child.output[3]) / 1024;
  return { status: child.status ?? -1, seconds, peak, fleet: JSON.parse(child.stdout) as Fleet };
}

let wrong = 0;

function judge(name: string, tree: DebianTree | Missing): void {
  if (tree.kind === 'missing') {
    console.log(`${name}: ${tree.sentence}`);
    return;
  }
  const { fleet, seconds, peak } = replay(tree.root, tree.kernel);
  const bound = fleet.machines.flatMap(({ file, devices }) =>
    devices
      .filter(({ driver, modaliases }) => driver !== undefined && modaliases.length > 0)
      .map((device) => ({ file, device })),
  );
  const of = (fate: string) => bound.filter(({ device }) => device.fate === fate);
  const untold = of('unknown').length / Math.max(1, bound.length);
  console.log(
    `${name} ${tree.kernel}: ${fleet.machines.length} machines in ${seconds.toFixed(1)} s and ${peak.toFixed(0)} MiB, ${bound.length} bound devices with a MODALIAS: ` +
      `${of('kept').length} kept, ${of('lost').length} lost, ${of('replaced').length} replaced, ${of('unknown').length} untold (${(untold * 100).toFixed(1)} %)`,
  );
  const reasons = new Map<string, number>();
  for (const { device } of [...of('lost'), ...of('replaced')]) {
    const line = `${device.fate.toUpperCase()} ${device.driver ?? ''}: ${device.because ?? ''}`;
    reasons.set(line, (reasons.get(line) ?? 0) + 1);
  }
  for (const { file, device } of of('unknown'))
    console.log(`  untold: ${device.driver ?? ''} of ${file.slice(machines.length + 1)}: ${device.because ?? ''}`);
  for (const [line, count] of [...reasons].toSorted((a, b) => b[1] - a[1])) console.log(`  ${count} × ${line}`);
  if (untold > MOST_UNTOLD) {
    console.log('  WRONG: too many are untold');
    wrong++;
  }
}

/** Takes a module out of a copy of the tree; says which devices miss it. */
function takeOut(tree: DebianTree, module: string, drivers: RegExp, before: Run): void {
  const work = mkdtempSync(join(dirname(tree.root), '.fleet-'));
  try {
    const modules = `lib/modules/${tree.kernel}`;
    cpSync(tree.root, work, { recursive: true, verbatimSymlinks: true });
    const found = execFileSync('find', [join(work, modules), '-name', `${module}.ko*`], { encoding: 'utf8' }).trim();
    if (found === '') throw new Error(`this tree has no module ${module}`);
    for (const file of found.split('\n')) rmSync(file);
    execFileSync(process.execPath, [plugd, 'depmod', '-b', work, tree.kernel]);
    const { status, fleet } = replay(work, tree.kernel, [machines, made]);
    const had = (run: Fleet, isKept: boolean) =>
      run.machines.flatMap(({ file, devices }) =>
        devices
          .filter(({ driver, fate }) => drivers.test(driver ?? '') && (fate === 'kept') === isKept)
          .map(({ devpath }) => `${file} ${devpath}`),
      );
    const users = had(before.fleet, true);
    const missed = new Set(had(fleet, false));
    const good = users.length > 0 && status === 1 && users.every((each) => missed.has(each));
    if (!good) wrong++;
    console.log(
      `  without ${module}: exit status ${status}, ${users.length} devices had it, ${missed.size} miss it${good ? '' : '  WRONG'}`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

for (const architecture of ARCHITECTURES) {
  judge(`${architecture} stable`, await debianTree(architecture));
  for (const suite of ['trixie', 'sid'] as const)
    judge(`${architecture} ${suite}`, await debianSuiteTree(suite, architecture));
}
const stable = await debianTree('amd64');
if (stable.kind === 'ready') {
  console.log('one driver taken out of the stable amd64 tree:');
  const before = replay(stable.root, stable.kernel, [machines, made]);
  for (const [module, drivers] of Object.entries(REMOVED)) takeOut(stable, module, drivers, before);
}
console.log(wrong === 0 ? 'all as it should be' : `${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
