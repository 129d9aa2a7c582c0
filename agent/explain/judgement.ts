/** What is to be said of a device as a whole: its candidates' verdicts held against what is bound to it now. */
import { existsSync } from 'node:fs';
import type { Host } from '../base/host.ts';
import { readBindingFacts } from '../facts/devices/binding.ts';
import type { BoundDevice } from '../facts/devices/recording.ts';
import type { Investigation, RequestReport } from '../records/investigation.ts';
import { foremost, isServed, verdictText } from '../diagnosis/verdict.ts';
import { quoted } from '../base/words.ts';
import type { NoTree } from '../load/tree.ts';
import { isLive } from './kernel-evidence.ts';

/** The end of a story. */
export type Ending = Pick<Investigation, 'verdict' | 'cause' | 'reason' | 'evidence' | 'remedy'>;

/** What is to be said of a device. `brief`: without looking for reasons why a driver is not bound. */
export function judge(
  host: Host,
  device: BoundDevice | undefined,
  requests: readonly RequestReport[],
  brief = false,
): Ending {
  const candidates = requests.flatMap((request) => request.candidates);
  const first = foremost(candidates);
  if (first === undefined) return unclaimed(host, device, requests, brief);
  const { verdict, cause, reason, evidence, remedy } = first;
  const ending: Ending = {
    verdict,
    ...(cause === undefined ? {} : { cause }),
    reason,
    evidence,
    ...(remedy === undefined ? {} : { remedy }),
  };
  if (device === undefined) return ending;
  if (device.driver === undefined) return brief ? ending : withObstacles(host, device, ending);
  if (!isServed(verdict)) {
    const others = candidates.map((each) => `${each.module} is for it too, ${verdictText(each)}: ${each.reason}`);
    return { ...drivenAlready(host, device), evidence: others };
  }
  const holds = `${quoted(device.driver)} drives the device`;
  if (verdict === 'loaded' || verdict === 'builtin') return { ...ending, reason: `${reason}; ${holds}` };
  return brief ? ending : { ...ending, evidence: [`${holds} now`, ...obstacles(host, device).evidence, ...evidence] };
}

/** The same for a USB device, whose interfaces ask for drivers, each for itself; `parts` are these, `of` names them. */
export function judgeParts(
  host: Host,
  device: BoundDevice,
  parts: readonly BoundDevice[],
  requests: readonly RequestReport[],
): Ending {
  const endings = parts.map((part) => ({
    part,
    ...judge(
      host,
      part,
      requests.filter(({ of }) => of === part.name),
    ),
  }));
  const first = foremost(endings);
  if (first === undefined) return judge(host, device, requests);
  const { part, ...ending } = first;
  if (endings.length === 1) return ending;
  const others = endings
    .filter((each) => each.part !== part)
    .map((each) => `interface ${each.part.name}: ${verdictText(each)}: ${each.reason}`);
  return { ...ending, reason: `interface ${part.name}: ${ending.reason}`, evidence: [...ending.evidence, ...others] };
}

/** The end where there is no module tree: what is bound has its driver all the same. */
export function withoutTree(host: Host, noTree: NoTree, device: BoundDevice | undefined): Ending {
  if (device !== undefined && device.modaliases.length === 0) return noModalias(host, device, false);
  if (device?.driver !== undefined) return { ...drivenAlready(host, device), evidence: [noTree.reason] };
  return {
    verdict: 'failed',
    cause: 'no-modules-directory',
    reason: noTree.reason,
    evidence: [],
    remedy: noTree.remedy,
  };
}

/** Nothing matches. */
function unclaimed(
  host: Host,
  device: BoundDevice | undefined,
  requests: readonly RequestReport[],
  brief: boolean,
): Ending {
  if (device !== undefined && device.modaliases.length === 0) return noModalias(host, device, brief);
  const malformed = requests.find((request) => request.malformed !== undefined)?.malformed;
  if (malformed !== undefined) return { verdict: 'no-match', reason: `nothing can match: ${malformed}`, evidence: [] };
  if (device?.driver !== undefined)
    return { ...drivenAlready(host, device), evidence: ['no module of this tree claims it'] };
  return {
    verdict: 'no-match',
    reason: 'no alias, module or builtin of this kernel matches',
    evidence: [],
    remedy:
      'it needs a driver that this kernel does not have: a newer kernel, another kernel package (modules-extra), or a module from elsewhere (DKMS)',
  };
}

function drivenAlready(
  host: Host,
  { driver = '', driverModule }: BoundDevice,
): Pick<Ending, 'verdict' | 'reason' | 'evidence'> {
  // Drivers inside the kernel are shown with a module too, which was never loaded: it has no state.
  return driverModule === undefined || !existsSync(`${host.sysfs}/module/${driverModule}/initstate`)
    ? { verdict: 'builtin', reason: `${quoted(driver)} drives it, from inside the kernel`, evidence: [] }
    : { verdict: 'loaded', reason: `${quoted(driver)} of module ${driverModule} drives it`, evidence: [] };
}

function noModalias(host: Host, device: BoundDevice, brief: boolean): Ending {
  const reason = 'it has no MODALIAS: the kernel does not say what it is, so no module can claim it';
  const found = brief ? { evidence: [], remedy: undefined } : obstacles(host, device);
  // A USB device that nobody may use is bound, and shows no interfaces.
  if (found.remedy !== undefined) return { verdict: 'no-modalias', reason, ...found, remedy: found.remedy };
  if (device.driver !== undefined) return { ...drivenAlready(host, device), evidence: [reason] };
  return {
    verdict: 'no-modalias',
    reason,
    evidence: found.evidence,
    remedy: 'nothing to do, unless a driver is bound to it by name (driver_override, or a rule that loads the module)',
  };
}

/** A device without a driver: what would still keep one from being bound, once its module is loaded. */
function withObstacles(host: Host, device: BoundDevice, ending: Ending): Ending {
  const { verdict, reason, evidence, remedy } = ending;
  if (!isServed(verdict)) return ending;
  const found = obstacles(host, device);
  const all = [...found.evidence, ...evidence];
  if (verdict !== 'loaded' && verdict !== 'builtin')
    return { ...ending, evidence: all, remedy: remedy ?? found.remedy };
  const again = `echo ${device.name} > ${host.sysfs}/bus/${device.subsystem}/drivers_probe`;
  return {
    ...ending,
    reason: `${reason}, but no driver is bound to the device`,
    evidence: [...all, ...kernelLog(host, device)],
    remedy: found.remedy === undefined ? `try again: ${again}; then look at dmesg` : `${found.remedy}; then: ${again}`,
  };
}

/** What keeps drivers from a device whatever is loaded, and what to type against it. */
function obstacles(host: Host, device: BoundDevice): Pick<Ending, 'evidence' | 'remedy'> {
  const facts = readBindingFacts(host, device);
  const evidence: string[] = [];
  let remedy: string | undefined;
  if (facts.authorized === false) {
    evidence.push('it is not authorized (authorized is 0): somebody, or a policy such as USBGuard, has locked it out');
    remedy = `echo 1 > ${host.sysfs}${device.devpath}/authorized`;
  }
  if (facts.override !== undefined) {
    evidence.push(`driver_override is ${quoted(facts.override)}: only that driver is bound`);
    if (device.driver === undefined) remedy ??= `echo > ${host.sysfs}${device.devpath}/driver_override`;
  }
  if (!facts.autoprobe) {
    evidence.push(`drivers_autoprobe of bus ${device.subsystem} is 0: nothing is bound by itself`);
    remedy ??= `echo 1 > ${host.sysfs}/bus/${device.subsystem}/drivers_autoprobe`;
  }
  if (facts.absent) evidence.push('its firmware says that it is not there, or switched off (ACPI status 0)');
  if (facts.deferred !== undefined) {
    const why = facts.deferred === '' ? '' : ` (${facts.deferred})`;
    evidence.push(`its probe is deferred: it waits for something else${why}`);
  }
  return { evidence, ...(remedy === undefined ? {} : { remedy }) };
}

function kernelLog(host: Host, device: BoundDevice): readonly string[] {
  return isLive(host)
    ? readBindingFacts(host, device)
        .log()
        .map((line) => `the kernel said: ${line}`)
    : [];
}
