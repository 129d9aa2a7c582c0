/** What is told of a machine's root file system: the way from it down to its disks, without names that people gave. Reads only. */
import { storagePath, type StoragePath, type StoragePlaces, type StorageWant } from './storage-path.ts';

/** The way, in a recording's first line: `{"wants":[{"name":"fs-ext4","of":"the file system of /"}],"disks":["/devices/…/block/sda"]}`. */
export interface RecordedRoot {
  readonly wants: readonly StorageWant[];
  /** The devices of its disks. */
  readonly disks: readonly string[];
}

/** Deeper and wider than any machine's way. */
const MOST = 256;

/** A module's or a file system's name, or an algorithm's. */
const NAME = /^[\w.-]{1,64}$/;
/** `the file system of /usr`, `the cipher of dm-0`, `md127`: folders and RAIDs may be called as somebody likes. */
const OF = /^(the file system of \/(usr)?|(the cipher of )?[a-z]+(-?\d\w*)?)$/;

/** Of a way what a recording keeps: `keptRoot(storagePath(host, '/', '/usr'))`; undefined where nothing shows any. */
export function keptRoot({ wants, disks }: Omit<StoragePath, 'untold'>): RecordedRoot | undefined {
  const kept = wants
    .filter(({ name }) => NAME.test(name))
    .slice(0, MOST)
    .map((want) => (OF.test(want.of) ? want : { ...want, of: 'the root file system' }));
  const places = disks.filter((disk) => disk.startsWith('/devices/')).slice(0, MOST);
  return kept.length === 0 && places.length === 0 ? undefined : { wants: kept, disks: places };
}

/**
 * The way of this machine's root file system, and of /usr where that is another; undefined where nothing shows any. The mount table of
 * this machine tells nothing about devices in a sysfs elsewhere.
 */
export function readRoot(places: StoragePlaces): RecordedRoot | undefined {
  if (places.proc === '/proc' && places.sysfs !== '/sys') return undefined;
  return keptRoot(storagePath(places, '/', '/usr'));
}

/** The way that somebody's JSON tells; undefined for what is none. */
export function parseRoot(value: unknown, decode: (text: string) => string): RecordedRoot | undefined {
  if (!isObject(value)) return undefined;
  const { wants, disks } = value;
  return keptRoot({
    wants: list(wants).flatMap((want): readonly StorageWant[] => {
      if (!isObject(want)) return [];
      const { name, of, optional } = want;
      if (typeof name !== 'string') return [];
      return [{ name, of: typeof of === 'string' ? of : '', ...(optional === true ? { optional } : {}) }];
    }),
    disks: list(disks).flatMap((disk) => (typeof disk === 'string' ? [decode(disk)] : [])),
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
