import { readText } from './attribute.ts';

const UEVENTS = '15';

/**
 * How many messages the kernel could not put into a uevent socket's full buffer, by the socket's port id; undefined where it
 * does not say. A SEQNUM that never came need not be lost: uevents of other network namespaces are numbered too.
 *
 * /proc/net/netlink (af_netlink.c), one socket a line, `Drops` is the ninth column, and `Eth` the protocol:
 *
 *     sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
 *     00000000f2b8c5a1 15  1234       00000001 0        0        0     2        37       12345
 */
export function readNetlinkDrops(proc: string, portId: number): number | undefined {
  const text = readText(`${proc}/net/netlink`);
  // The kernel prints port ids as signed numbers.
  for (const line of text?.split('\n') ?? []) {
    const fields = line.trim().split(/ +/);
    if (fields[1] === UEVENTS && Number(fields[2]) >>> 0 === portId >>> 0) {
      const drops = Number(fields[8]);
      return Number.isSafeInteger(drops) ? drops : undefined;
    }
  }
  return undefined;
}
