/** The record of a module file during depmod's work. Plain data. */
import type { ModuleName } from '../base/names.ts';

/** A module file that counts. Paths are latin1, byte for byte; `nativePath` converts them for node:fs. */
export interface TreeModule {
  readonly name: ModuleName;
  /** Absolute: `/lib/modules/6.1.0-56-amd64/kernel/lib/crc16.ko`. */
  readonly path: string;
  /** As modules.dep has it: `kernel/lib/crc16.ko`, absolute for a file outside of the tree. */
  readonly listed: string;
}
