/**
 * Every recorded machine of PLUGD_CORPUS against Debian's kernels of its architecture: the stable one, and those of the later suites. Then
 * against the stable one with a driver taken out of it, which must be missed.
 *
 *     PLUGD_CORPUS=DIR npm run oracle:fleet
 *
 * It prints what is lost or replaced, and why. Exit status 1: more than 3 in 100 bound devices with a MODALIAS are untold, or a driver
 * that was taken out was not missed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianSuiteTree, debianTree, type Architecture, type DebianTree, type Missing } from '../fixtures/debian.ts';

const plugd = join(import.meta.dirname, '../../plugd.cjs');
const corpus = process.env['PLUGD_CORPUS'];
if (corpus === undefined) throw new Error('PLUGD_CORPUS names no folder of recordings.');
const machines = join(corpus, 'machines');

/** As many untold devices may be, of those with a driver and a MODALIAS. */
const MOST_UNTOLD = 0.03;
/** Drivers to take out: of disks, networks, input and buses. */
const REMOVED = ['nvme', 'ahci', 'e1000e', 'r8169', 'psmouse', 'i2c-piix4', '8139cp', 'rndis_host'];
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
  readonly fleet: Fleet;
}

function replay(root: string, kernel: string): Run {
  const words = [plugd, 'test', '--root', root, '--kernel', kernel, '--replay', machines, '--json'];
  const from = process.hrtime.bigint();
  const child = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 1 << 30 });
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  return { status: child.status ?? -1, seconds, fleet: JSON.parse(child.stdout) as Fleet };
}

let wrong = 0;

function judge(name: string, tree: DebianTree | Missing): void {
  if (tree.kind === 'missing') {
    console.log(`${name}: ${tree.sentence}`);
    return;
  }
  const { fleet, seconds } = replay(tree.root, tree.kernel);
  const bound = fleet.machines.flatMap(({ file, devices }) =>
    devices
      .filter(({ driver, modaliases }) => driver !== undefined && modaliases.length > 0)
      .map((device) => ({ file, device })),
  );
  const of = (fate: string) => bound.filter(({ device }) => device.fate === fate);
  const untold = of('unknown').length / Math.max(1, bound.length);
  console.log(
    `${name} ${tree.kernel}: ${fleet.machines.length} machines in ${seconds.toFixed(1)} s, ${bound.length} bound devices with a MODALIAS: ` +
      `${of('kept').length} kept, ${of('lost').length} lost, ${of('replaced').length} replaced, ${of('unknown').length} untold (${(untold * 100).toFixed(1)} %)`,
  );
  const reasons = new Map<string, number>();
  for (const { device } of [...of('lost'), ...of('replaced')]) {
    const line = `${device.fate.toUpperCase()} ${device.driver ?? ''}: ${device.because ?? ''}`;
    reasons.set(line, (reasons.get(line) ?? 0) + 1);
  }
  for (const [line, count] of [...reasons].toSorted((a, b) => b[1] - a[1])) console.log(`  ${count} × ${line}`);
  if (untold > MOST_UNTOLD) {
    console.log('  WRONG: too many are untold');
    wrong++;
  }
}

/** Takes a driver out of a copy of the tree; says which machines miss it. */
function takeOut(tree: DebianTree, driver: string, before: Run): void {
  const work = mkdtempSync(join(dirname(tree.root), '.fleet-'));
  try {
    const modules = `lib/modules/${tree.kernel}`;
    cpSync(tree.root, work, { recursive: true, verbatimSymlinks: true });
    const found = execFileSync('find', [join(work, modules), '-name', `${driver}.ko*`], { encoding: 'utf8' }).trim();
    if (found === '') {
      console.log(`  ${driver}: this tree has no such module`);
      return;
    }
    for (const file of found.split('\n')) rmSync(file);
    execFileSync(process.execPath, [plugd, 'depmod', '-b', work, tree.kernel]);
    const { status, fleet } = replay(work, tree.kernel);
    const kept = new Set(
      before.fleet.machines.flatMap(({ file, devices }) =>
        devices.filter(({ fate }) => fate === 'kept').map(({ devpath }) => `${file} ${devpath}`),
      ),
    );
    const name = driver.replaceAll('-', '_');
    const users = before.fleet.machines.flatMap(({ devices }) =>
      devices.filter(
        (device) => device.fate === 'kept' && device.driver?.replaceAll('-', '_').startsWith(name) === true,
      ),
    ).length;
    const missed = fleet.machines.flatMap(({ file, devices }) =>
      devices
        .filter(({ devpath, fate }) => fate !== 'kept' && kept.has(`${file} ${devpath}`))
        .map(({ devpath }) => devpath),
    );
    const good = users === 0 || (status === 1 && missed.length > 0);
    if (!good) wrong++;
    console.log(
      `  without ${driver}: exit status ${status}, ${users} devices had it, ${missed.length} miss it${good ? '' : '  WRONG'}`,
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
  const before = replay(stable.root, stable.kernel);
  for (const driver of REMOVED) takeOut(stable, driver, before);
}
console.log(wrong === 0 ? 'all as it should be' : `${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
