/** Why a build failed, from its log. Pure. */
import type { BuildFailure } from '../../../records/dkms/build-failure.ts';

/** What the log is of. */
export interface FailedBuild {
  /** The build folder, which is left out of the names of files. */
  readonly build: string;
  readonly kernel: string;
}

/** The first real error of a log; undefined when it shows none. */
export function explainFailure(_log: string, _of: FailedBuild): BuildFailure | undefined {
  return undefined;
}
