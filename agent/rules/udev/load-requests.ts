/**
 * What the load rules ask for one device. Thousands of devices come, and a file may have thousands of lines: each line is looked at
 * once for each kind of device, and each attribute is read once for each device.
 */
import type { Place } from '../../base/names.ts';
import type { DeviceView } from './device-view.ts';
import { countsBefore, type Load, type LoadLine, type LoadRules } from './load-rules.ts';

/** What a device's rules ask for. */
export interface LoadRequest {
  /** Modules or aliases by name; empty when `modalias`. */
  readonly names: readonly string[];
  /** The device's own MODALIASes are to be loaded. */
  readonly modalias: boolean;
  readonly place: Place;
}

/** What `device` asks for, in order; empty when nothing. */
export function evaluate(rules: LoadRules, view: DeviceView): LoadRequest[] {
  const device = readOnce(view);
  const lines = narrow(rules, device);
  /** In their order, each under what it asks for. */
  const requests = new Map<string, LoadRequest>();
  let final = false;
  let next = 0;
  for (;;) {
    const line = lines[next];
    if (line === undefined) return [...requests.values()];
    next++;
    if (!line.conditions.every((condition) => condition.holds(device))) continue;
    for (const load of line.loads) {
      if (final) break;
      if (load.operator !== '+=') requests.clear();
      if (load.operator === ':=') final = true;
      const request = requestOf(load, line.place, device);
      if (request === undefined) continue;
      const key = request.names.join('\0');
      if (!requests.has(key)) requests.set(key, request);
    }
    if (line.jump !== undefined) next = line.jump;
  }
}

/** Kinds of devices that are remembered: a machine has some hundred, a stranger's uevents may name any number. */
const MOST_KINDS = 512;

/** Most lines are about one subsystem, and thousands of devices come: what does not concern a kind of device is left out once. */
function narrow({ lines, narrowed }: LoadRules, device: DeviceView): readonly LoadLine[] {
  const kind = `${device.action} ${device.subsystem}`;
  const known = narrowed.get(kind);
  if (known !== undefined) return known;
  const holds = lines.map(({ conditions }) =>
    conditions.every((condition) => condition.cost > 0 || condition.holds(device)),
  );
  // Where the line with an index is found, or the next one that is left.
  const places = countsBefore(holds);
  const left = lines
    .filter((_, index) => holds[index])
    .map((line) => ({
      ...line,
      conditions: line.conditions.filter(({ cost }) => cost > 0),
      jump: line.jump === undefined ? undefined : (places[line.jump] ?? lines.length),
    }));
  if (narrowed.size < MOST_KINDS) narrowed.set(kind, left);
  return left;
}

/** The same device; each attribute is read once, however many lines compare it. */
function readOnce(device: DeviceView): DeviceView {
  const attributes = new Map<string, string | undefined>();
  return {
    action: device.action,
    subsystem: device.subsystem,
    kernelName: device.kernelName,
    properties: device.properties,
    attribute: (name) => {
      if (!attributes.has(name)) attributes.set(name, device.attribute(name));
      return attributes.get(name);
    },
    exists: (path) => device.exists(path),
    ...(device.mode === undefined ? {} : { mode: (path: string) => device.mode?.(path) }),
  };
}

function requestOf({ words }: Load, place: Place, device: DeviceView): LoadRequest | undefined {
  if (words === undefined) return { names: [], modalias: true, place };
  const names = words.map((word) => word(device)).filter((name) => name !== '');
  return names.length === 0 ? undefined : { names, modalias: false, place };
}
