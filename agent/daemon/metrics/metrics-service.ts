/** Serving figures for as long as the agent lives, from the moment that its address can be had. */
import { CLOCK, type Clock } from '../../base/clock.ts';
import { reason } from '../../base/error.ts';
import type { Log } from '../../report/logging/log.ts';
import { DeviceFigures } from './device-figures.ts';
import { addressText, type ListenAddress } from './listen-address.ts';
import type { MetricsServer } from './metrics-server.ts';

/** What to serve, and where. */
export interface MetricsServiceOptions {
  readonly address: ListenAddress;
  /** Finds the figures about devices; see DeviceFigures. */
  readonly readDevices: () => Promise<string>;
  /** The agent's own figures. */
  readonly agentText: () => string;
  readonly log: Pick<Log, 'line'>;
  readonly clock?: Clock;
}

/** Early in a boot not even 127.0.0.1 is there: the agent begins before the network. */
const AGAIN_MS = 5000;

/** Figures over HTTP. Drivers matter more: an address that cannot be had is logged and tried again, and the agent goes on. */
export class MetricsService {
  readonly #options: MetricsServiceOptions;
  readonly #clock: Clock;
  readonly #devices: DeviceFigures;
  #server: MetricsServer | undefined;
  #forget: (() => void) | undefined;
  #why: string | undefined;
  #closed = false;

  constructor(options: MetricsServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
    this.#devices = new DeviceFigures({
      read: options.readDevices,
      failed: (why) => options.log.line('warn', `no figures about devices: ${why}`, { event: 'metrics' }),
    });
  }

  /** The port that it listens on; undefined while it does not. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Tries to listen, and again later until it can. */
  async begin(): Promise<void> {
    const { address, agentText, log } = this.#options;
    // An agent that serves none is spared Node's HTTP.
    const { serveMetrics } = await import('./metrics-server.ts');
    try {
      const text = async (): Promise<string> => {
        const verdicts = await this.#devices.text();
        return agentText() + verdicts;
      };
      const server = await serveMetrics({ address, text });
      if (this.#closed) await server.close();
      else this.#server = server;
      log.line('info', `figures are served on ${addressText(address)}`, { event: 'metrics' });
    } catch (error) {
      const why = reason(error);
      if (why !== this.#why) log.line('warn', `${why}; it is tried again`, { event: 'metrics' });
      this.#why = why;
      if (!this.#closed) this.#forget = this.#clock.after(AGAIN_MS, () => void this.begin());
    }
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#forget?.();
    await this.#server?.close();
  }
}
