/** `plugd settle`: waits for the agent. Changes nothing. */
import { CLOCK } from '../../base/clock.ts';
import type { SettleEnd } from '../../daemon/settling.ts';
import type { Waiting } from '../../records/waiting.ts';
import { readable } from '../../report/terminal.ts';
import { waitingTexts } from '../../report/loading-text.ts';
import { EXIT, noArguments, OPTION, parse, wholeNumber, type Command, type Option } from '../command.ts';
import { printJson, say } from '../output.ts';
import { RUN_DIR_OPTION, withAgent } from './run-dir.ts';

const TIMEOUT: Option = { long: 'timeout', short: 't', value: 'SECONDS', help: 'give up after SECONDS (default 120)' };
const MODULE: Option = { long: 'module', value: 'NAME', help: 'only until this module is loaded' };
const DEVICE: Option = {
  long: 'device',
  value: 'DEVICE',
  help: 'only until this device is there and its modules are done; a path in /sys or /dev, a bus address, an interface',
};
const MODALIAS: Option = {
  long: 'modalias',
  value: 'GLOB',
  help: 'only until a device with such a modalias is there and its modules are done',
};
/** How long to wait for an agent to appear: it may be starting, or nobody started one. */
const START_MS = 5000;

/** `plugd settle`. */
export const command: Command = {
  name: 'settle',
  usage: '[OPTION…]',
  options: [TIMEOUT, MODULE, DEVICE, MODALIAS, OPTION.json, OPTION.quiet, RUN_DIR_OPTION],
  notes: `
It waits up to 5 seconds, and no longer than --timeout, for an agent that is
just starting.
Exit status: 0 settled; 1 not in time, naming what is missing.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const seconds = wholeNumber(TIMEOUT, parsed.value(TIMEOUT) ?? '120', 0, 1_000_000);
    const quiet = parsed.has(OPTION.quiet) || parsed.has(OPTION.json);
    const parameters = { module: parsed.value(MODULE), device: parsed.value(DEVICE), modalias: parsed.value(MODALIAS) };
    const named = Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));
    const told = (item: unknown) => {
      const { waiting } = item as { readonly waiting?: readonly Waiting[] };
      if (!quiet && waiting !== undefined) say(`plugd: waiting for ${readable(waitingTexts(waiting))}\n`);
    };
    const timeoutMs = seconds * 1000;
    const begun = CLOCK.now();
    const left = () => Math.max(0, Math.round(timeoutMs - (CLOCK.now() - begun)));
    const end = (await withAgent(parsed, Math.min(START_MS, timeoutMs), async (agent) =>
      agent.ask('settle', { ...named, timeoutMs: left() }, told),
    )) as SettleEnd;
    if (parsed.has(OPTION.json)) printJson(end);
    else if (!end.settled) {
      say(`plugd: not settled after ${seconds} s; still waiting for ${readable(waitingTexts(end.waiting))}\n`);
    }
    return end.settled ? EXIT.done : EXIT.negative;
  },
};
