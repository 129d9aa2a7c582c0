/**
 * The same scenarios through kmod's commands and plugd's on a real kernel, from the same state: what they write, their status, and
 * what is loaded afterwards.
 */
import type { Test } from 'tap';
import type { Machine } from './machine/machine.ts';

/** What is done, in the shell; $MODPROBE is one or the other's, `$BY lsmod` likewise. What it writes, and the state it leaves, is compared. */
export interface Scenario {
  readonly name: string;
  /** /etc/modprobe.d/test.conf. */
  readonly config?: string;
  /** Before, with kmod's tools. */
  readonly before?: string;
  readonly run: string;
  /** What must be in the outcome, so that it shows that something was done. */
  readonly shows: RegExp;
  /** plugd's outcome, where docs/differences.md has one. */
  readonly differs?: RegExp;
}

/** Somebody opens /dev/net/tun, and with it the module tun; its process is $(cat /run/sleeper). */
export const OPEN_TUN =
  'modprobe tun; sleep 60 < /dev/net/tun & echo $! > /run/sleeper; until [ "$(cat /sys/module/tun/refcnt)" != 0 ]; do sleep 0.1; done';

/** Removes all modules; prints what is left of /proc/modules. */
export const RESET = `for round in 1 2 3 4; do
  modules=$(cut -d ' ' -f 1 /proc/modules)
  if [ -z "$modules" ]; then break; fi
  for module in $modules; do rmmod "$module" 2>/dev/null; done
done; cat /proc/modules`;

// busybox has commands of the same names, elsewhere on PATH.
const THEIRS = { MODPROBE: '/sbin/modprobe', BY: 'sh /run/kmod' };
const BY_KMOD = `echo 'name=$1; shift; exec /sbin/$name "$@"' > /run/kmod`;
const OURS = { MODPROBE: 'plugd modprobe', BY: 'plugd' };

/** Runs each scenario with kmod and with plugd and compares. */
export async function compareScenarios(t: Test, machine: Machine, scenarios: readonly Scenario[]): Promise<void> {
  await machine.output('sh', ['-c', BY_KMOD]);
  for (const scenario of scenarios) {
    const theirs = await outcome(machine, scenario, THEIRS);
    const ours = await outcome(machine, scenario, OURS);
    t.match(theirs, scenario.shows, `kmod: ${scenario.name}`);
    if (scenario.differs === undefined) t.equal(ours, theirs, `plugd: ${scenario.name}`);
    else t.match(ours, scenario.differs, `plugd: ${scenario.name}`);
  }
}

/** All that can be compared: what was written, the status, and /proc/modules without sizes and addresses. */
async function outcome(
  machine: Machine,
  { config = '', before = 'true', run }: Scenario,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const left = await machine.output('sh', ['-c', RESET]);
  if (left !== '') throw new Error(`still loaded: ${left}`);
  await machine.output('sh', ['-c', `printf %s "$0" > /etc/modprobe.d/test.conf\n${before}`, config]);
  const ended = await machine.shell(`${run}\necho status $?`, { env });
  const modules = await machine.output('sh', ['-c', "cut -d ' ' -f 1,3,4,5 /proc/modules | sort"]);
  const errors = ended.stderr.replaceAll(/\.\.\/\S+ \w+\(\) /g, '');
  return `${ended.stdout}--\n${errors}--\n${modules}`;
}
