/** `plugd why`: prints why a module is loaded or not. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import { EXIT, HOST_OPTIONS, hostOf, OPTION, parse, type Command } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print, printJson, terminalAt } from '../output.ts';
import { agentLedger } from './agent-facts.ts';

/** `plugd why`. */
export const command: Command = {
  name: 'why',
  usage: '[OPTION…] MODULE',
  options: [OPTION.json, OPTION.verbose, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
The table of ways in shows what each rule covers: blacklist stops only requests
by alias.
Exit status: 0 done; 1 there is no such module.`,
  async run(args) {
    const parsed = parse(command, args);
    const [word, ...more] = machineWords(parsed.words);
    if (word === undefined || more.length > 0)
      throw new PlugdError('usage', 'why takes one module', { remedy: 'see plugd why --help' });
    const host = hostOf(parsed, true);
    const { reasonsFor } = await import('../../explain/why/reasons.ts');
    const reasons = { ...reasonsFor(host, word), ledger: undefined as readonly LedgerEntry[] | undefined };
    if (host.root === '') reasons.ledger = await agentLedger(reasons.module);
    if (parsed.has(OPTION.json)) printJson(reasons, 1);
    else if (parsed.has(OPTION.quiet)) print(`${reasons.state.kind}\n`);
    else {
      const { reasonsText } = await import('../../report/reasons-text.ts');
      print(reasonsText(reasons, terminalAt(1), parsed.has(OPTION.verbose)));
    }
    return reasons.state.kind === 'unknown-module' ? EXIT.negative : EXIT.done;
  },
};
