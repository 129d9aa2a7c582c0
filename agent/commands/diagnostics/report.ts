/** `plugd report`: one page of this machine or of a recording. Changes nothing but the file it writes. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { ColdplugRun } from '../../records/coldplug-run.ts';
import { EXIT, HOST_OPTIONS, hostOf, noArguments, OPTION, parse, type Command, type Option } from '../command.ts';
import { printData, say, telling } from '../output.ts';
import { writeWhole } from '../whole-file.ts';
import { agentFacts, agentLedger } from './agent-facts.ts';

const OUTPUT: Option = {
  long: 'output',
  short: 'o',
  value: 'FILE',
  help: 'write the page to FILE (default: standard output)',
};
const REPLAY: Option = {
  long: 'replay',
  value: 'FILE',
  help: "a page of a recording (plugd devices --record; '-': standard input), held against this tree",
};
const RUN: Option = { long: 'run', value: 'FILE', help: 'draw the timeline of this run (plugd coldplug --json)' };

/** `plugd report`. */
export const command: Command = {
  name: 'report',
  usage: '[OPTION…] [-o FILE.html]',
  options: [OUTPUT, REPLAY, RUN, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
The page is one file: it loads nothing, works without scripts, and can be mailed
or printed. It names devices and modules, and no serial numbers or addresses
beyond what plugd devices shows.
Without --run the timeline is that of the running agent.
Exit status: 0 done.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const [file, recording, runFile] = [OUTPUT, REPLAY, RUN].map((option) => parsed.value(option));
    const host = hostOf(parsed, recording === undefined ? true : 'recorded');
    const given = runFile === undefined ? undefined : await readRun(runFile);
    const { takeRecordedSnapshot, takeSnapshot } = await import('../../explain/snapshot/take-snapshot.ts');
    const { page } = await import('../../report/page/page.ts');
    const [made, tell] = [new Date(), telling()];
    const snapshot =
      recording === undefined
        ? takeSnapshot({ host, made, tell, ...(await fromAgent(host, given)) })
        : takeRecordedSnapshot({ host, made, tell, run: given }, recording);
    const text = page(snapshot);
    if (file === undefined || file === '-') printData(text);
    else {
      writeWhole(OUTPUT, file, text);
      if (!parsed.has(OPTION.quiet)) say(`plugd: wrote ${file} (${Math.ceil(Buffer.byteLength(text) / 1024)} KiB)\n`);
    }
    return EXIT.done;
  },
};

/** What a running agent adds: its policy, who asked for what, and, unless another run is given, the boot. */
async function fromAgent(host: Host, given: ColdplugRun | undefined) {
  if (host.root !== '') return { run: given };
  const [agent, ledger] = [await agentFacts(), await agentLedger()];
  if (given !== undefined || ledger === undefined) return { agent, ledger, run: given };
  const { ledgerRun } = await import('../../report/timeline/ledger-run.ts');
  return { agent, ledger, run: ledgerRun(ledger, { ...host, boot: true }) };
}

async function readRun(file: string): Promise<ColdplugRun> {
  const { readBoundedText } = await import('../../facts/devices/recording-file.ts');
  const { parseRun } = await import('../../report/timeline/saved-run.ts');
  const run = parseRun(readBoundedText(file));
  if (typeof run === 'string')
    throw new PlugdError('usage', run, { file, remedy: 'plugd coldplug --json > run.json makes such a file' });
  return run;
}
