/** Refusals by a module's own init, which may answer any error. */
import { errnoName, errnoText } from '../base/errno.ts';
import { said, type Explanation, type KnownFacts } from './diagnosis-facts.ts';

/** It found no hardware of its own. */
export function noDevice({ logged }: KnownFacts): Explanation {
  return { evidence: ['its init found no device that it drives', ...said(logged(/./))], remedy: undefined };
}

/** What it needs is taken. */
export function inUse({ logged }: KnownFacts): Explanation {
  return {
    evidence: ['its init found something that it needs in use', ...said(logged(/./))],
    remedy:
      'look which other driver holds the device, its addresses (/proc/iomem, /proc/ioports) or the name it registers',
  };
}

/** The call was made in a task of its own, and that was killed. */
export function interrupted({ logged }: KnownFacts): Explanation {
  return {
    evidence: [
      'the task that called the kernel was killed before the answer came: nobody knows what became of the insertion',
      ...said(logged(/./)),
    ],
    remedy: 'lsmod shows whether it is loaded; look in dmesg for who killed it (out of memory?)',
  };
}

/** There was no memory for it. */
export function outOfMemory({ logged }: KnownFacts): Explanation {
  return {
    evidence: ['the kernel or its init could not get memory', ...said(logged(/./))],
    remedy: 'look at /proc/meminfo and /proc/vmallocinfo; a parameter may ask for less',
  };
}

/** Any other error. */
export function otherError({ refusal, logged }: KnownFacts): Explanation {
  const answered =
    refusal === undefined
      ? []
      : [`the kernel or its init answered ${errnoName(refusal.errno)}: ${errnoText(refusal.errno)}`];
  return {
    evidence: [...answered, ...said(logged(/./))],
    remedy: 'look at what the module itself logged (dmesg), and at the parameters, files and firmware that it needs',
  };
}
