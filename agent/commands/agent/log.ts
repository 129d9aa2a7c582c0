/** `plugd log`: prints the agent's ledger. Asks the agent only; changes nothing. */
import { PlugdError } from '../../base/error.ts';
import { ledgerLine } from '../../report/ledger-text.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import type { DroppedItems } from '../../records/monitor-item.ts';
import { EXIT, OPTION, parse, type Command, type Option } from '../command.ts';
import { print, printJson, say, terminalAt } from '../output.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

const FOLLOW: Option = { long: 'follow', short: 'f', help: 'then print new entries until interrupted' };

/** `plugd log`. */
export const command: Command = {
  name: 'log',
  usage: '[OPTION…] [MODULE]',
  options: [FOLLOW, OPTION.json, RUN_DIR_OPTION],
  notes: `
Who asked: a device with its modalias, a kernel request, a module that needs it,
a boot list, a person; or somebody outside plugd, who left no name.
Exit status: 0 done; 1 no entry is about MODULE.`,
  async run(args) {
    const parsed = parse(command, args);
    const [module, ...more] = parsed.words;
    if (more.length > 0) throw new PlugdError('usage', 'log takes one module');
    const terminal = terminalAt(1);
    const agent = await openAgent(parsed);
    const follow = parsed.has(FOLLOW);
    const end = (await agent.ask('log', { follow, ...(module === undefined ? {} : { module }) }, (item) => {
      if (parsed.has(OPTION.json)) printJson(item as LedgerEntry | DroppedItems);
      else
        print(`${ledgerLine(item as LedgerEntry | DroppedItems, terminal)}
`);
    })) as { readonly entries: number; readonly before: readonly string[] };
    agent.close();
    if (module === undefined || end.entries > 0) return EXIT.done;
    const there = end.before.includes(module.replaceAll('-', '_'));
    say(
      `plugd: ${module} ${there ? 'was loaded before the agent began' : 'has not been loaded since the agent began'}\n`,
    );
    return EXIT.negative;
  },
};
