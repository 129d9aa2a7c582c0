/** What each command on the control socket does. */
import { PlugdError } from '../../base/error.ts';
import { metricsText } from '../../report/metrics.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import type { Agent } from '../agent.ts';
import type { ControlExchange, ControlHandler } from './control-server.ts';
import type { ControlCommand, Parameters } from './control-protocol.ts';
import { statusOf } from '../status.ts';

type Handlers = {
  readonly [Command in ControlCommand]: (
    agent: Agent,
    parameters: Parameters<Command>,
    exchange: ControlExchange,
  ) => void | Promise<void>;
};

/** Between two items of a status that is watched. */
const WATCH_MS = 250;

const HANDLERS: Handlers = {
  ping: (_, __, exchange) => exchange.answer({ pid: process.pid }),
  status: (agent, { watch }, exchange) => {
    if (watch === true) watchStatus(agent, exchange);
    else exchange.answer(statusOf(agent));
  },
  metrics: (agent, _, exchange) => {
    exchange.answer({ text: metricsText(statusOf(agent), agent.chronicle.times) });
  },
  settle: async (agent, { module, device, modalias, timeoutMs }, exchange) => {
    let gone = false;
    exchange.onEnd(() => (gone = true));
    const end = await agent.settling.settle(
      { module, device, modalias },
      timeoutMs,
      (waiting) => exchange.item({ waiting }),
      () => gone || agent.state === 'stopping',
    );
    exchange.answer(end);
  },
  reload: async (agent, _, exchange) => exchange.answer(await agent.reload(true)),
  monitor: (agent, parameters, exchange) => agent.monitors.add(exchange, parameters, agent.chronicle),
  log: (agent, { module, follow }, exchange) => {
    const wanted = (entry: LedgerEntry) => module === undefined || entry.module === module.replaceAll('-', '_');
    const entries = agent.chronicle.ledger.filter(wanted);
    for (const entry of entries) exchange.item(entry);
    if (follow !== true) {
      exchange.answer({ entries: entries.length, before: agent.before });
      return;
    }
    const reader = (entry: LedgerEntry) => {
      if (wanted(entry)) exchange.item(entry);
    };
    agent.chronicle.readers.add(reader);
    exchange.onEnd(() => agent.chronicle.readers.delete(reader));
  },
  load: async (agent, { names = [] }, exchange) => {
    if (names.length === 0) throw new PlugdError('usage', 'load: name at least one module');
    const modules = [];
    for (const name of names) {
      modules.push({ name, ...(await agent.requests.ask(name, 'person', exchange)) });
    }
    exchange.answer({ modules });
  },
  request: async (agent, { arguments: words = [] }, exchange) => agent.requests.fromKernel(words, exchange),
  yield: () => {
    throw new PlugdError('busy', `this is an agent (pid ${process.pid}); only a coldplug makes room for one`);
  },
};

/** Serves an agent. */
export function controlHandler(agent: Agent): ControlHandler {
  return (exchange) => {
    const { command, parameters } = exchange.request;
    const done = HANDLERS[command](agent, parameters, exchange);
    done?.catch((error: unknown) => exchange.fail(error));
  };
}

/** Items at changes, not more often than WATCH_MS; once a second while something is in flight. */
function watchStatus(agent: Agent, exchange: ControlExchange): void {
  let timer: NodeJS.Timeout | undefined;
  let dirty = true;
  const send = () => {
    timer = undefined;
    if (!dirty) return;
    dirty = false;
    const status = statusOf(agent);
    exchange.item(status);
    const again = status.state === 'settled' ? undefined : 1000;
    timer = setTimeout(() => {
      dirty ||= again !== undefined;
      send();
    }, again ?? WATCH_MS);
  };
  const changed = () => {
    dirty = true;
    timer ??= setTimeout(send, WATCH_MS);
  };
  agent.changes.add(changed);
  exchange.onEnd(() => {
    clearTimeout(timer);
    agent.changes.delete(changed);
  });
  send();
}
