import { PlugdError } from '../../base/error.ts';
import { monitorLine } from '../../report/monitor-text.ts';
import type { MonitorItem } from '../../records/monitor-item.ts';
import { terminalOf } from '../../report/terminal.ts';
import { EXIT, OPTION, parse, type Command, type Option } from '../command.ts';
import { print, say } from '../output.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

const KERNEL: Option = { long: 'kernel', short: 'k', help: 'only the uevents of the kernel' };
const DECISIONS: Option = { long: 'decisions', short: 'd', help: 'only what plugd does about them' };
const SUBSYSTEM: Option = {
  long: 'subsystem-match',
  short: 's',
  value: 'GLOB',
  multiple: true,
  help: 'only of this subsystem; may be repeated',
};
const PROPERTY: Option = {
  long: 'property-match',
  short: 'p',
  value: 'KEY=GLOB',
  multiple: true,
  help: 'only uevents with this property; may be repeated',
};

/** `plugd monitor`. */
export const command: Command = {
  name: 'monitor',
  summary: "Shows the kernel's uevents and plugd's decisions as they come, until interrupted",
  usage: '[OPTION…]',
  options: [KERNEL, DECISIONS, SUBSYSTEM, PROPERTY, OPTION.json, RUN_DIR_OPTION],
  async run(args) {
    const parsed = parse(command, args);
    if (parsed.words.length > 0) throw new PlugdError('usage', `monitor takes no words: ${parsed.words.join(' ')}`);
    const terminal = terminalOf(process.stdout, process.env);
    const agent = await openAgent(parsed);
    if (process.stderr.isTTY) say('monitoring; Ctrl-C ends it\n');
    const parameters = {
      kernel: parsed.has(KERNEL),
      decisions: parsed.has(DECISIONS),
      subsystems: parsed.values(SUBSYSTEM),
      properties: parsed.values(PROPERTY),
    };
    await agent.ask('monitor', parameters, (item) => {
      const line = parsed.has(OPTION.json)
        ? JSON.stringify(item)
        : monitorLine(item as MonitorItem, terminal, process.stdout.isTTY);
      print(`${line}\n`);
    });
    return EXIT.done;
  },
};
