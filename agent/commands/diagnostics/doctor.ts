import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { CheckResult } from '../../explain/doctor/health.ts';
import { EXIT, OPTION, parse, type Command, type Option } from '../command.ts';
import { outTerminal } from '../out-terminal.ts';
import { print } from '../output.ts';
import { offlineHost } from './offline-host.ts';

const NEXT: Option = {
  long: 'next-kernel',
  value: 'VERSION',
  help: 'would everything that is in use work with this kernel?',
};

/** `plugd doctor`. */
export const command: Command = {
  name: 'doctor',
  summary: 'Looks for what keeps drivers from being loaded, and says what to do about it',
  usage: '[OPTION…]',
  options: [NEXT, OPTION.json, OPTION.verbose, OPTION.quiet, OPTION.root, OPTION.kernel, OPTION.sysfs, OPTION.proc],
  notes: `
With --root only the tree and the rules are looked at. --next-kernel asks before
a reboot whether each driver in use is there, with what it needs, its firmware
and a signature that will be accepted.
Exit status: 0 nothing is wrong (there may be warnings); 1 something is.`,
  async run(args) {
    const parsed = parse(command, args);
    if (parsed.words.length > 0) throw new PlugdError('usage', `doctor takes no words: ${parsed.words.join(' ')}`);
    const host = offlineHost(parsed);
    const next = parsed.value(NEXT);
    const { head, results } = next === undefined ? await examine(host) : await examineNext(host, next);
    if (parsed.has(OPTION.json)) {
      print(
        `${JSON.stringify({ kernel: next ?? host.kernel, root: host.root === '' ? '/' : host.root, checks: results }, undefined, 1)}\n`,
      );
    } else if (!parsed.has(OPTION.quiet)) {
      const { healthText } = await import('../../report/health-text.ts');
      print(healthText(head, results, outTerminal(), parsed.has(OPTION.verbose)));
    }
    return results.some(({ state }) => state === 'wrong') ? EXIT.negative : EXIT.done;
  },
};

interface Examined {
  readonly head: string;
  readonly results: readonly CheckResult[];
}

async function examine(host: Host): Promise<Examined> {
  const { examineHealth } = await import('../../explain/doctor/health-facts.ts');
  const { existsSync } = await import('node:fs');
  const { controlPath, RUN_DIR } = await import('../../daemon/control/run-dir.ts');
  const agent = host.root === '' && existsSync(controlPath(RUN_DIR));
  return {
    head: `Linux ${host.kernel}${host.root === '' ? '' : ` in ${host.root}`}`,
    results: examineHealth(host, agent),
  };
}

async function examineNext(host: Host, next: string): Promise<Examined> {
  const { examineNextKernel } = await import('../../explain/doctor/next-kernel.ts');
  return { head: `Linux ${host.kernel} → ${next}`, results: examineNextKernel(host, next) };
}
