/** Whether a driver that is kept would find its firmware. Pure. */
import type { Fated } from './fate.ts';

/** What is known of the firmware of a device's module. */
export interface FirmwareFacts {
  readonly module: string;
  /** The files that the module of this tree names. */
  readonly named: readonly string[];
  /** Those of them that this tree has. */
  readonly there: ReadonlySet<string>;
  /** The files that the recorded machine had; undefined when its recording does not say. */
  readonly recorded: readonly string[] | undefined;
}

const FIRMWARE = 'add the package with its firmware to the image';

/** The fate of a kept device with regard to its firmware; undefined when it stays kept. */
export function firmwareFate({ module, named, there, recorded }: FirmwareFacts): Fated | undefined {
  // The module here may be newer than the machine's, and ask for other files of that family.
  const had = recorded?.filter((file) => named.includes(file)) ?? [];
  const missing = had.filter((file) => !there.has(file));
  if (missing.length === 0) return undefined;
  const files = `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`;
  return named.some((file) => there.has(file))
    ? {
        fate: 'unknown',
        because: `the machine had firmware of ${module} that is not here: ${files}; whether the device needs it is not recorded`,
        remedy: FIRMWARE,
      }
    : {
        fate: 'no-firmware',
        because: `${module} would find none of the firmware that the machine had: ${files}`,
        remedy: FIRMWARE,
      };
}
