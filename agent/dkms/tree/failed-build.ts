/** The last build of a version that failed: the log that it left in the build folder. Reads only. */
import { readRegularFile } from '../../facts/regular-file.ts';
import type { BuildFailure } from '../../records/dkms/build-failure.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import { explainFailure } from '../build/why/make-failure.ts';
import { buildFolder, type DkmsKernel, type DkmsModule } from './dkms-places.ts';

/** A log of a failed build. */
export interface FailedBuild {
  readonly log: string;
  /** What went wrong first; undefined when the log does not say. */
  readonly failure: BuildFailure | undefined;
}

/** A longer log is not searched: the compiler's first error is in the first megabytes. */
const MOST_LOG = 16 * 1024 * 1024;

/**
 * The build that failed for a kernel: `failedBuild(trees, { name: 'r8125', version: '9.0' }, kernel)?.failure?.class // 'api-change'`;
 * undefined when the last build did not fail, or was for another kernel. A log whose head names no kernel counts for each.
 */
export function failedBuild(trees: DkmsTrees, module: DkmsModule, kernel: DkmsKernel): FailedBuild | undefined {
  const build = buildFolder(trees, module);
  const log = `${build}/make.log`;
  const read = readRegularFile('', log, MOST_LOG);
  if (read.kind === 'absent') return undefined;
  const text = read.kind === 'bytes' ? read.bytes.toString('utf8') : '';
  const release = logKernel(text);
  if (release !== undefined && release !== kernel.release) return undefined;
  return { log, failure: explainFailure(text, { build, kernel: kernel.release }) };
}

/** The kernel that the head of a log names; undefined when it has no such head. */
export function logKernel(text: string): string | undefined {
  return /^DKMS .*make\.log for .* for kernel (\S+) \(/.exec(text)?.[1];
}
