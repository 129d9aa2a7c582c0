/** `plugd coldplug`: reads its options, runs load/coldplug.ts and prints the result. */
import { resolve } from 'node:path';
import { addon, addonIfBuilt } from '../../base/addon.ts';
import { block } from '../../base/blocking.ts';
import { PlugdError } from '../../base/error.ts';
import { writeNowTo } from '../../base/write-now.ts';
import { RUN_DIR } from '../../daemon/control/run-dir.ts';
import { leaveLedger } from '../../daemon/early-ledger.ts';
import { coldplug } from '../../load/coldplug.ts';
import type { LoaderObserver } from '../../load/loader.ts';
import { sinceStart } from '../../load/turns.ts';
import { hasFailures, isWithoutDevice, type ColdplugRun } from '../../records/coldplug-run.ts';
import { ledgerEntry, type LedgerEntry } from '../../records/ledger.ts';
import { blockedLine, endLine, planText, summarize } from '../../report/coldplug-summary.ts';
import { LineQueue } from '../../report/logging/line-queue.ts';
import { progressLine } from '../../report/loading-text.ts';
import { LINE, printable } from '../../report/terminal.ts';
import {
  EXIT,
  HOST_OPTIONS,
  hostOf,
  noArguments,
  OPTION,
  parse,
  wholeNumber,
  type Command,
  type Option,
  type Arguments,
} from '../command.ts';
import { jsonText, print, printJson, terminalAt, type OutputTerminal } from '../output.ts';
import { writeWhole } from '../whole-file.ts';
import { JOBS, jobsOf } from './jobs.ts';
import { RUN_DIR_OPTION } from './run-dir.ts';

const TIMEOUT: Option = {
  long: 'timeout',
  short: 't',
  value: 'SECONDS',
  help: 'give up waiting after SECONDS (default 120); what runs then is left alone',
};
const LEAVE: Option = {
  long: 'leave-kernel-requests',
  help: "leave the kernel's own requests to modprobe meanwhile",
};
const CHART: Option = { long: 'chart', value: 'FILE.svg', help: 'draw the run as a timeline' };
const TRACE: Option = {
  long: 'trace',
  value: 'FILE.json',
  help: 'write the run as a trace for Perfetto or chrome://tracing',
};

/** Between two progress lines: often enough to look alive, seldom enough to cost nothing. */
const PROGRESS_MS = 200;
/** Between two tries to write what a reader did not take. */
const TRY_MS = 2;

/** `plugd coldplug`. */
export const command: Command = {
  name: 'coldplug',
  usage: '[OPTION…]',
  options: [
    OPTION.dryRun,
    JOBS,
    TIMEOUT,
    CHART,
    TRACE,
    LEAVE,
    RUN_DIR_OPTION,
    OPTION.json,
    OPTION.verbose,
    OPTION.quiet,
    ...HOST_OPTIONS,
  ],
  notes: `
Exit status: 0 done; 1 a module failed, or it did not settle in time. A module
whose init finds no device (ENODEV) is reported, but is not a failure.
-v reports each module as it finishes; -n needs no root and changes nothing.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const dryRun = parsed.has(OPTION.dryRun);
    for (const { long } of [CHART, TRACE].filter((option) => dryRun && parsed.has(option)))
      throw new PlugdError('usage', `--${long} shows a run, and --dry-run makes none`);
    // A coldplug ends before compiled code pays for its compilation, and the modules' inits need the processors; a dry run has
    // them to itself.
    if (!dryRun)
      addon().setV8Flags(
        '--no-opt --no-sparkplug --no-minor-gc-task --no-parallel-scavenge --semi-space-growth-factor=16',
      );
    const timeout = parsed.value(TIMEOUT);
    const quiet = parsed.has(OPTION.quiet) || parsed.has(OPTION.json);
    const view = quiet ? undefined : liveView(terminalAt(2), parsed.has(OPTION.verbose));
    const host = hostOf(parsed);
    // A foreign --proc is not the place to change settings, unless the user asks for it with --run-dir.
    const runDir = parsed.value(RUN_DIR_OPTION) ?? (host.proc === '/proc' ? RUN_DIR : undefined);
    const run = await coldplug({
      host,
      jobs: jobsOf(parsed),
      timeoutMs: 1000 * (timeout === undefined ? 120 : wholeNumber(TIMEOUT, timeout, 1, 86_400)),
      dryRun,
      observer: view?.observer,
      explain: async (sources, records) =>
        (await import('../../explain/failure.ts')).explainFailures(host, sources, records),
      serve:
        dryRun || parsed.has(LEAVE) || runDir === undefined
          ? undefined
          : async (loader) =>
              (await import('../../daemon/control/boot-requests.ts')).serveBootRequests(host, loader, resolve(runDir)),
    });
    view?.close();
    if (!dryRun && runDir !== undefined) leaveLedger(resolve(runDir), earlyEntries(run));
    await writeFiles(parsed, run);
    if (parsed.has(OPTION.json)) printJson(run, 1);
    else if (!parsed.has(OPTION.quiet)) {
      const out = terminalAt(1);
      if (run.dryRun) print(planText(run, out));
      print(summarize(run, out));
    }
    const status = run.unsettled !== undefined || hasFailures(run.modules) ? EXIT.negative : EXIT.done;
    // Everything is written, and the boot waits. V8 writes its counts (test/coverage.ts) only at an ordinary exit.
    if (process.env['NODE_V8_COVERAGE'] === undefined) addonIfBuilt()?.exitNow(status);
    return status;
  },
};

/** What it inserted, for the agent that begins later. */
function earlyEntries({ modules }: ColdplugRun): readonly LedgerEntry[] {
  const began = Date.now() - sinceStart();
  return modules
    .filter(({ result }) => result === 'inserted' || result === 'command')
    .map((record) => ({
      ...ledgerEntry(record, new Date(began + (record.endedMs ?? 0)).toISOString()),
      early: 'coldplug',
    }));
}

/** On a terminal, a progress line below the lines of `-v`; elsewhere those lines only. */
function liveView(
  terminal: OutputTerminal,
  verbose: boolean,
): { observer: LoaderObserver; close: () => void } | undefined {
  if (!verbose && !terminal.isTTY) return undefined;
  let last = 0;
  let shown = false;
  // A reader that does not read, or a terminal that is stopped, stops no loading.
  const queue: LineQueue = new LineQueue({
    write: writeNowTo(2),
    dropped: (count) => queue.write(`(${count} lines are missing here: nobody read them)\n`),
  });
  const clear = () => {
    if (shown) queue.write(LINE.clear);
    shown = false;
  };
  const close = () => {
    clear();
    // Now that all is loaded, it waits for its reader as any command does.
    while (!queue.flush()) block(TRY_MS);
  };
  const line = (text: string) => {
    clear();
    queue.write(`${printable(text)}\n`);
  };
  const absent = new Set<string>();
  const observer: LoaderObserver = {
    ended: (record) => {
      const isAbsent = isWithoutDevice(record, absent);
      if (isAbsent) absent.add(record.module);
      if (verbose) line(endLine(record, terminal, isAbsent));
    },
    blocked: (record, nowMs) => {
      if (verbose) line(blockedLine(record, nowMs, terminal));
    },
    changed: (loader) => {
      const now = process.uptime() * 1000;
      if (!terminal.isTTY || now - last < PROGRESS_MS) return;
      last = now;
      queue.write(LINE.rewrite(progressLine(loader.progress(), terminal)));
      shown = true;
    },
  };
  return { observer, close };
}

/** Writes the files of --chart and --trace. Errors: `system`. */
async function writeFiles(parsed: Arguments, run: ColdplugRun): Promise<void> {
  const [svg, json] = [parsed.value(CHART), parsed.value(TRACE)];
  if (svg !== undefined) writeWhole(CHART, svg, (await import('../../report/timeline/chart.ts')).chart(run));
  if (json !== undefined)
    writeWhole(TRACE, json, jsonText((await import('../../report/timeline/trace.ts')).trace(run)));
}
