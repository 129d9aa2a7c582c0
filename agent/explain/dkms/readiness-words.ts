/** The words for how a module of dkms stands with a kernel, and what to do. Builds text only. */
import { dkmsCommand } from '../../diagnosis/dkms-remedy.ts';
import { remedyOf } from '../../dkms/build/why/failure-words.ts';
import type { ModuleReadiness, Readiness } from '../../dkms/tree/readiness.ts';
import { nameOf } from '../../dkms/tree/dkms-places.ts';
import { placeText } from '../../base/words.ts';

const WORDS: Readonly<Record<Readiness, string>> = {
  installed: 'installed',
  older: 'another version than the newest is installed',
  built: 'built, but not installed',
  failed: 'its build failed',
  'no-headers': "not built: the kernel's headers are missing",
  'not-built': 'not built',
  broken: 'its sources are missing',
};

/**
 * How it stands, with the first error of a failed build: `its build failed: main.c:12: implicit declaration of function 'from_timer'
 * (api-change)`; and the kernels that have it.
 */
export function readinessText({ readiness, log, failure, elsewhere }: ModuleReadiness): string {
  const why = failure === undefined ? (log === undefined ? '' : `: ${log}`) : `: ${failureText(failure)}`;
  const other = elsewhere.length === 0 ? '' : `; ${elsewhere.join(', ')} ${elsewhere.length === 1 ? 'has' : 'have'} it`;
  return `${WORDS[readiness]}${why}${other}`;
}

function failureText({
  place: { file, line = 0 },
  text,
  class: kind,
}: NonNullable<ModuleReadiness['failure']>): string {
  return `${placeText({ file, line })}: ${text} (${kind})`;
}

/** What to do to have it for the kernel; undefined for one that is installed. */
export function readinessRemedy(each: ModuleReadiness, kernel: string): string | undefined {
  const { readiness, module, failure } = each;
  const log = `plugd dkms log ${nameOf(module)}`;
  switch (readiness) {
    case 'installed':
      return undefined;
    case 'failed':
      return failure === undefined
        ? `${log} shows why`
        : `${remedyOf(failure, { module: nameOf(module), kernel }).replace(/\.$/, '')} (${log} shows more)`;
    case 'no-headers':
      return `install the headers of ${kernel}, then ${dkmsCommand(kernel)}`;
    default:
      return dkmsCommand(kernel);
  }
}
