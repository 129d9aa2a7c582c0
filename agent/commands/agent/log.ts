/** `plugd log`: prints the agent's ledger. Asks the agent only; changes nothing. */
import { PlugdError } from '../../base/error.ts';
import { openHost } from '../../base/host.ts';
import { ledgerLine } from '../../report/ledger-text.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import type { DroppedItems } from '../../records/monitor-item.ts';
import { EXIT, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
import { jsonText, print, printJson, say, terminalAt } from '../output.ts';
import { writeWhole } from '../whole-file.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

const TRACE: Option = {
  long: 'trace',
  value: 'FILE.json',
  help: 'write the insertions as a trace for Perfetto or chrome://tracing',
};
const FOLLOW: Option = { long: 'follow', short: 'f', help: 'then print new entries until interrupted' };

/** `plugd log`. */
export const command: Command = {
  name: 'log',
  usage: '[OPTION…] [MODULE]',
  options: [FOLLOW, TRACE, OPTION.json, RUN_DIR_OPTION],
  notes: `
Who asked: a device with its modalias, a kernel request, a module that needs it,
a boot list, a person; or somebody outside plugd, who left no name.
Exit status: 0 done; 1 no entry is about MODULE.`,
  async run(args) {
    const parsed = parse(command, args);
    const [module, ...more] = parsed.words;
    if (more.length > 0) throw new PlugdError('usage', 'log takes one module');
    const file = parsed.value(TRACE);
    if (file !== undefined) return writeTrace(parsed, file, module);
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

/** Writes the entries whose length is known. Errors: `system`; `usage` with --follow: a trace has an end. */
async function writeTrace(parsed: Arguments, file: string, module: string | undefined): Promise<number> {
  if (parsed.has(FOLLOW) || parsed.has(OPTION.json))
    throw new PlugdError('usage', '--trace writes what is there: leave out --follow and --json');
  const { ledgerRun } = await import('../../report/timeline/ledger-run.ts');
  const { trace } = await import('../../report/timeline/trace.ts');
  const agent = await openAgent(parsed);
  const entries: LedgerEntry[] = [];
  await agent.ask('log', module === undefined ? {} : { module }, (item) => {
    if ('module' in (item as object)) entries.push(item as LedgerEntry);
  });
  agent.close();
  const run = ledgerRun(entries, openHost());
  if (run === undefined) {
    say('plugd: the agent has inserted nothing yet\n');
    return EXIT.negative;
  }
  writeWhole(TRACE, file, jsonText(trace(run, 'agent')));
  return EXIT.done;
}
