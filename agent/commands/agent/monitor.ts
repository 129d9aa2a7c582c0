/**
 * `plugd monitor`: prints what the agent receives and decides; where no agent runs, what the kernel announces and what plugd would do.
 * Changes nothing.
 */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import type { ForeseenLoading } from '../../explain/foreseen-loading.ts';
import type { Parameters } from '../../daemon/control/control-protocol.ts';
import { monitorLine } from '../../report/monitor-text.ts';
import type { Decision, MonitorItem } from '../../records/monitor-item.ts';
import { EXIT, hostOf, noArguments, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
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
  options: [
    KERNEL,
    DECISIONS,
    SUBSYSTEM,
    PROPERTY,
    OPTION.json,
    RUN_DIR_OPTION,
    OPTION.root,
    OPTION.sysfs,
    OPTION.proc,
  ],
  notes: `
Where no agent runs, or this user may not talk to it, it shows the kernel's
uevents and what plugd would do about them (would-insert, would-fail, blocked).
Nothing is loaded. --root, --sysfs and --proc count only then.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const host = hostOf(parsed);
    const terminal = terminalAt(1);
    const parameters = {
      kernel: parsed.has(KERNEL),
      decisions: parsed.has(DECISIONS),
      subsystems: parsed.values(SUBSYSTEM),
      properties: parsed.values(PROPERTY),
    };
    const show = (item: MonitorItem) => {
      if (parsed.has(OPTION.json)) printJson(item);
      else
        print(`${monitorLine(item, terminal)}
`);
    };
    const agent = await agentOrReason(parsed);
    if (agent instanceof PlugdError) {
      say(`plugd: ${agent.message}: showing what the kernel announces and what plugd would do; nothing is loaded\n`);
      begin();
      await monitorAlone(host, parameters, show);
    } else {
      begin();
      await agent.ask('monitor', parameters, (item) => show(item as MonitorItem));
    }
    return EXIT.done;
  },
};

function begin(): void {
  if (terminalAt(2).isTTY) say('monitoring; Ctrl-C ends it\n');
}

async function agentOrReason(parsed: Arguments): Promise<Awaited<ReturnType<typeof openAgent>> | PlugdError> {
  try {
    return await openAgent(parsed);
  } catch (error) {
    if (error instanceof PlugdError && ['unsupported', 'no-permission'].includes(error.code)) return error;
    throw error;
  }
}

/** Without an agent: its own ears, until interrupted. Errors: `unsupported`, `usage`; `no-modules-directory` when only decisions are wanted. */
async function monitorAlone(
  host: Host,
  wanted: Parameters<'monitor'>,
  show: (item: MonitorItem) => void,
): Promise<never> {
  const { Monitors } = await import('../../daemon/monitors.ts');
  // netlink loads its addon when it is imported.
  const { openUeventSocket } = await import('../../facts/uevents/uevent-socket.ts');
  const chronicle = { listeners: new Set<(decision: Decision) => void>() };
  const monitors = new Monitors();
  monitors.add({ item: (item) => show(item as MonitorItem), onEnd: () => {} }, wanted, chronicle);
  const foreseen = chronicle.listeners.size === 0 ? undefined : await foreseenLoading(host, wanted.decisions === true);
  openUeventSocket({
    uevent: (uevent) => {
      monitors.uevent(uevent);
      const decisions = foreseen?.of(uevent) ?? [];
      for (const decision of decisions) for (const listener of chronicle.listeners) listener(decision);
    },
    // Mostly uevents of other network namespaces.
    gap: () => {},
  });
  // The socket keeps the process alive until a signal ends it.
  return new Promise(() => {});
}

/** Undefined where there is no module tree, unless `needed`. Errors: `no-modules-directory`. */
async function foreseenLoading(host: Host, needed: boolean): Promise<ForeseenLoading | undefined> {
  const foreseen = await import('../../explain/foreseen-loading.ts');
  try {
    return new foreseen.ForeseenLoading(host);
  } catch (error) {
    if (needed || !(error instanceof PlugdError) || error.code !== 'no-modules-directory') throw error;
    say(`plugd: ${error.message}: only uevents are shown\n`);
    return undefined;
  }
}
