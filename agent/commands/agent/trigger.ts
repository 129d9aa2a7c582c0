/** `plugd trigger`: asks the kernel to announce devices again (insert/trigger.ts does the writing). */
import { PlugdError } from '../../base/error.ts';
import type { SettleEnd } from '../../daemon/settling.ts';
import { trigger } from '../../insert/trigger.ts';
import { readable } from '../../report/terminal.ts';
import { waitingTexts } from '../../report/loading-text.ts';
import { EXIT, hostOf, noArguments, OPTION, parse, wholeNumber, type Command, type Option } from '../command.ts';
import { print, say } from '../output.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

const ACTIONS = ['add', 'change', 'remove', 'move', 'online', 'offline', 'bind', 'unbind'];

const many = (long: string, short: string | undefined, value: string, text: string): Option => ({
  long,
  ...(short === undefined ? {} : { short }),
  value,
  multiple: true,
  help: text,
});
const ACTION: Option = { long: 'action', short: 'c', value: 'ACTION', help: 'what to announce (default change)' };
const SUBSYSTEM = many('subsystem-match', 's', 'GLOB', 'devices of this subsystem');
const NOT_SUBSYSTEM = many('subsystem-nomatch', 'S', 'GLOB', 'devices of other subsystems');
const ATTRIBUTE = many('attr-match', 'a', 'ATTR[=GLOB]', 'devices with this attribute');
const NOT_ATTRIBUTE = many('attr-nomatch', 'A', 'ATTR[=GLOB]', 'devices without it');
const PROPERTY = many('property-match', 'p', 'KEY=GLOB', 'devices with this property of their uevent');
const SYSNAME = many('sysname-match', 'y', 'GLOB', 'devices of this name: 0000:00:02.0');
const PARENT = many('parent-match', 'b', 'PATH', 'this device and all below it');
const SETTLE: Option = { long: 'settle', short: 'w', help: 'then wait until the agent has settled' };
const TIMEOUT: Option = { long: 'timeout', short: 't', value: 'SECONDS', help: 'with --settle (default 120)' };

/** `plugd trigger`. */
export const command: Command = {
  name: 'trigger',
  usage: '[OPTION…]',
  options: [
    ACTION,
    SUBSYSTEM,
    NOT_SUBSYSTEM,
    ATTRIBUTE,
    NOT_ATTRIBUTE,
    PROPERTY,
    SYSNAME,
    PARENT,
    OPTION.dryRun,
    SETTLE,
    TIMEOUT,
    OPTION.verbose,
    OPTION.quiet,
    RUN_DIR_OPTION,
    OPTION.sysfs,
  ],
  notes: `
Selectors are those of udevadm trigger and may be repeated: one of each kind
must match. Only add makes plugd load anything. -v and -n name the devices.
Exit status: 0 done; 1 a device could not be triggered, or it did not settle.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const action = parsed.value(ACTION) ?? 'change';
    if (!ACTIONS.includes(action)) {
      throw new PlugdError('usage', `--action ${action}: not one of ${ACTIONS.join(', ')}`);
    }
    for (const property of parsed.values(PROPERTY)) {
      if (!property.includes('=')) throw new PlugdError('usage', `--property-match ${property}: not KEY=GLOB`);
    }
    const host = hostOf(parsed);
    const dryRun = parsed.has(OPTION.dryRun);
    const agent = parsed.has(SETTLE) && !dryRun ? await openAgent(parsed) : undefined;
    const selection = {
      subsystems: parsed.values(SUBSYSTEM),
      notSubsystems: parsed.values(NOT_SUBSYSTEM),
      attributes: parsed.values(ATTRIBUTE),
      notAttributes: parsed.values(NOT_ATTRIBUTE),
      properties: parsed.values(PROPERTY),
      sysnames: parsed.values(SYSNAME),
      parents: parsed.values(PARENT),
    };
    let count = 0;
    let failures = 0;
    for (const { devpath, failed } of trigger(host, selection, action, dryRun)) {
      count++;
      if (failed !== undefined && failures++ === 0 && !parsed.has(OPTION.quiet)) {
        say(`plugd: ${readable(devpath)}: ${failed}\n`);
      }
      if (dryRun || parsed.has(OPTION.verbose)) print(`${host.sysfs}${readable(devpath)}\n`);
    }
    if (failures > 1) say(`plugd: ${failures} of ${count} devices could not be triggered\n`);
    if (agent === undefined) return failures === 0 ? EXIT.done : EXIT.negative;
    const seconds = wholeNumber(TIMEOUT, parsed.value(TIMEOUT) ?? '120', 0, 1_000_000);
    const end = (await agent.ask('settle', { timeoutMs: seconds * 1000 })) as SettleEnd;
    agent.close();
    if (!end.settled)
      say(`plugd: not settled after ${seconds} s; still waiting for ${readable(waitingTexts(end.waiting))}\n`);
    return end.settled && failures === 0 ? EXIT.done : EXIT.negative;
  },
};
