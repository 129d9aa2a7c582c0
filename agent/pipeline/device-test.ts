import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Host } from '../base/host.ts';
import { PlugdError } from '../base/error.ts';
import { readBindingFacts } from '../facts/binding.ts';
import type { Device } from '../facts/device.ts';
import { findDevice } from '../facts/device-search.ts';
import { bound, type BoundDevice } from '../facts/recording.ts';
import type { Investigation, RequestReport } from '../report/investigation.ts';
import { foremost } from '../report/verdict.ts';
import { quoted } from '../report/words.ts';
import { Examiner } from './examination.ts';
import { insertRequests } from './insertion-trial.ts';
import { Investigator } from './investigation.ts';
import { isLive } from './kernel-evidence.ts';
import { openSources, type Sources } from './sources.ts';

/** What one DEVICE word leads to: its device, if it has one, and its story. */
export interface DeviceTest {
  readonly investigation: Investigation;
  readonly device: Device | undefined;
  readonly sources: Sources | undefined;
}

/**
 * Investigates a word of the command line: a path, node, bus address, network interface, MODALIAS, the name of a module or
 * alias, or a module file. Changes nothing. Errors: `usage` when nothing is meant by it, or several devices are.
 */
export function testDevice(host: Host, word: string, params = ''): DeviceTest {
  const sources = sourcesOf(host);
  const found = findDevice(host, word);
  const configuration = 'missing' in sources ? [] : sources.configFiles;
  const base = { asked: word, kernel: host.kernel, moduleDir: host.moduleDir, configuration };
  if (found.kind === 'ambiguous') {
    throw new PlugdError('usage', `${word} is the name of ${found.devpaths.length} devices`, {
      remedy: `name one by its path: ${found.devpaths.join(' ')}`,
    });
  }
  if (found.kind === 'device') {
    const device = bound(host.sysfs, found.device);
    const shown = { ...base, meant: found.meant, device: deviceReport(device) };
    if ('missing' in sources)
      return {
        investigation: { ...shown, requests: [], ...withoutTree(sources.missing, device) },
        device,
        sources: undefined,
      };
    const requests = new Investigator({ host, sources, deep: true }).device(device);
    return { investigation: { ...shown, requests, ...judge(host, device, requests) }, device, sources };
  }
  if ('missing' in sources) {
    return {
      investigation: { ...base, meant: 'a name', requests: [], ...withoutTree(sources.missing, undefined) },
      device: undefined,
      sources: undefined,
    };
  }
  const investigator = new Investigator({ host, sources, deep: true });
  const isFile = /\.ko(\.(xz|zst|gz))?$/.test(word) && existsSync(word);
  if (params !== '' && !isFile)
    throw new PlugdError('usage', 'parameters can be given for a module file only', {
      remedy: 'for others they stand in modprobe.d',
    });
  const request = isFile ? investigator.file(resolve(word), params) : investigator.request(word);
  if (found.kind === 'none' && request.candidates.length === 0) {
    throw new PlugdError('usage', `${found.looked}, nor is it the name of a module or alias`, {
      remedy: 'plugd devices lists what is there',
    });
  }
  const meant = isFile ? `the file ${word}` : found.kind === 'modalias' ? 'a MODALIAS' : 'a name';
  return {
    investigation: { ...base, meant, requests: [request], ...judge(host, undefined, [request]) },
    device: undefined,
    sources,
  };
}

/** Inserts what a test found to be loaded, and tells the story anew with what happened. */
export async function testInserted(host: Host, { investigation, device, sources }: DeviceTest): Promise<Investigation> {
  if (sources === undefined) return investigation;
  const requests = await insertRequests(host, sources, new Examiner(host, sources), investigation.requests);
  const now = device === undefined ? undefined : bound(host.sysfs, device);
  const {
    verdict: _,
    cause: __,
    reason: ___,
    evidence: ____,
    remedy: _____,
    requests: ______,
    ...base
  } = investigation;
  return {
    ...base,
    ...(now === undefined ? {} : { device: deviceReport(now) }),
    requests,
    ...judge(host, now, requests),
  };
}

/** The sources, or the error that says that there is no module tree. */
function sourcesOf(host: Host): Sources | { readonly missing: PlugdError } {
  try {
    return openSources(host);
  } catch (error) {
    if (error instanceof PlugdError && error.code === 'no-modules-directory') return { missing: error };
    throw error;
  }
}

type Ending = Pick<Investigation, 'verdict' | 'cause' | 'reason' | 'evidence' | 'remedy'>;

function withoutTree(error: PlugdError, device: BoundDevice | undefined): Ending {
  if (device !== undefined && device.modaliases.length === 0) return noModalias(device);
  if (device?.driver !== undefined) return { ...drivenAlready(device), evidence: [error.message] };
  return {
    verdict: 'failed',
    cause: 'no-modules-directory',
    reason: error.message,
    evidence: [],
    remedy: error.remedy,
  };
}

function drivenAlready({ driver = '', driverModule }: BoundDevice): Pick<Ending, 'verdict' | 'reason'> {
  return driverModule === undefined
    ? { verdict: 'builtin', reason: `${quoted(driver)} drives it, from inside the kernel` }
    : { verdict: 'loaded', reason: `${quoted(driver)} of module ${driverModule} drives it` };
}

function noModalias(device: BoundDevice): Ending {
  const reason = 'it has no MODALIAS: the kernel does not say what it is, so no module can claim it';
  if (device.driver !== undefined) return { ...drivenAlready(device), evidence: [reason] };
  return {
    verdict: 'no-modalias',
    reason,
    evidence: [],
    remedy: 'nothing to do, unless a driver is bound to it by name (driver_override, or a rule that loads the module)',
  };
}

/** What is to be said of a whole device. `brief`: without looking for reasons why a loaded driver is not bound. */
export function judge(
  host: Host,
  device: BoundDevice | undefined,
  requests: readonly RequestReport[],
  brief = false,
): Ending {
  const first = foremost(requests.flatMap((request) => request.candidates));
  const driver = device?.driver;
  if (first === undefined) {
    if (device !== undefined && device.modaliases.length === 0) return noModalias(device);
    const malformed = requests.find((request) => request.malformed !== undefined)?.malformed;
    if (malformed !== undefined)
      return { verdict: 'no-match', reason: `nothing can match: ${malformed}`, evidence: [] };
    if (device?.driver !== undefined)
      return { ...drivenAlready(device), evidence: ['no module of this tree claims it'] };
    return {
      verdict: 'no-match',
      reason: 'no alias, module or builtin of this kernel matches',
      evidence: [],
      remedy:
        'it needs a driver that this kernel does not have: a newer kernel, another kernel package (modules-extra), or a module from elsewhere (DKMS)',
    };
  }
  const { verdict, cause, reason, evidence, remedy } = first;
  const ending = {
    verdict,
    ...(cause === undefined ? {} : { cause }),
    reason,
    evidence,
    ...(remedy === undefined ? {} : { remedy }),
  };
  if (device === undefined || (verdict !== 'loaded' && verdict !== 'builtin')) return ending;
  if (driver !== undefined) return { ...ending, reason: `${reason}; ${quoted(driver)} drives the device` };
  return brief ? ending : { ...ending, ...unbound(host, device, reason) };
}

function unbound(host: Host, device: BoundDevice, reason: string): Pick<Ending, 'reason' | 'evidence' | 'remedy'> {
  if (!isLive(host)) return { reason, evidence: [] };
  const facts = readBindingFacts(host, device);
  const evidence = [
    ...(facts.override === undefined
      ? []
      : [`driver_override is ${quoted(facts.override)}: only that driver is bound`]),
    ...(facts.autoprobe ? [] : [`drivers_autoprobe of bus ${device.subsystem} is 0: nothing is bound by itself`]),
    ...(facts.deferred === undefined
      ? []
      : [`its probe is deferred: it waits for something else${facts.deferred === '' ? '' : ` (${facts.deferred})`}`]),
    ...facts.log.map((line) => `the kernel said: ${line}`),
  ];
  const remedy =
    facts.override !== undefined
      ? `clear it: echo > ${host.sysfs}${device.devpath}/driver_override, then: echo ${device.name} > ${host.sysfs}/bus/${device.subsystem}/drivers_probe`
      : `try again: echo ${device.name} > ${host.sysfs}/bus/${device.subsystem}/drivers_probe, and look at dmesg`;
  return { reason: `${reason}, but no driver is bound to the device`, evidence, remedy };
}

function deviceReport(device: BoundDevice): NonNullable<Investigation['device']> {
  return {
    devpath: device.devpath,
    subsystem: device.subsystem,
    name: device.name,
    modaliases: device.modaliases,
    properties: Object.fromEntries(device.properties),
    ...(device.driver === undefined ? {} : { driver: device.driver }),
    ...(device.driverModule === undefined
      ? {}
      : { driverModule: device.driverModule as NonNullable<Investigation['device']>['driverModule'] }),
  };
}
