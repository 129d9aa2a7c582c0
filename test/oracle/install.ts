/**
 * Installs plugd where there is no compiler and no python3: Debian 12 and 13 in roots of their own (mmdebstrap; minutes the first time,
 * kept afterwards). First the packed package by `npm install -g`, then the .deb by dpkg; after each the questions that people ask first.
 * Nothing may be asked, nothing built, nothing fetched: npm takes the dependencies from this machine's cache, which `npm ci` has filled.
 *
 *     npm run build:prebuilt && npm run oracle:install [-- bookworm trixie]
 *
 * Debian 12's Node is too old, so that root gets this machine's; npm is this machine's in both. Exit status 1: a step failed.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cached } from '../fixtures/cache.ts';
import { commandPath, lastComplaint, needCommands, runProgram } from '../fixtures/commands.ts';
import { debianTree } from '../fixtures/debian.ts';
import { plantSysfs } from '../fixtures/sysfs.ts';

const project = join(import.meta.dirname, '../../..');
/** What each root gets beside the smallest Debian. */
const SUITES: Readonly<Record<string, { readonly packages: string; readonly ownNode: boolean }>> = {
  bookworm: { packages: 'ca-certificates', ownNode: false },
  trixie: { packages: 'ca-certificates,nodejs', ownNode: true },
};

/** `$1`: `npm` or `deb`. A line of `step`, status, milliseconds and name for each; what a failed one said follows. */
const STEPS = String.raw`
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive
  for tool in cc gcc g++ make python3; do command -v $tool && exit 9; done
  step() {
    name=$1 wanted=$2; shift 2
    begun=$(date +%s%N)
    "$@" > /tmp/said 2>&1 < /dev/null
    status=$?
    ms=$((($(date +%s%N) - begun) / 1000000))
    echo "step $status $ms $name"
    [ $status = $wanted ] && ! grep -qi 'gyp\|it is built instead' /tmp/said || { echo "failed $name"; cat /tmp/said; }
  }
  machine="--sysfs /made/sys --proc /made/proc --kernel $KERNEL"
  if [ "$1" = npm ]; then
    # Its own scripts are allowed, as a person would allow them: they have nothing to build.
    step 'npm install -g' 0 node /npm/bin/npm-cli.js install -g --offline --no-audit --no-fund --cache /cache --registry "$REGISTRY" \
      --allow-scripts=plugd,netlink /made/plugd.tgz
  elif command -v nodejs > /dev/null && dpkg -s nodejs > /dev/null 2>&1; then step 'dpkg -i' 0 dpkg -i /made/plugd.deb
  # Its Node is no package here.
  else step 'dpkg -i --force-depends' 0 dpkg --force-depends -i /made/plugd.deb
  fi
  step 'plugd version' 0 plugd version
  step 'lookup' 0 plugd lookup --kernel "$KERNEL" pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00
  step 'devices' 0 plugd devices $machine
  step 'coldplug -n' 0 plugd coldplug -n $machine
  step 'modprobe -n' 0 plugd modprobe -n -v -S "$KERNEL" e1000e
  # It has no devices: nothing may reach this machine's kernel.
  step 'agent --daemon' 0 plugd agent --daemon --run-dir /run/made --sysfs /made/bare --proc /made/proc --kernel "$KERNEL"
  step 'status' 0 plugd status --run-dir /run/made
  kill "$(plugd status --json --run-dir /run/made | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -1)"
`;

/** Enters a root below an overlay in memory: its files, the folders `/made`, `/npm`, `/cache`, `/lib/modules`, and the steps. */
const ENTER = String.raw`
  set -e
  place=$1 tar=$2 made=$3 npm=$4 cache=$5 modules=$6 node=$7 way=$8
  mount -t tmpfs tmpfs "$place"
  tar -C "$place" --exclude='./dev/*' -xf "$tar"
  mount -t proc proc "$place/proc"
  mount --rbind /dev "$place/dev"
  mount -t tmpfs tmpfs "$place/tmp"
  mount -t tmpfs tmpfs "$place/run"
  mkdir -p "$place/made" "$place/npm" "$place/cache" "$place/lib/modules/$KERNEL"
  mount --bind "$made" "$place/made"
  mount --bind "$npm" "$place/npm"
  # npm writes into its cache, even offline.
  mkdir "$place/run/upper" "$place/run/work"
  mount -t overlay overlay -o "lowerdir=$cache,upperdir=$place/run/upper,workdir=$place/run/work" "$place/cache"
  mount --bind "$modules" "$place/lib/modules/$KERNEL"
  if [ "$node" != - ]; then cp "$node" "$place/usr/local/bin/node"; fi
  exec chroot "$place" sh -c "$STEPS" sh "$way"`;

/** A root's files as one archive, made on the first call. */
async function rootArchive(suite: string): Promise<string> {
  const packages = SUITES[suite]?.packages ?? '';
  const folder = await cached(`install-${suite}`, async (half) => {
    const made = await runProgram('mmdebstrap', [
      '--variant=minbase',
      `--include=${packages}`,
      suite,
      join(half, 'root.tar'),
      'http://deb.debian.org/debian',
    ]);
    if (made.status !== 0) throw new Error(`mmdebstrap ${suite}: ${lastComplaint(made)}`);
  });
  return join(folder, 'root.tar');
}

/** The packed package and the .deb in `folder`, with a small machine that was made up. */
function make(folder: string): void {
  const run = (file: string, args: readonly string[]) => {
    const ended = spawnSync(file, args, { cwd: project, encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${ended.stderr}`);
  };
  copyFileSync(join(project, 'package-lock.json'), join(project, 'npm-shrinkwrap.json'));
  try {
    run('npm', ['pack', '--ignore-scripts', '--silent', '--offline', '--pack-destination', folder]);
  } finally {
    rmSync(join(project, 'npm-shrinkwrap.json'));
  }
  run(process.execPath, [join(project, 'deploy/debian/build.mjs'), '--out', join(folder, 'deb')]);
  const find = (place: string, pattern: RegExp) =>
    join(place, readdirSync(place).find((file) => pattern.test(file)) ?? '-');
  renameSync(find(folder, /^plugd-.*\.tgz$/), join(folder, 'plugd.tgz'));
  copyFileSync(find(join(folder, 'deb'), /^plugd_.*\.deb$/), join(folder, 'plugd.deb'));
  plantSysfs(join(folder, 'sys'), [
    {
      devpath: '/devices/pci0/0000:00:03.0',
      subsystem: 'pci',
      modalias: 'pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00',
    },
  ]);
  mkdirSync(join(folder, 'sys/module'), { recursive: true });
  mkdirSync(join(folder, 'bare/bus'), { recursive: true });
  mkdirSync(join(folder, 'bare/devices'));
  for (const [name, text] of Object.entries({
    modules: '',
    cmdline: 'quiet\n',
    'self/status': 'CapEff:\t000001ffffffffff\n',
    'sys/kernel/modules_disabled': '0\n',
    'sys/kernel/modprobe': '/sbin/modprobe\n',
  })) {
    mkdirSync(dirname(join(folder, 'proc', name)), { recursive: true });
    writeFileSync(join(folder, 'proc', name), text);
  }
}

/** Prints the steps of one root by one way; how many failed. */
async function tell(
  suite: string,
  way: 'npm' | 'deb',
  made: string,
  tree: { root: string; kernel: string },
): Promise<number> {
  const place = mkdtempSync(join(tmpdir(), 'plugd-install-'));
  const npm = join(dirname(realpathSync(commandPath('npm') ?? '')), '..');
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
  const archive = await rootArchive(suite);
  const apart = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--propagation', 'private'];
  const cache = process.env['npm_config_cache'] ?? join(homedir(), '.npm');
  const modules = join(tree.root, 'lib/modules', tree.kernel);
  const node = SUITES[suite]?.ownNode === true ? '-' : process.execPath;
  const ended = await runProgram(
    'unshare',
    [...apart, 'sh', '-c', ENTER, 'sh', place, archive, made, npm, cache, modules, node, way],
    { env: { PATH: process.env['PATH'] ?? '', KERNEL: tree.kernel, REGISTRY: registry, STEPS } },
  );
  rmSync(place, { recursive: true, force: true });
  let failed = ended.status === 0 || /^step 0 \d+ status$/m.test(ended.stdout) ? 0 : 1;
  for (const line of ended.stdout.split('\n')) {
    const [, status, ms, name] = /^step (\d+) (\d+) (.*)$/.exec(line) ?? [];
    if (name === undefined) console.log(line === '' ? '' : `      ${line}`);
    else
      console.log(
        `  ${suite.padEnd(9)} ${way}  ${name.padEnd(24)} status ${status}  ${(Number(ms) / 1000).toFixed(2)} s`,
      );
    if (line.startsWith('failed ')) failed++;
  }
  if (failed > 0) console.log(ended.stderr);
  return failed;
}

const tools = await needCommands(['mmdebstrap', 'unshare', 'tar', 'dpkg-deb', 'npm']);
if (tools.kind === 'missing') throw new Error(tools.sentence);
if (!existsSync(join(project, `native/prebuilt/linux-${process.arch}-gnu/plugd.node`)))
  throw new Error('there is no prebuilt addon: npm run build:prebuilt');
const tree = await debianTree('amd64');
if (tree.kind === 'missing') throw new Error(tree.sentence);
const folder = mkdtempSync(join(tmpdir(), 'plugd-made-'));
let failed = 0;
try {
  make(folder);
  const wanted = process.argv.slice(2);
  for (const suite of wanted.length > 0 ? wanted : Object.keys(SUITES))
    for (const way of ['npm', 'deb'] as const) failed += await tell(suite, way, folder, tree);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? 'all steps did what they should' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
