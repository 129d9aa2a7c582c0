/**
 * Fills the V8 code caches beside the bundles, for the Node that runs this file: V8 takes a cache only from its own version. A package
 * carries none; this runs where plugd is installed, and again when Node changes:
 *
 *     node agent/launch/code-caches.mjs [DIST | --if-built]      DIST: the folder of plugd.cjs
 *
 * A cache holds the functions that ran, so each bundle runs on a small tree, coldplug as a whole, with module calls that warm-up.cjs
 * answers. Without caches everything works, a start takes half as long again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { argv, env, execPath, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The runs of each bundle: one for each command, or action of one, that has its own, `bare` for no command, `all` for every other. */
function runsOf(tree) {
  const at = ['--root', tree, '--kernel', '0'];
  const machine = ['--sysfs', `${tree}/sys`, '--proc', `${tree}/proc`];
  return {
    bare: [['--version']],
    coldplug: [['coldplug', ...at, ...machine, '--run-dir', `${tree}/run`, '--json']],
    load: [['load', '--boot-lists', '-n', ...at, ...machine]],
    agent: [['agent', '--help']],
    lookup: [['lookup', ...at, 'pci:v1d1']],
    test: [['test', ...at, 'pci:v1d1']],
    modprobe: [
      ['modprobe', '-d', tree, '-S', '0', '-R', 'pci:v1d1'],
      ['modprobe', '-d', tree, '-S', '0', '-C', `${tree}/etc/modprobe.d`, '-D', 'a'],
    ],
    dkms: [
      // As at boot: it finds everything installed.
      ['dkms', 'autoinstall', '--root', tree, '-k', '0.0/x86_64'],
      ['dkms', '--version'],
    ],
    'dkms-status': [['dkms', 'status', '--root', tree]],
    all: [['devices', ...at, '--sysfs', `${tree}/sys`]],
  };
}

/** The bundles' names. */
export const PARTS = Object.keys(runsOf(''));

const FILES = {
  'lib/modules/0/modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n',
  'lib/modules/0/modules.alias': 'alias pci:v*d[0-9]* a\nalias p?i:v1d1 b\n',
  'etc/modules-load.d/a.conf': 'a\n',
  'etc/modprobe.d/a.conf': 'blacklist x\noptions b c=1\n',
  'sys/devices/x/uevent': 'MODALIAS=pci:v1d1\n',
  'proc/cmdline': 'quiet a.b=1\n',
  // A machine on which root may load modules.
  'proc/7/comm': 'kworker/0:1-events\n',
  'proc/modules': 'c 4096 0 - Live 0x0\n',
  'proc/self/status': 'CapEff:\t000001ffffffffff\n',
  'proc/self/uid_map': '0 0 4294967295\n',
  'proc/sys/kernel/modules_disabled': '0\n',
  'proc/sys/kernel/modprobe': '/sbin/modprobe\n',
  'lib/modules/0/kernel/a.ko': '',
  'lib/modules/0/kernel/b.ko': '',
  'etc/os-release': 'ID=debian\n',
  // A module that dkms has built and installed.
  'var/lib/dkms/m/1/source/dkms.conf':
    '# m\nPACKAGE_NAME="m"\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME[0]="$PACKAGE_NAME"\nDEST_MODULE_LOCATION[0]=/updates\nAUTOINSTALL=yes\n',
  'var/lib/dkms/m/1/0.0/x86_64/module/m.ko': '',
  'lib/modules/0.0/updates/dkms/m.ko': '',
};

function plant(tree) {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  mkdirSync(join(tree, 'sys/bus/pci/devices'), { recursive: true });
  symlinkSync('1/0.0/x86_64', join(tree, 'var/lib/dkms/m/kernel-0.0-x86_64'));
  symlinkSync('../../../devices/x', join(tree, 'sys/bus/pci/devices/x'));
}

/** Fills the caches in `dist`. The exit status of the first run that failed; 0 when none did. */
export function fillCodeCaches(dist) {
  const tree = mkdtempSync(join(tmpdir(), 'plugd-warm-up-'));
  try {
    plant(tree);
    for (const name of readdirSync(dist)) if (/^plugd\..*\.cache$/.test(name)) rmSync(join(dist, name));
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...env, PLUGD_CODE_CACHE: 'write', PLUGD_WARM_UP_RUN_DIR: `${tree}/run` },
    };
    let status = 0;
    for (const args of Object.values(runsOf(tree)).flat()) {
      const words = ['--require', join(here, 'warm-up.cjs'), join(dist, 'plugd.cjs'), ...args];
      const ended = spawnSync(execPath, words, options).status ?? 1;
      // 1 is an answer: the small tree's modules have no files.
      if (ended > 1) status ||= ended;
    }
    return status;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

if (argv[1] !== undefined && fileURLToPath(import.meta.url) === argv[1]) {
  const tolerant = argv[2] === '--if-built';
  const dist = tolerant || argv[2] === undefined ? join(here, '../../dist') : argv[2];
  if (!existsSync(join(dist, 'plugd.cjs'))) {
    // A clone: npm ci comes before the build.
    if (tolerant) exit(0);
    console.error('plugd: no bundles here: npm run build makes them');
    exit(1);
  }
  exit(fillCodeCaches(dist));
}
