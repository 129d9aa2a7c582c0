/** Who listens to kernel uevents and plugd's decisions (`plugd monitor`), and what each of them wants to hear. */
import { PlugdError } from '../base/error.ts';
import type { Decision, MonitorItem } from '../records/monitor-item.ts';
import { compileGlob } from '../rules/glob.ts';
import type { Properties } from '../facts/uevents/key-values.ts';
import type { Uevent } from '../facts/uevents/uevent.ts';
import type { Chronicle } from './chronicle.ts';
import type { ControlExchange } from './control/exchange.ts';
import type { Parameters } from './control/control-protocol.ts';

/** Where the items of a monitor go. */
type Listening = Pick<ControlExchange, 'item' | 'onEnd'>;

interface Monitor {
  readonly exchange: Listening;
  readonly kernel: boolean;
  accepts(subsystem: string, properties: Properties): boolean;
}

/** All monitors of an agent. */
export class Monitors {
  readonly #monitors = new Set<Monitor>();

  /**
   * Begins to send to an exchange, until it ends. Without `kernel` and `decisions` both are sent. Subsystems are globs of which
   * one must match, properties `KEY=GLOB` of which each key given must match one. Errors: `usage`.
   */
  add(
    exchange: Listening,
    wanted: Parameters<'monitor'>,
    chronicle: { readonly listeners: Chronicle['listeners'] },
  ): void {
    const both = wanted.kernel !== true && wanted.decisions !== true;
    const monitor: Monitor = {
      exchange,
      kernel: both || wanted.kernel === true,
      accepts: filterOf(wanted.subsystems ?? [], wanted.properties ?? []),
    };
    this.#monitors.add(monitor);
    exchange.onEnd(() => this.#monitors.delete(monitor));
    if (!both && wanted.decisions !== true) return;
    const listener = (decision: Decision) => {
      // Decisions have no properties: a filter on them is about uevents only.
      if (!monitor.accepts(decision.record.requester.subsystem, NONE)) return;
      exchange.item({ decision: { time: new Date().toISOString(), ...decision } } satisfies MonitorItem);
    };
    chronicle.listeners.add(listener);
    exchange.onEnd(() => chronicle.listeners.delete(listener));
  }

  /** Sends a uevent to those who want it; costs nothing when nobody does. */
  uevent(uevent: Uevent): void {
    if (this.#monitors.size === 0) return;
    const { action, devpath, subsystem, seqnum, modaliases, properties } = uevent;
    let item: MonitorItem | undefined;
    for (const monitor of this.#monitors) {
      if (!monitor.kernel || !monitor.accepts(subsystem, properties)) continue;
      item ??= {
        kernel: {
          time: new Date().toISOString(),
          action,
          devpath,
          subsystem,
          seqnum,
          modaliases,
          properties: Object.fromEntries(properties),
        },
      };
      monitor.exchange.item(item);
    }
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

function filterOf(
  subsystems: readonly string[],
  properties: readonly string[],
): (subsystem: string, properties: Properties) => boolean {
  const wanted = subsystems.map(compileGlob);
  const byKey = new Map<string, Array<(text: string) => boolean>>();
  for (const property of properties) {
    const equals = property.indexOf('=');
    if (equals <= 0) throw new PlugdError('usage', `'${property}' is not KEY=GLOB`);
    const key = property.slice(0, equals);
    byKey.set(key, [...(byKey.get(key) ?? []), compileGlob(property.slice(equals + 1))]);
  }
  return (subsystem, has) => {
    if (wanted.length > 0 && !wanted.some((matches) => matches(subsystem))) return false;
    if (has === NONE) return true;
    for (const [key, globs] of byKey) {
      const value = has.get(key);
      if (value === undefined || !globs.some((matches) => matches(value))) return false;
    }
    return true;
  };
}
