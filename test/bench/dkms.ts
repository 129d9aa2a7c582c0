/**
 * What out-of-tree modules cost with plugd, and with Debian's dkms on the same machine, in turn: five small modules installed by
 * autoinstall for two kernels, one build beside a bare make, `status` beside a bare Node, and an installation from the cache.
 *
 *     npm run bench:dkms [-- --rounds N]
 *
 * Each round is a new root with a kernel's headers (test/oracle/dkms/dkms-root.ts) and its twin's, the same under another name; it needs root.
 */
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runInRoot } from '../fixtures/roots/overlay-root.ts';
import { dkmsRoot, type DkmsRoot } from '../oracle/dkms/dkms-root.ts';
import { packageFiles } from '../oracle/dkms/dkms-packages.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const home = join(import.meta.dirname, '../../..');

/** What one round took: seconds of wall time and of processor time, by what was done. */
type Times = Readonly<Record<string, { readonly wall: number; readonly cpu: number }>>;

/** Makes the sources of five modules, then takes the time of each step: `NAME WALL USER SYSTEM`, one a line, behind `TIME`. */
const SCRIPT = `
set -eu
kernel=$1 program=$2
if [ "$program" = plugd ]; then
  ln -s /plugd/dist/plugd.cjs /usr/local/sbin/dkms
  ln -s /plugd/dist/plugd.cjs /usr/local/sbin/plugd
else
  dpkg --force-all -i /debs/dkms_*.deb > /dev/null 2>&1 || true
fi
mkdir -p /var/lib/dkms /etc/dkms
twin=$kernel-twin
headers=$(readlink -f /lib/modules/$kernel/build)
cp -a $headers $headers-twin
grep -rlF $kernel $headers-twin/include/config/kernel.release $headers-twin/include/config/auto.conf $headers-twin/include/generated | xargs sed -i "s/$kernel/$twin/g"
cp -a /lib/modules/$kernel /lib/modules/$twin
ln -sfn $headers-twin /lib/modules/$twin/build
for i in 1 2 3 4 5; do
  mkdir -p /usr/src/small$i-1.0
  cd /usr/src/small$i-1.0
  printf 'obj-m := small%s.o\\n' $i > Makefile
  printf '#include <linux/module.h>\\nMODULE_LICENSE("GPL");\\nMODULE_VERSION("1.0");\\n' > small$i.c
  printf 'PACKAGE_NAME=small%s\\nPACKAGE_VERSION=1.0\\nBUILT_MODULE_NAME[0]=small%s\\nDEST_MODULE_LOCATION[0]=/updates\\nAUTOINSTALL=yes\\n' $i $i > dkms.conf
done
cd /
TIMEFORMAT='%R %U %S'
step() { name=$1; shift; printf 'TIME %s ' $name; { time "$@" > /tmp/$name.out 2>&1; } 2>&1; }
for i in 1 2 3 4 5; do dkms add -m small$i -v 1.0 > /dev/null; done
cp -a /usr/src/small1-1.0 /tmp/bare
step make make -C /lib/modules/$kernel/build M=/tmp/bare
step build dkms build -m small1 -v 1.0 -k $kernel
dkms remove -m small1 -v 1.0 --all > /dev/null; dkms add -m small1 -v 1.0 > /dev/null
# Debian's dkms takes one kernel at a time.
each() { for release in $kernel $twin; do dkms autoinstall -k $release; done; }
if [ "$program" = plugd ]; then
  step autoinstall plugd dkms autoinstall -k $kernel -k $twin
else
  step autoinstall each
fi
[ $(dkms status | grep -c ': installed') = 10 ]
ten() { for i in 1 2 3 4 5 6 7 8 9 10; do "$@"; done; }
if [ "$program" = plugd ]; then
  step status ten dkms status
  step node ten node -e 0
else
  step status dkms status
fi
if [ "$program" = plugd ]; then
  plugd dkms remove small1/1.0 --all > /dev/null; plugd dkms add small1/1.0 > /dev/null
  rm -rf /var/cache/plugd
  step fresh plugd dkms install small1/1.0 -k $kernel
  plugd dkms remove small1/1.0 --all > /dev/null; plugd dkms add small1/1.0 > /dev/null
  step cached plugd dkms install small1/1.0 -k $kernel
fi
`;

async function round(root: DkmsRoot, debs: string, program: string): Promise<Times> {
  const shown = [
    { outside: home, inside: '/plugd' },
    { outside: debs, inside: '/debs' },
    { outside: dirname(dirname(process.execPath)), inside: '/node' },
  ];
  const script = `PATH=$PATH:/node/bin; ${SCRIPT}`;
  const ended = await runInRoot(root, ['bash', '-c', script, 'bench', root.kernel, program], {
    shown,
    timeout: 900_000,
  });
  if (ended.status !== 0) throw new Error(`${program}: ${ended.stdout}${ended.stderr}`);
  return Object.fromEntries(
    [...ended.stdout.matchAll(/^TIME (\S+) (\S+) (\S+) (\S+)$/gm)].map(([, name = '', wall, user, system]) => [
      name,
      { wall: Number(wall), cpu: Number(user) + Number(system) },
    ]),
  );
}

const [root, debs] = [await dkmsRoot(), await packageFiles()];
if (root.kind === 'missing') throw new Error(root.sentence);
if (typeof debs !== 'string') throw new Error(debs.sentence);
const plugd: Times[] = [];
const dkms: Times[] = [];
for (let i = 0; i < Number(values.rounds); i++) {
  plugd.push(await round(root, debs, 'plugd'));
  dkms.push(await round(root, debs, 'dkms'));
}

/** The median of a step's time over the rounds. */
const of = (rounds: readonly Times[], name: string, what: 'wall' | 'cpu') =>
  median(rounds.map((times) => times[name]?.[what] ?? Number.NaN));

function report(what: string, ours: number, theirs: number, goal?: number): void {
  const ratio = ours / theirs;
  console.log(
    `${what.padEnd(72)}${ours.toFixed(2).padStart(7)} s ${theirs.toFixed(2).padStart(7)} s ${ratio.toFixed(2).padStart(6)}${goal === undefined ? '' : ` (at most ${goal})${ratio > goal ? '  MISSED' : ''}`}`,
  );
}

console.log(`${''.padEnd(72)}  plugd      peer`);
report(
  "autoinstall of five modules for two kernels, wall, beside Debian's dkms",
  of(plugd, 'autoinstall', 'wall'),
  of(dkms, 'autoinstall', 'wall'),
  0.6,
);
report('the same, processor time', of(plugd, 'autoinstall', 'cpu'), of(dkms, 'autoinstall', 'cpu'));
report('one build, processor time, beside bare make', of(plugd, 'build', 'cpu'), of(plugd, 'make', 'cpu'), 1.1);
report("the same of Debian's dkms", of(dkms, 'build', 'cpu'), of(dkms, 'make', 'cpu'));
report('ten statuses, processor time, beside bare Node', of(plugd, 'status', 'cpu'), of(plugd, 'node', 'cpu'), 1.5);
report('ten statuses, wall, beside bare Node', of(plugd, 'status', 'wall'), of(plugd, 'node', 'wall'), 1.5);
report("a status of Debian's dkms, processor time", of(plugd, 'status', 'cpu') / 10, of(dkms, 'status', 'cpu'));
report(
  'an installation from the cache, wall, beside one that compiles',
  of(plugd, 'cached', 'wall'),
  of(plugd, 'fresh', 'wall'),
  0.1,
);
report('the same, processor time', of(plugd, 'cached', 'cpu'), of(plugd, 'fresh', 'cpu'), 0.1);
