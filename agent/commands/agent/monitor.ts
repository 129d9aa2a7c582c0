/** `plugd monitor`: prints what the agent receives and decides. Changes nothing. */
import { monitorLine } from '../../report/monitor-text.ts';
import type { MonitorItem } from '../../records/monitor-item.ts';
import { EXIT, noArguments, OPTION, parse, type Command, type Option } from '../command.ts';
import { print, printJson, say, terminalAt } from '../output.ts';
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
  usage: '[OPTION…]',
  options: [KERNEL, DECISIONS, SUBSYSTEM, PROPERTY, OPTION.json, RUN_DIR_OPTION],
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const terminal = terminalAt(1);
    const agent = await openAgent(parsed);
    if (terminalAt(2).isTTY) say('monitoring; Ctrl-C ends it\n');
    const parameters = {
      kernel: parsed.has(KERNEL),
      decisions: parsed.has(DECISIONS),
      subsystems: parsed.values(SUBSYSTEM),
      properties: parsed.values(PROPERTY),
    };
    await agent.ask('monitor', parameters, (item) => {
      if (parsed.has(OPTION.json)) printJson(item as MonitorItem);
      else
        print(`${monitorLine(item as MonitorItem, terminal)}
`);
    });
    return EXIT.done;
  },
};
