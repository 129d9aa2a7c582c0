/**
 * A kernel uevent as it comes over netlink (lib/kobject_uevent.c): a header `ACTION@DEVPATH`, then `KEY=value` strings, each
 * ended by a NUL:
 *
 *     add@/devices/pci0000:00/0000:00:02.0\0ACTION=add\0DEVPATH=/devices/…\0SUBSYSTEM=pci\0MODALIAS=pci:v…\0SEQNUM=1234\0
 *
 * Keys can come twice: a device that is compatible with several kinds may carry several MODALIAS lines, and each counts. Pure.
 */
import type { Devpath, Modalias } from '../../base/names.ts';
import { KeyValues, type Properties } from './key-values.ts';

/** One uevent. */
export interface Uevent {
  readonly action: string;
  readonly devpath: Devpath;
  /** '' when the kernel named none. */
  readonly subsystem: string;
  /** The kernel's running number; undefined in a message that carries none. */
  readonly seqnum: number | undefined;
  /** Every MODALIAS in the order in which it came, each once; empty ones are left out. */
  readonly modaliases: readonly Modalias[];
  /** Every KEY=value; of a repeated key the last. */
  readonly properties: Properties;
}

/** What a datagram turned out to be. */
export type UeventRead =
  | { readonly kind: 'uevent'; readonly uevent: Uevent }
  | { readonly kind: 'malformed'; readonly why: string };

/** After the header: strings that are KEY=value, each ended by a NUL. One pass of the regular expression is cheap. */
const STRINGS = /^(?:[^=\0]+=[^\0]*\0)*$/;
const NUMBER = /^[0-9]{1,15}$/;

/** Reads one datagram (bytes as received). Never throws: whatever arrives is a uevent or is malformed with a reason. */
export function parseUevent(datagram: Buffer): UeventRead {
  if (datagram.length === 0) return { kind: 'malformed', why: 'empty' };
  if (datagram[datagram.length - 1] !== 0) return { kind: 'malformed', why: 'does not end in NUL' };
  const text = datagram.toString('latin1');
  const end = text.indexOf('\0');
  const header = text.slice(0, end);
  const at = header.indexOf('@');
  if (at <= 0)
    return { kind: 'malformed', why: header === 'libudev' ? 'a message of libudev' : 'no ACTION@DEVPATH header' };
  const strings = text.slice(end + 1);
  if (!STRINGS.test(strings)) return { kind: 'malformed', why: `string ${oddString(strings)} is not KEY=value` };
  const properties = new KeyValues(strings, '\0');
  const action = properties.get('ACTION');
  const devpath = properties.get('DEVPATH');
  if (action === undefined || action !== header.slice(0, at))
    return { kind: 'malformed', why: "ACTION is not the header's" };
  if (devpath === undefined || devpath !== header.slice(at + 1))
    return { kind: 'malformed', why: "DEVPATH is not the header's" };
  if (!devpath.startsWith('/')) return { kind: 'malformed', why: 'DEVPATH does not begin with /' };
  const digits = properties.get('SEQNUM');
  if (digits !== undefined && !NUMBER.test(digits)) return { kind: 'malformed', why: 'SEQNUM is not a number' };
  return {
    kind: 'uevent',
    uevent: {
      action,
      devpath: devpath as Devpath,
      subsystem: properties.get('SUBSYSTEM') ?? '',
      seqnum: digits === undefined ? undefined : Number(digits),
      modaliases: properties.modaliases,
      properties,
    },
  };
}

/** The number of the first string that is not KEY=value, from 1. */
function oddString(strings: string): number {
  return strings.split('\0').findIndex((text) => text.indexOf('=') <= 0) + 1;
}
