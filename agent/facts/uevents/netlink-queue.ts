/** How full the kernel's queue of a netlink socket is. Reads /proc only. */
import { readText } from '../attribute.ts';

const UEVENTS = '15';

/** What the kernel reports about one uevent socket. */
export interface NetlinkQueue {
  /** Bytes that wait to be received. */
  readonly bytes: number;
  /** Messages dropped since the socket was made, because its buffer was full. */
  readonly drops: number;
}

/**
 * The queue of a uevent socket, by the socket's port id; `none` when there is no such socket, undefined where the kernel does
 * not say. A missing SEQNUM need not be a loss: the kernel numbers uevents of other network namespaces, too.
 *
 * /proc/net/netlink (af_netlink.c), one socket a line, `Rmem` is the fifth column, `Drops` the ninth, and `Eth` the protocol:
 *
 *     sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
 *     00000000f2b8c5a1 15  1234       00000001 0        0        0     2        37       12345
 */
export function readNetlinkQueue(proc: string, portId: number): NetlinkQueue | 'none' | undefined {
  const text = readText(`${proc}/net/netlink`);
  if (text === undefined) return undefined;
  // The kernel prints port ids as signed numbers.
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/ +/);
    if (fields[1] === UEVENTS && Number(fields[2]) >>> 0 === portId >>> 0) {
      const [bytes, drops] = [Number(fields[4]), Number(fields[8])];
      return Number.isSafeInteger(bytes) && Number.isSafeInteger(drops) ? { bytes, drops } : undefined;
    }
  }
  return 'none';
}
