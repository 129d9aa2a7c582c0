/** Checks of who loads modules, and what is left to load. Pure: facts in, findings out. */
import { counted, placeText } from '../../base/words.ts';
import type { Finding, HealthFacts } from './health.ts';

/** Which program the kernel runs for its own requests. */
export function kernelRequests({ live, helper }: HealthFacts): Finding | undefined {
  if (live?.moduleSupport !== true) return undefined;
  if (helper === undefined) return { state: 'unknown', summary: '/proc/sys/kernel/modprobe cannot be read' };
  if (helper.path === '') {
    return {
      state: 'wrong',
      summary: 'switched off: file systems, protocols and ciphers are not loaded by themselves',
      evidence: ['/proc/sys/kernel/modprobe is empty'],
      remedy: 'sysctl kernel.modprobe=/sbin/modprobe',
    };
  }
  if (!helper.there)
    return {
      state: 'wrong',
      summary: `the kernel would start ${helper.path}, which is not there`,
      remedy: 'install kmod, or correct kernel.modprobe',
    };
  return { state: 'ok', summary: `go to ${helper.path}` };
}

/** Who loads drivers when devices appear. */
export function whoLoads({ live, udevd, agent, pending = [] }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  const rule = udevd.loads === undefined ? '' : ` (${placeText(udevd.loads)})`;
  const loads = udevd.running && udevd.loads !== undefined;
  if (loads && agent) {
    return {
      state: 'warning',
      summary: `udevd loads modules too${rule}: each device is asked for twice`,
      remedy: 'leave it to plugd: systemd/instead-of-udevd of the package (README, As a service)',
    };
  }
  if (agent && pending.length > 0) {
    return {
      state: 'warning',
      summary: `plugd's agent; ${counted(pending.length, 'rule')} of its policy ${pending.length === 1 ? 'is' : 'are'} not in force before boot is over`,
      evidence: pending,
      remedy: 'plugd status shows what the boot waits for',
    };
  }
  if (agent) return { state: 'ok', summary: "plugd's agent" };
  if (loads) return { state: 'ok', summary: `udevd${rule}; plugd's agent does not run` };
  if (!live.moduleSupport) return { state: 'ok', summary: 'nobody, and nothing can be loaded' };
  return {
    state: 'warning',
    summary: 'nobody: neither udevd nor plugd loads drivers when devices appear',
    remedy: 'start the agent: systemctl enable --now plugd',
  };
}

/** Devices whose driver could be loaded. */
export function undrivenDevices({ live, waiting }: HealthFacts): Finding | undefined {
  if (live === undefined) return undefined;
  if (waiting.length === 0) return { state: 'ok', summary: 'none that a module here could drive' };
  return {
    state: 'warning',
    summary: `${counted(waiting.length, 'device')} for which a module could be loaded`,
    evidence: waiting,
    remedy: live.moduleSupport ? 'plugd coldplug loads them; plugd test DEVICE tells about one' : undefined,
  };
}
