import type { UeventListener, UeventSocket } from '../facts/uevents/uevent-socket.ts';

/**
 * Opens the kernel's uevent socket; the listener is called on the main thread, in the order of arrival, until close(). Only what
 * the kernel itself says counts; what is dropped is in the socket's counters. No right is needed, but without CAP_NET_ADMIN the
 * receive buffer (bytes; 128 MiB unless told) is that of net.core.rmem_max. The socket keeps the process alive.
 *
 *     const socket = await openUevents({ uevent: ({ action, devpath }) => console.log(action, devpath), gap: () => {} });
 *
 * Errors (PlugdError): `unsupported` when there is no such socket here, or the addon is not built.
 */
export async function openUevents(listener: UeventListener, receiveBuffer?: number): Promise<UeventSocket> {
  // netlink loads its addon when it is imported.
  const { openUeventSocket } = await import('../facts/uevents/uevent-socket.ts');
  return receiveBuffer === undefined ? openUeventSocket(listener) : openUeventSocket(listener, receiveBuffer);
}
