/** What each command on the control socket does. */
import { PlugdError } from '../base/error.ts';
import type { ModuleName } from '../base/names.ts';
import { metricsText } from '../report/metrics.ts';
import type { Requester } from '../report/coldplug-run.ts';
import type { LedgerEntry } from '../report/ledger.ts';
import type { Agent } from './agent.ts';
import type { ControlExchange, ControlHandler } from './control-server.ts';
import type { ControlCommand, Parameters } from './control-protocol.ts';
import { statusOf } from './status.ts';

type Handlers = {
  readonly [Command in ControlCommand]: (
    agent: Agent,
    parameters: Parameters<Command>,
    exchange: ControlExchange,
  ) => void | Promise<void>;
};

/** Between two items of a status that is watched. */
const WATCH_MS = 250;
/** The helper gives up after 35 s of silence. */
const WORKING_MS = 10_000;
/**
 * So long is an insertion waited for that was under way before the kernel asked: it may be the very init that asked, which
 * then waits for itself. The kernel itself gives up on a symbol of such a module after this time.
 */
const JOIN_MS = 30_000;
/** A module that failed is tried again when the kernel asks after this time. */
const RETRY_NS = 1_000_000_000n;

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
      const requester: Requester = { devpath: '' as Requester['devpath'], subsystem: '', name, by: 'person' };
      modules.push({ name, ...(await ask(agent, requester, exchange)) });
    }
    exchange.answer({ modules });
  },
  request: async (agent, { arguments: words = [] }, exchange) => {
    const name = words[2];
    if (words.length !== 3 || words[0] !== '-q' || words[1] !== '--' || name === undefined) {
      throw new PlugdError('usage', "request: expected the arguments '-q', '--', NAME");
    }
    exchange.working();
    agent.requests.received++;
    const { found, failed } = await ask(
      agent,
      { devpath: '' as Requester['devpath'], subsystem: '', name, by: 'kernel' },
      exchange,
    );
    agent.requests[found ? (failed.length > 0 ? 'failed' : 'found') : 'notFound']++;
    // As modprobe: what is loaded, built in or blacklisted is no failure.
    exchange.answer({ exit: found && failed.length === 0 ? 0 : 1 });
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

/** What came of a request for a name. */
interface Asked {
  readonly found: boolean;
  readonly modules: readonly ModuleName[];
  /** Those of `modules` that are not loaded now, and why. */
  readonly failed: readonly string[];
}

/** Asks for a name, as urgent, and waits for what it names. */
async function ask(agent: Agent, requester: Requester, exchange: ControlExchange): Promise<Asked> {
  const { loader } = agent;
  const before = process.hrtime.bigint();
  let answer = loader.request(requester.name, requester, true);
  if (answer.verdict === 'no-match' || answer.verdict === 'malformed') return { found: false, modules: [], failed: [] };
  if (failures(agent, answer.modules).length > 0) {
    // What failed a while ago may have got what it needs; what failed just now, for a thousand others who ask, has not.
    loader.forgetFailures(answer.modules, before - RETRY_NS);
    answer = loader.request(requester.name, requester, true);
  }
  const { modules } = answer;
  const joined = modules.some((module) => (loader.scheduler.record(module)?.startedNs ?? before) < before);
  const working = setInterval(() => exchange.working(), WORKING_MS);
  exchange.onEnd(() => clearInterval(working));
  const { settled, waiting } = await agent.settling.whenDone(modules, joined ? JOIN_MS : undefined);
  clearInterval(working);
  return { found: true, modules, failed: settled ? failures(agent, modules) : waiting };
}

/** Those that are not loaded, with the reason; what a blacklist keeps out is no failure. */
function failures(agent: Agent, modules: readonly ModuleName[]): readonly string[] {
  return modules.flatMap((module) => agent.settling.failure(module) ?? []);
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
