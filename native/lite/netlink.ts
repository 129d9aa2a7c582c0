/** The uevent socket in place of the package `netlink`: agent/facts/uevents/uevent-socket.ts uses nothing else of it. */
import type { RawNetlinkSocket as Netlink } from 'netlink/dist/raw.js';
import { host } from './host.ts';
import { Bytes } from './node/bytes.ts';
import { systemError } from './node/error.ts';
import { Emitter } from './node/events.ts';

/** Emits `message` and `truncatedMessage`; its port is its descriptor, see netlinkDescriptor in addon.ts. */
export class RawNetlinkSocket extends Emitter {
  readonly #fd: number;

  /** Errors: what socket(2) and bind(2) answer. */
  constructor(protocol: number, { msgBufferSize, localGroups }: { msgBufferSize: number; localGroups: number }) {
    super();
    this.#fd = host.netlink(protocol, 0, localGroups, msgBufferSize, (bytes, port, groups, truncated) => {
      this.emit(truncated ? 'truncatedMessage' : 'message', new Bytes(bytes), { port, groups, truncated });
    });
    if (this.#fd < 0) throw systemError(this.#fd, 'netlink');
  }

  address(): ReturnType<Netlink['address']> {
    return { port: this.#fd, groups: 0 };
  }

  close(): void {
    host.unwatch(this.#fd);
  }
}
