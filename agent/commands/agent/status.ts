import { PlugdError } from '../../base/error.ts';
import { statusText } from '../../report/agent-status-text.ts';
import type { AgentStatus } from '../../records/agent-status.ts';
import { terminalOf } from '../../report/terminal.ts';
import { EXIT, OPTION, parse, type Command, type Option } from '../command.ts';
import { print } from '../output.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

const WATCH: Option = { long: 'watch', short: 'w', help: 'show it again whenever it changes, until interrupted' };
const METRICS: Option = { long: 'metrics', help: "the figures in Prometheus' text format" };

/** Erase the screen and go to its first cell (ECMA-48). */
const CLEAR = '\u001B[H\u001B[2J';

/** `plugd status`. */
export const command: Command = {
  name: 'status',
  summary: 'Shows what the agent is doing: queue, what is in flight and for how long, counts, last failures',
  usage: '[OPTION…]',
  options: [OPTION.json, WATCH, METRICS, RUN_DIR_OPTION],
  async run(args) {
    const parsed = parse(command, args);
    if (parsed.words.length > 0) throw new PlugdError('usage', `status takes no words: ${parsed.words.join(' ')}`);
    const agent = await openAgent(parsed);
    if (parsed.has(METRICS)) {
      print(((await agent.ask('metrics', {})) as { text: string }).text);
      agent.close();
      return EXIT.done;
    }
    const watch = parsed.has(WATCH);
    const terminal = terminalOf(process.stdout, process.env);
    const show = (status: AgentStatus) => {
      if (parsed.has(OPTION.json)) print(`${JSON.stringify(status, undefined, watch ? undefined : 1)}\n`);
      else print((watch && process.stdout.isTTY ? CLEAR : '') + statusText(status, terminal));
    };
    const answer = await agent.ask('status', { watch }, (item) => show(item as AgentStatus));
    if (!watch) show(answer as AgentStatus);
    agent.close();
    return EXIT.done;
  },
};
