/** The verdict on a whole device: its candidates' verdicts compared with what is bound to it now. Reads sysfs; changes nothing. */
import { existsSync } from 'node:fs';
import type { Host } from '../base/host.ts';
import { readBindingFacts } from '../facts/devices/binding.ts';
import type { BoundDevice } from '../facts/devices/bound-device.ts';
import { ending, type Ending } from '../records/ending.ts';
import type { RequestReport } from '../records/investigation.ts';
import { foremost, isServed, verdictText } from '../diagnosis/verdict.ts';
import { quoted } from '../base/words.ts';
import type { NoTree } from '../load/tree.ts';
import { isLive, isOfThisKernel } from './kernel-evidence.ts';

/** The verdict on a device. `brief`: without looking for reasons why no driver is bound. */
export function judge(
  host: Host,
  device: BoundDevice | undefined,
  requests: readonly RequestReport[],
  brief = false,
): Ending {
  return isOfThisKernel(host)
    ? judgeBound(host, device, requests, brief)
    : judgeElsewhere(host, device, requests, brief);
}

/** For a kernel that does not run here: a driver that is bound now is no reason to expect one there. */
function judgeElsewhere(
  host: Host,
  device: BoundDevice | undefined,
  requests: readonly RequestReport[],
  brief: boolean,
): Ending {
  if (device?.driver === undefined) return judgeBound(host, device, requests, brief);
  const unbound = { ...device, driver: undefined, driverModule: undefined };
  const end = judgeBound(host, unbound, requests, true);
  if (brief || isServed(end.verdict)) return end;
  return { ...end, evidence: [...end.evidence, `${quoted(device.driver)} of the kernel that runs here drives it now`] };
}

function judgeBound(
  host: Host,
  device: BoundDevice | undefined,
  requests: readonly RequestReport[],
  brief: boolean,
): Ending {
  const candidates = requests.flatMap((request) => request.candidates);
  const first = foremost(candidates);
  if (first === undefined) return unclaimed(host, device, requests, brief);
  const { verdict, cause, reason, evidence, remedy } = first;
  const own: Ending = { verdict, cause, reason, evidence, remedy };
  if (device === undefined) return own;
  if (device.driver === undefined) return brief ? own : withObstacles(host, device, own);
  if (!isServed(verdict)) {
    const others = candidates.map((each) => `${each.module} is for it too, ${verdictText(each)}: ${each.reason}`);
    return { ...drivenAlready(host, device), evidence: others };
  }
  const holds = `${quoted(device.driver)} drives the device`;
  if (verdict === 'loaded' || verdict === 'builtin') return { ...own, reason: `${reason}; ${holds}` };
  return brief ? own : { ...own, evidence: [`${holds} now`, ...obstacles(host, device).evidence, ...evidence] };
}

/** The same for a USB device, whose interfaces request drivers separately; `parts` are these, `of` names them. */
export function judgeParts(
  host: Host,
  device: BoundDevice,
  parts: readonly BoundDevice[],
  requests: readonly RequestReport[],
): Ending {
  const names = new Map<Ending, string>();
  for (const part of parts) {
    const own = requests.filter(({ of }) => of === part.name);
    names.set(judge(host, part, own), part.name);
  }
  const endings = [...names.keys()];
  const first = foremost(endings);
  if (first === undefined) return judge(host, device, requests);
  if (endings.length === 1) return first;
  const text = (end: Ending, words: string) => `interface ${names.get(end) ?? ''}: ${words}`;
  const others = endings.filter((end) => end !== first).map((end) => text(end, `${verdictText(end)}: ${end.reason}`));
  return { ...first, reason: text(first, first.reason), evidence: [...first.evidence, ...others] };
}

/** The verdict when there is no module tree: a bound device still has its driver, if the tree is the running kernel's. */
export function withoutTree(host: Host, noTree: NoTree, device: BoundDevice | undefined): Ending {
  if (device !== undefined && device.modaliases.length === 0) return noModalias(host, device, false);
  if (device?.driver !== undefined && isOfThisKernel(host))
    return { ...drivenAlready(host, device), evidence: [noTree.reason] };
  return ending('failed', noTree.reason, { cause: 'no-modules-directory', remedy: noTree.remedy });
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
  if (malformed !== undefined) return ending('no-match', `nothing can match: ${malformed}`);
  if (device?.driver !== undefined)
    return { ...drivenAlready(host, device), evidence: ['no module of this tree claims it'] };
  return ending('no-match', 'no alias, module or builtin of this kernel matches', {
    remedy:
      'it needs a driver that this kernel does not have: a newer kernel, another kernel package (modules-extra), or a module from elsewhere (DKMS)',
  });
}

function drivenAlready(host: Host, { driver = '', driverModule }: BoundDevice): Ending {
  // sysfs also shows a module for drivers inside the kernel; it was never loaded and has no state.
  return driverModule === undefined || !existsSync(`${host.sysfs}/module/${driverModule}/initstate`)
    ? ending('builtin', `${quoted(driver)} drives it, from inside the kernel`)
    : ending('loaded', `${quoted(driver)} of module ${driverModule} drives it`);
}

function noModalias(host: Host, device: BoundDevice, brief: boolean): Ending {
  const reason = 'it has no MODALIAS: the kernel does not say what it is, so no module can claim it';
  const found = brief ? { evidence: [], remedy: undefined } : obstacles(host, device);
  // A USB device without authorization is bound, but shows no interfaces.
  if (found.remedy !== undefined) return ending('no-modalias', reason, found);
  if (device.driver !== undefined) return { ...drivenAlready(host, device), evidence: [reason] };
  return ending('no-modalias', reason, {
    evidence: found.evidence,
    remedy: 'nothing to do, unless a driver is bound to it by name (driver_override, or a rule that loads the module)',
  });
}

/** A device without a driver: adds what would still keep one from binding, once its module is loaded. */
function withObstacles(host: Host, device: BoundDevice, end: Ending): Ending {
  const { verdict, reason, evidence, remedy } = end;
  if (!isServed(verdict)) return end;
  const found = obstacles(host, device);
  const all = [...found.evidence, ...evidence];
  if (verdict !== 'loaded' && verdict !== 'builtin') return { ...end, evidence: all, remedy: remedy ?? found.remedy };
  const again = `echo ${device.name} > ${host.sysfs}/bus/${device.subsystem}/drivers_probe`;
  return {
    ...end,
    reason: `${reason}, but no driver is bound to the device`,
    evidence: [...all, ...kernelLog(host, device)],
    remedy: found.remedy === undefined ? `try again: ${again}; then look at dmesg` : `${found.remedy}; then: ${again}`,
  };
}

/** What keeps drivers from a device whatever is loaded, and the command against it. */
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
  return { evidence, remedy };
}

function kernelLog(host: Host, device: BoundDevice): readonly string[] {
  return isLive(host)
    ? readBindingFacts(host, device)
        .log()
        .map((line) => `the kernel said: ${line}`)
    : [];
}
