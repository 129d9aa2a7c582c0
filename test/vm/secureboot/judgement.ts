/** What plugd foretells of a module on a machine, what the kernel then does, and whether both are what a case says. */
import type { Test } from 'tap';
import type { Investigation } from '../../../agent/records/investigation.ts';
import type { Machine } from '../machine/machine.ts';
import { labPath } from './lab-keys.ts';

/** A module and what becomes of it: `loads`, or the cause with what stands behind it. */
export interface LabCase {
  readonly module: string;
  readonly outcome: 'loads' | 'signature' | 'lockdown' | 'integrity';
  /** What sets it apart from others with the same errno: the evidence before, and after, must say it. */
  readonly says?: RegExp;
  /** plugd cannot know it before: it foretells this instead. */
  readonly foretold?: 'loads';
  readonly before?: string;
}

/** Mounts what plugd reads, as systems do. */
export async function prepareGuest(machine: Machine): Promise<void> {
  await machine.output('mount', ['-t', 'securityfs', 'none', '/sys/kernel/security']);
  await machine.shell('modprobe efivarfs && mount -t efivarfs none /sys/firmware/efi/efivars');
}

/** Holds each case against the machine; with `thorough` plugd's own insertion explains, too. */
export async function judge(t: Test, machine: Machine, cases: readonly LabCase[], thorough: boolean): Promise<void> {
  for (const each of cases) {
    const { module, outcome, foretold = outcome, says = /^/, before } = each;
    await t.test(`${module}: ${outcome}`, async (t) => {
      if (before !== undefined) await machine.output('sh', ['-c', before]);
      const path = labPath(module);
      const prediction = await ask(machine, ['test', '--json', path]);
      t.equal(outcomeOf(prediction), foretold, `foretold: ${told(prediction)}`);
      if (foretold === outcome) t.match(told(prediction), says);
      const tried = await machine.shell(`insmod ${path}; status=$?; rmmod dummy 2>/dev/null; exit $status`);
      t.equal(tried.status === 0, outcome === 'loads', `the kernel: ${tried.stderr}`);
      if (!thorough) return;
      const after = await ask(machine, ['test', '--insert', '--json', path]);
      await machine.shell('rmmod dummy');
      t.equal(outcomeOf(after), outcome, `explained: ${told(after)}`);
      t.match(told(after), says);
    });
  }
}

async function ask(machine: Machine, args: readonly string[]): Promise<Investigation> {
  const ended = await machine.run('plugd', args);
  try {
    return JSON.parse(ended.stdout) as Investigation;
  } catch {
    throw new Error(`plugd ${args.join(' ')}: status ${ended.status}\n${ended.stdout}${ended.stderr}`);
  }
}

function outcomeOf({ verdict, cause }: Investigation): string {
  return verdict === 'would-insert' || verdict === 'inserted' ? 'loads' : (cause ?? verdict);
}

function told({ reason, evidence, remedy }: Investigation): string {
  return [reason, ...evidence, remedy ?? ''].join(' | ');
}
