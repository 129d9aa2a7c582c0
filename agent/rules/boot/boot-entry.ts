/** What a list of modules to load at boot names. Types only. */
import type { Place } from '../../base/names.ts';

/** A kind of list: the program that reads it, and its grammar. */
export type BootDialectName =
  | 'kernel-command-line'
  | 'modules-load.d'
  | 'etc-modules'
  | 'openrc'
  | 'rancher'
  | 'k3os'
  | 'talos'
  | 'initramfs-tools';

/** One module that a list names. */
export interface BootListEntry {
  readonly dialect: BootDialectName;
  readonly place: Place;
  /** What is looked up, as written: `snd-hda-intel`; `loop max_loop=8` where a line is one name. */
  readonly name: string;
  /** `max_loop=8`; '' when there are none, or the dialect takes none. */
  readonly parameters: string;
  /** It counts in the initramfs only. */
  readonly initramfsOnly: boolean;
}

/** An entry that does not count, because the file `by` takes the place of its list. */
export interface HiddenEntry extends BootListEntry {
  readonly by: string;
}
