/** The kernel's uevents for programs. Opening loads the addon; importing this file does not. */
import type { UeventListener, UeventSocket } from '../facts/uevents/uevent-socket.ts';

/**
 * Opens the kernel's uevent socket. It calls the listener on the main thread, in the order of arrival, until close(). It drops what the
 * kernel did not send, and counts that. It needs no privileges, but without CAP_NET_ADMIN the receive buffer (bytes; default 128 MiB)
 * is limited to net.core.rmem_max. The socket keeps the process alive.
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
