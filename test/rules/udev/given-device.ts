/** A device as a test gives it, and what rules ask for it. */
import type { DeviceView } from '../../../agent/rules/udev/device-view.ts';
import { evaluate } from '../../../agent/rules/udev/load-requests.ts';
import { parseLoadRules } from '../../../agent/rules/udev/load-rules.ts';

/** What a device has; everything else is not there. */
export interface Given {
  readonly action?: string;
  readonly subsystem?: string;
  readonly kernelName?: string;
  readonly properties?: Record<string, string>;
  readonly attributes?: Record<string, string>;
  /** Paths that are there, with their permission bits. */
  readonly paths?: Record<string, number>;
}

/** The device. */
export function device(given: Given): DeviceView {
  return {
    action: given.action ?? 'add',
    subsystem: given.subsystem ?? '',
    kernelName: given.kernelName ?? '',
    properties: new Map(Object.entries(given.properties ?? {})),
    attribute: (name) => given.attributes?.[name],
    exists: (path) => given.paths?.[path] !== undefined,
    mode: (path) => given.paths?.[path],
  };
}

/** The requests of `rules` for a device, a line of text each: `LINE names…` or `LINE modalias`. */
export function ask(rules: string, given: Given): string[] {
  const requests = evaluate(parseLoadRules([{ file: 'a.rules', text: rules }]), device(given));
  return requests.map(({ names, modalias, place }) => `${place.line} ${modalias ? 'modalias' : names.join(' ')}`);
}
