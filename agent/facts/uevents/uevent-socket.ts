/** The kernel's uevent socket, and the only importer of `netlink`. Drops what the kernel did not send, and counts what it drops. */
import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { addon } from '../../base/addon.ts';
import { errnoName, errnoText } from '../../base/errno.ts';
import { PlugdError, reason } from '../../base/error.ts';
import { parseUevent, type Uevent } from './uevent.ts';

const NETLINK_KOBJECT_UEVENT = 15;
/** Group 1 carries what the kernel says; group 2 is udevd's, for its own clients. */
const KERNEL_GROUP = 1;
/**
 * The kernel's uevent buffer is 2 KiB (UEVENT_BUFFER_SIZE), and the header repeats the devpath in it: no uevent reaches 4 KiB.
 * Not peeking at the size first halves the system calls. Each message holds a buffer of this size until it is garbage collected.
 */
const DATAGRAM_BYTES = 4096;
/** udevd's figure: room for some 200,000 uevents while this process is busy. The kernel charges only for what is queued. */
export const RECEIVE_BUFFER_BYTES = 128 * 1024 * 1024;

/** Counts since the socket was opened. */
export interface UeventCounters {
  received: number;
  /** Not from the kernel: sender port is not 0. */
  spoofed: number;
  /** From the kernel, but not to group 1. */
  otherGroup: number;
  malformed: number;
  truncated: number;
  /** Runs of SEQNUM that never came. */
  gaps: number;
  /** Single uevents that never came. */
  lost: number;
}

/**
 * Where uevents go. All are called on the main thread, in the order of arrival. What they throw goes to `fault`, and the next uevent
 * is heard: netlink's C++ callback would end the process.
 */
export interface UeventListener {
  /** One message of the kernel. */
  uevent(uevent: Uevent): void;
  /** SEQNUM `from` to `to` never came: the listener should compare sysfs with what it knows. */
  gap(from: number, to: number): void;
  /** One of the others threw. Without this method it is an uncaught exception of the process, as from any timer. */
  fault?(error: unknown): void;
}

/** The socket on which the kernel announces devices. */
export interface UeventSocket {
  readonly counters: Readonly<UeventCounters>;
  /** The highest SEQNUM seen; 0 before the first uevent. */
  readonly seqnum: number;
  /** SO_RCVBUF as the kernel reports it, in bytes. */
  readonly receiveBuffer: number;
  /** Its netlink port id. */
  readonly portId: number;
  /** Nothing is heard from now on. */
  close(): void;
}

/** The counters of a socket that has received nothing. */
export const NO_UEVENTS: Readonly<UeventCounters> = {
  received: 0,
  spoofed: 0,
  otherGroup: 0,
  malformed: 0,
  truncated: 0,
  gaps: 0,
  lost: 0,
};

/**
 * Opens the kernel's uevent socket. Open it before reading sysfs: what appears in between then waits in its buffer.
 *
 * netlink 0.3.0 aborts the process on any receive error (an uncaught C++ exception; ENOBUFS is enough), so the addon finds
 * the descriptor in the same turn and sets NETLINK_NO_ENOBUFS; overruns then show as gaps in SEQNUM.
 * Errors: `unsupported` when the socket cannot be made (no netlink, or not allowed here).
 */
export function openUeventSocket(listener: UeventListener, receiveBuffer = RECEIVE_BUFFER_BYTES): UeventSocket {
  // First: without the addon nothing is opened that would have to be closed.
  addon();
  let socket: RawNetlinkSocket;
  try {
    // Its types demand buffer sizes that its code treats as optional; 0 means "leave it".
    socket = new RawNetlinkSocket(NETLINK_KOBJECT_UEVENT, {
      messagePeeking: false,
      msgBufferSize: DATAGRAM_BYTES,
      localGroups: KERNEL_GROUP,
      recvBufferSize: 0,
      sendBufferSize: 0,
    });
  } catch (error) {
    throw new PlugdError('unsupported', `the uevent socket cannot be opened: ${reason(error)}`, { cause: error });
  }
  let size: number;
  try {
    size = prepareDescriptor(socket, receiveBuffer);
  } catch (error) {
    socket.close();
    throw error;
  }
  const portId = socket.address().port;
  const counters: UeventCounters = { ...NO_UEVENTS };
  let seqnum = 0;
  socket.on('message', (datagram, sender) => {
    counters.received++;
    if (sender.port !== 0) {
      counters.spoofed++;
      return;
    }
    if (sender.groups !== KERNEL_GROUP) {
      counters.otherGroup++;
      return;
    }
    const read = parseUevent(datagram);
    if (read.kind === 'malformed') {
      counters.malformed++;
      return;
    }
    const number = read.uevent.seqnum;
    if (number !== undefined) {
      // The kernel numbers under one lock and sends under another, so a later number may arrive slightly earlier, which looks
      // like a gap of one. The rescan that follows is cheap and finds nothing.
      if (seqnum !== 0 && number > seqnum + 1) {
        counters.gaps++;
        counters.lost += number - seqnum - 1;
        const from = seqnum + 1;
        guard(listener, () => listener.gap(from, number - 1));
      }
      if (number > seqnum) seqnum = number;
    }
    guard(listener, () => listener.uevent(read.uevent));
  });
  socket.on('truncatedMessage', () => {
    counters.received++;
    counters.truncated++;
  });
  return {
    counters,
    get seqnum() {
      return seqnum;
    },
    receiveBuffer: size,
    portId,
    close: () => socket.close(),
  };
}

/** Does `work`; nothing that it throws reaches the caller. */
function guard(listener: UeventListener, work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      if (listener.fault === undefined) throw error;
      listener.fault(error);
    });
  }
}

function prepareDescriptor(socket: RawNetlinkSocket, receiveBuffer: number): number {
  const native = addon();
  const descriptor = native.netlinkDescriptor(socket.address().port);
  if (descriptor < 0) return fail('cannot find its descriptor', descriptor);
  const quiet = native.setNoEnobufs(descriptor);
  if (quiet < 0) return fail('NETLINK_NO_ENOBUFS', quiet);
  const size = native.setReceiveBuffer(descriptor, receiveBuffer);
  return size < 0 ? fail('cannot set its receive buffer', size) : size;
}

function fail(what: string, result: number): never {
  throw new PlugdError('unsupported', `uevent socket: ${what}: ${errnoName(-result)} (${errnoText(-result)})`);
}
