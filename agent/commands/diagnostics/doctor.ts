/** `plugd doctor`: prints the results of explain/doctor/. Changes nothing. */
import type { Host } from '../../base/host.ts';
import type { CheckResult } from '../../explain/doctor/health.ts';
import { EXIT, HOST_OPTIONS, hostOf, noArguments, OPTION, parse, type Command, type Option } from '../command.ts';
import { print, printJson, telling, terminalAt } from '../output.ts';
import { agentFacts } from './agent-facts.ts';

const NEXT: Option = {
  long: 'next-kernel',
  value: 'VERSION',
  help: 'would everything that is in use work with this kernel?',
};

/** `plugd doctor`. */
export const command: Command = {
  name: 'doctor',
  usage: '[OPTION…]',
  options: [NEXT, OPTION.json, OPTION.verbose, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
With --root it examines only the tree and the rules. Before a reboot,
--next-kernel checks that each driver in use exists for that kernel, with what
it needs, its firmware and an acceptable signature.
Exit status: 0 nothing is wrong (there may be warnings); 1 something is.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const host = hostOf(parsed, true);
    const next = parsed.value(NEXT);
    const { head, results } = next === undefined ? await examine(host) : await examineNext(host, next);
    if (parsed.has(OPTION.json)) {
      printJson({ kernel: next ?? host.kernel, root: host.root === '' ? '/' : host.root, checks: results }, 1);
    } else if (parsed.has(OPTION.quiet)) {
      print(results.map(({ id, state }) => (state === 'wrong' ? `${id}\n` : '')).join(''));
    } else {
      const { healthText } = await import('../../report/health-text.ts');
      print(healthText(head, results, terminalAt(1), parsed.has(OPTION.verbose)));
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
  const agent = host.root === '' ? await agentFacts() : undefined;
  return {
    head: `Linux ${host.kernel}${host.root === '' ? '' : ` in ${host.root}`}`,
    results: examineHealth(host, agent, telling()),
  };
}

async function examineNext(host: Host, next: string): Promise<Examined> {
  const { examineNextKernel } = await import('../../explain/doctor/next-kernel.ts');
  return { head: `Linux ${host.kernel} → ${next}`, results: examineNextKernel(host, next, telling()) };
}
