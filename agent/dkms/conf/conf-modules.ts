/** The modules that a dkms.conf describes, one for each record. Pure. */
import type { Exclusion } from './exclusion.ts';

/** One record of a dkms.conf. */
export interface ConfModule {
  /** `v4l2loopback`, without a suffix. */
  readonly name: string;
  /** The folder below the build directory; '' or ends in '/'. */
  readonly location: string;
  /** The name under which it is installed; mostly `name`. */
  readonly destName: string;
  /** `/updates/dkms` as written; the distribution may put another in its place. */
  readonly destLocation: string;
  /** Whether debug information is stripped. */
  readonly strip: boolean;
  /** Why it is not built for this kernel; undefined when it is. */
  readonly exclusion: Exclusion | undefined;
}
