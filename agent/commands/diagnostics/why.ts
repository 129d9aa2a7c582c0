/** `plugd why`: prints why a module is loaded or not. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import { RUN_DIR } from '../../daemon/control/run-dir.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import { EXIT, HOST_OPTIONS, OPTION, parse, type Command } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print, printJson, terminalAt } from '../output.ts';
import { offlineHost } from './offline-host.ts';

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
    const host = offlineHost(parsed);
    const { reasonsFor } = await import('../../explain/why/reasons.ts');
    const reasons = { ...reasonsFor(host, word), ledger: undefined as readonly LedgerEntry[] | undefined };
    if (host.root === '') reasons.ledger = await ledgerOf(reasons.module);
    if (parsed.has(OPTION.json)) printJson(reasons, 1);
    else if (parsed.has(OPTION.quiet)) print(`${reasons.state.kind}\n`);
    else {
      const { reasonsText } = await import('../../report/reasons-text.ts');
      print(reasonsText(reasons, terminalAt(1), parsed.has(OPTION.verbose)));
    }
    return reasons.state.kind === 'unknown-module' ? EXIT.negative : EXIT.done;
  },
};

/** The running agent's ledger entries for a module; undefined when no agent runs, or it refuses access. */
async function ledgerOf(module: string): Promise<readonly LedgerEntry[] | undefined> {
  const { ControlClient } = await import('../../daemon/control/control-client.ts');
  try {
    const agent = await ControlClient.open(RUN_DIR);
    const entries: LedgerEntry[] = [];
    try {
      await agent.ask('log', { module }, (item) => entries.push(item as LedgerEntry));
    } finally {
      agent.close();
    }
    return entries;
  } catch (error) {
    if (error instanceof PlugdError) return undefined;
    throw error;
  }
}
