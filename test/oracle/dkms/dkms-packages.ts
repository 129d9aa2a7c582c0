/**
 * Debian's own packages of out-of-tree modules, installed and purged by dpkg, once with plugd and once with Debian's dkms. Both have to leave
 * the same behind (package-run.ts).
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, cached } from '../../fixtures/cache.ts';
import { debianPackages, type Missing } from '../../fixtures/debian.ts';
import { runInRoot, type Shown } from '../../fixtures/roots/overlay-root.ts';
import type { DkmsRoot } from './dkms-root.ts';
import type { Subject } from './dkms-suite.ts';
import type { PackageRecord, State } from './package-run.ts';

const project = join(import.meta.dirname, '../../../..');

/** Small ones of Debian 12: a build of each takes seconds. */
export const PACKAGES = [
  'acpi-call-dkms',
  'adv-17v35x-dkms',
  'apfs-dkms',
  'bbswitch-dkms',
  'ddcci-dkms',
  'digimend-dkms',
  'dm-writeboost-dkms',
  'dpdk-kmods-dkms',
  'evdi-dkms',
  'gost-crypto-dkms',
  'jool-dkms',
  'langford-dkms',
  'librem-ec-acpi-dkms',
  'lime-forensics-dkms',
  'nat-rtsp-dkms',
  'openrazer-driver-dkms',
  'openvpn-dco-dkms',
  'rapiddisk-dkms',
  'rtpengine-kernel-dkms',
  'tp-smapi-dkms',
  'v4l2loopback-dkms',
  'vpoll-dkms',
  'xtables-addons-dkms',
  'xtrx-dkms',
] as const;

/** One of many files, with a configure script: a build takes minutes. */
export const LONG_PACKAGES = ['openafs-modules-dkms'] as const;

/** Arguments: the subject, the kernel, and the packages. Shown: /debs, /told, /var/cache/kept-make, the project. */
const RUN = `
  set -e
  subject=$1 kernel=$2
  shift 2
  mkdir /usr/lib/kept-make
  mv /usr/bin/make /usr/lib/kept-make/make
  cp "$HERE/kept-make.sh" /usr/bin/make
  chmod 755 /usr/bin/make
  cp "/lib/modules/$kernel/build/.config" "/boot/config-$kernel"
  if [ "$subject" = dkms ]; then
    dpkg --force-depends --install /debs/dkms_*.deb
  else
    mkdir -p /tmp/dkms/DEBIAN /tmp/dkms/usr/sbin /tmp/dkms/usr/lib/dkms /tmp/dkms/etc/dkms
    cp "$HOOKS/common.postinst" "$HOOKS/dkms_autoinstaller" /tmp/dkms/usr/lib/dkms/
    ln -s "$PLUGD" /tmp/dkms/usr/sbin/dkms
    {
      echo 'Package: dkms'
      echo 'Version: 3.4.3'
      echo 'Architecture: all'
      echo 'Maintainer: nobody <nobody@localhost>'
      echo 'Description: plugd in the place of dkms'
    } > /tmp/dkms/DEBIAN/control
    dpkg-deb --build /tmp/dkms /tmp/dkms.deb
    dpkg --install /tmp/dkms.deb
  fi
  exec node "$HERE/../../../dist/test/oracle/dkms/package-run.js" "$kernel" /debs /told/records "$@"`;

/** The files of packages, the small ones or those named, and of Debian's dkms. */
export async function packageFiles(names: readonly string[] = PACKAGES): Promise<string | Missing> {
  const files = await debianPackages([...names, 'dkms']);
  return files.kind === 'ready' ? files.root : files;
}

/** What became of the packages. What Debian's dkms did is kept: it does not change. */
export async function runPackages(
  root: DkmsRoot,
  debs: string,
  subject: Subject,
  packages: readonly string[],
): Promise<readonly PackageRecord[]> {
  if (subject === 'plugd') return run(root, debs, subject, packages);
  const records = [];
  for (const name of packages) {
    const file = readdirSync(debs).find((entry) => entry.startsWith(`${name}_`)) ?? name;
    const folder = await cached(`dkms-packages-${root.kernel}/${file}`, async (half) => {
      writeFileSync(join(half, 'record'), JSON.stringify(await run(root, debs, subject, [name])));
    });
    records.push(...(JSON.parse(readFileSync(join(folder, 'record'), 'utf8')) as PackageRecord[]));
  }
  return records;
}

async function run(
  root: DkmsRoot,
  debs: string,
  subject: Subject,
  packages: readonly string[],
): Promise<readonly PackageRecord[]> {
  const told = mkdtempSync(join(tmpdir(), 'plugd-dkms-packages-'));
  const kept = join(cacheFolder(), `kept-make-${root.kernel}`);
  mkdirSync(kept, { recursive: true });
  try {
    const shown: Shown[] = [
      { outside: project, inside: project },
      { outside: debs, inside: '/debs' },
      { outside: told, inside: '/told', writable: true },
      { outside: kept, inside: '/var/cache/kept-make', writable: true },
    ];
    const command = [
      'env',
      `PLUGD=${join(project, 'dist/plugd.cjs')}`,
      `HERE=${join(project, 'test/oracle/dkms')}`,
      `HOOKS=${join(project, 'hooks/dkms')}`,
      'DEBIAN_FRONTEND=noninteractive',
      'sh',
      '-c',
      RUN,
      'sh',
      subject,
      root.kernel,
      ...packages,
    ];
    const { status, stdout, stderr } = await runInRoot(root, command, { shown, timeout: 2 * 3600_000 });
    if (status !== 0) throw new Error(`${subject}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
    return JSON.parse(readFileSync(join(told, 'records'), 'utf8')) as PackageRecord[];
  } finally {
    rmSync(told, { recursive: true, force: true });
  }
}

/** What newer versions of dkms do otherwise than Debian 12's 3.0.10; plugd does as 3.4.3. */
const NEWER: ReadonlyArray<readonly [name: string, sentence: RegExp, why: string]> = [
  [
    'lime-forensics-dkms',
    /^(installed|upgraded): /,
    'what has no AUTOINSTALL is not built when its package is configured (dkms 3.1.0)',
  ],
  ['tp-smapi-dkms', /hdaps\.ko/, 'a module that names no version replaces another one (dkms 3.0.11)'],
];

/** The change of dkms that makes a difference; undefined for one that nothing explains. */
export function explanationOf(name: string, sentence: string): string | undefined {
  return NEWER.find(([of, pattern]) => of === name && pattern.test(sentence))?.[2];
}

/** How two outcomes of one package differ, a sentence each: `upgraded: modules hdaps.ko only with plugd`. */
export function differences(plugd: PackageRecord, dkms: PackageRecord): readonly string[] {
  return (['installed', 'upgraded', 'purged'] as const).flatMap((step) => {
    const [ours, theirs] = [plugd[step], dkms[step]];
    return [
      ...between('dpkg', [ours.dpkg], [theirs.dpkg]),
      ...between('status', ours.status.map(state), theirs.status.map(state)),
      ...between('module', moduleWords(ours), moduleWords(theirs)),
      ...between('modules.dep', ours.depends, theirs.depends),
      ...between('tree', ours.tree.filter(isOwn), theirs.tree.filter(isOwn)),
    ].map((sentence) => `${step}: ${sentence}`);
  });
}

/** False for what is seen through a link a second time, and for what dkms keeps only since 3.1.3. */
function isOwn(path: string): boolean {
  return !/\/(source|kernel-[^/]+)\/|\/Module\.symvers$/.test(path);
}

/** A line of status without its remarks, whose words differ between versions. */
function state(line: string): string {
  return line.replace(/ \(.*\)| ?\(.*$/g, '').trim();
}

function moduleWords({ modules }: State): readonly string[] {
  return Object.entries(modules).map(([path, digest]) => `${path} ${digest.slice(0, 12)}`);
}

function between(what: string, ours: readonly string[], theirs: readonly string[]): readonly string[] {
  return [
    ...ours.filter((one) => !theirs.includes(one)).map((one) => `${what} only with plugd: ${one}`),
    ...theirs.filter((one) => !ours.includes(one)).map((one) => `${what} only with dkms: ${one}`),
  ];
}
