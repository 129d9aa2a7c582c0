/** What each command on the control socket does. */
import { PlugdError } from '../../base/error.ts';
import type { ModuleName } from '../../base/names.ts';
import type { LedgerEntry } from '../../records/ledger.ts';
import { metricsText } from '../../report/metrics.ts';
import type { Chronicle } from '../chronicle.ts';
import type { Monitors } from '../monitors.ts';
import type { RenewalResult } from '../renewal.ts';
import type { Settling } from '../settling.ts';
import { statusOf, type StatusSource } from '../status.ts';
import type { ControlCommand, Parameters } from './control-protocol.ts';
import type { ControlExchange, ControlHandler } from './exchange.ts';
import type { NameRequests } from './name-requests.ts';

/** What the commands work with; each takes the parts that it uses. */
export interface ControlParts {
  readonly status: StatusSource;
  readonly chronicle: Chronicle;
  readonly monitors: Pick<Monitors, 'add'>;
  readonly settling: Pick<Settling, 'settle'>;
  readonly requests: Pick<NameRequests, 'ask' | 'fromKernel'>;
  /** Modules that were loaded before the agent began. */
  readonly before: readonly ModuleName[];
  /** Each is called when anything changes in what is queued, in flight or done. */
  readonly changes: Set<() => void>;
  /** Whether the agent is ending. */
  readonly stopping: () => boolean;
  /** Looks for new files, and uses them. */
  readonly reload: () => Promise<RenewalResult>;
}

type Handlers = {
  readonly [Command in ControlCommand]: (
    parts: ControlParts,
    parameters: Parameters<Command>,
    exchange: ControlExchange,
  ) => void | Promise<void>;
};

/** Between two items of a status that is watched. */
const WATCH_MS = 250;

const HANDLERS: Handlers = {
  ping: (_, __, exchange) => exchange.answer({ pid: process.pid }),
  status: ({ status, changes }, { watch }, exchange) => {
    if (watch === true) watchStatus(status, changes, exchange);
    else exchange.answer(statusOf(status));
  },
  metrics: ({ status, chronicle }, _, exchange) => {
    exchange.answer({ text: metricsText(statusOf(status), chronicle.times) });
  },
  settle: async ({ settling, stopping }, { module, device, modalias, timeoutMs }, exchange) => {
    let gone = false;
    exchange.onEnd(() => (gone = true));
    const end = await settling.settle(
      { module, device, modalias },
      timeoutMs,
      (waiting) => exchange.item({ waiting }),
      () => gone || stopping(),
    );
    exchange.answer(end);
  },
  reload: async ({ reload }, _, exchange) => exchange.answer(await reload()),
  monitor: ({ monitors, chronicle }, parameters, exchange) => monitors.add(exchange, parameters, chronicle),
  log: async ({ chronicle, before }, { module, follow }, exchange) => {
    const wanted = (entry: LedgerEntry) => module === undefined || entry.module === module.replaceAll('-', '_');
    const entries = chronicle.ledger.filter(wanted);
    const later: LedgerEntry[] = [];
    let pass = (entry: LedgerEntry): void => void later.push(entry);
    if (follow === true) {
      const reader = (entry: LedgerEntry) => {
        if (wanted(entry)) pass(entry);
      };
      chronicle.readers.add(reader);
      exchange.onEnd(() => chronicle.readers.delete(reader));
    }
    // The whole of it, however slowly it is read.
    for (const entry of entries) {
      exchange.item(entry);
      await exchange.room();
    }
    if (follow !== true) {
      exchange.answer({ entries: entries.length, before });
      return;
    }
    for (const entry of later) exchange.item(entry);
    pass = (entry) => exchange.item(entry);
  },
  load: async ({ requests }, { names = [] }, exchange) => {
    if (names.length === 0) throw new PlugdError('usage', 'load: name at least one module');
    const modules = [];
    for (const name of names) {
      modules.push({ name, ...(await requests.ask(name, 'person', exchange)) });
    }
    exchange.answer({ modules });
  },
  request: async ({ requests }, { arguments: words = [] }, exchange) => requests.fromKernel(words, exchange),
  yield: () => {
    throw new PlugdError('busy', `this is an agent (pid ${process.pid}); only a coldplug makes room for one`);
  },
};

/** Serves an agent. */
export function controlHandler(parts: ControlParts): ControlHandler {
  return (exchange) => {
    const { command, parameters } = exchange.request;
    return HANDLERS[command](parts, parameters, exchange);
  };
}

/** Items at changes, not more often than WATCH_MS; once a second while something is in flight. */
function watchStatus(source: StatusSource, changes: Set<() => void>, exchange: ControlExchange): void {
  let timer: NodeJS.Timeout | undefined;
  let dirty = true;
  const send = () => {
    timer = undefined;
    if (!dirty) return;
    dirty = false;
    const status = statusOf(source);
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
  changes.add(changed);
  exchange.onEnd(() => {
    clearTimeout(timer);
    changes.delete(changed);
  });
  send();
}
