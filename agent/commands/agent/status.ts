/** `plugd status`: prints the agent's status or metrics. Changes nothing. */
import { statusText } from '../../report/agent-status-text.ts';
import type { AgentStatus } from '../../records/agent-status.ts';
import type { DroppedItems } from '../../records/monitor-item.ts';
import { EXIT, noArguments, OPTION, parse, type Command, type Option } from '../command.ts';
import { checkMetrics, giveMetrics, METRICS, OUTPUT } from '../metrics-options.ts';
import { drive, print, printJson, terminalAt } from '../output.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

const WATCH: Option = { long: 'watch', short: 'w', help: 'show it again whenever it changes, until interrupted' };

/** Erases the screen and moves to its first cell (ECMA-48). */
const CLEAR = '\u001B[H\u001B[2J';

/** `plugd status`. */
export const command: Command = {
  name: 'status',
  usage: '[OPTION…]',
  options: [OPTION.json, WATCH, METRICS, OUTPUT, RUN_DIR_OPTION],
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    checkMetrics(parsed);
    const agent = await openAgent(parsed);
    if (parsed.has(METRICS)) {
      giveMetrics(parsed, ((await agent.ask('metrics', {})) as { text: string }).text);
      agent.close();
      return EXIT.done;
    }
    const watch = parsed.has(WATCH);
    const terminal = terminalAt(1);
    const show = (status: AgentStatus | DroppedItems) => {
      if (parsed.has(OPTION.json)) printJson(status, watch ? undefined : 1);
      // Older ones than the next.
      else if (!('dropped' in status)) {
        if (watch && terminal.isTTY) drive(1, CLEAR);
        print(statusText(status, terminal));
      }
    };
    const answer = await agent.ask('status', { watch }, (item) => show(item as AgentStatus | DroppedItems));
    if (!watch) show(answer as AgentStatus);
    agent.close();
    return EXIT.done;
  },
};
