/** The addon's functions without Node: in place of agent/base/addon.ts, whose docstrings they follow. */
import type { Addon } from '../../agent/base/addon.ts';
import { ERRNO } from '../../agent/base/errno.ts';
import { host } from './host.ts';
import { Bytes } from './node/bytes.ts';

export type { Addon, InsertionDone, LineSocket, ModuleParts } from '../../agent/base/addon.ts';

function image(bytes: ArrayBuffer): Buffer {
  return new Bytes(bytes) as unknown as Buffer;
}

/** In the order of the interface. Most of what Node does on other threads happens at once here and is told later. */
const ADDON: Addon = {
  finitModule: (fd, params, flags, done) => host.finitModule(fd, params, flags, done),
  initModule: (bytes, params, done) => host.initModule(bytes, params, done),
  deleteModule: (name, flags, done) => host.deleteModule(name, flags, done),
  // The socket that the stand-in for netlink opened has its descriptor for a port.
  netlinkDescriptor: (portId) => portId,
  setReceiveBuffer: (fd, bytes) => host.setReceiveBuffer(fd, bytes),
  setNoEnobufs: (fd) => host.setNoEnobufs(fd),
  decompress: (format, bytes, limit) => {
    const answer = host.decompress(format, bytes, limit, false);
    return typeof answer === 'number' ? answer : image(answer[0]);
  },
  decompressFirst: (format, bytes, limit) => {
    const answer = host.decompress(format, bytes, limit, true);
    return typeof answer === 'number' ? answer : { image: image(answer[0]), consumed: answer[1] };
  },
  decompressInPieces: (format, bytes, limit, into, piece) => {
    const answer = ADDON.decompressFirst(format, bytes, limit);
    if (typeof answer === 'number') return answer;
    for (let at = 0; at < answer.image.length; at += into.length) {
      const next = answer.image.subarray(at, at + into.length);
      into.set(next);
      if (!piece(next.length)) return -ERRNO.ECANCELED;
    }
    return answer.consumed;
  },
  decompressAsync: (format, bytes, limit, done) => {
    const answer = ADDON.decompress(format, bytes, limit);
    queueMicrotask(() => done(answer));
  },
  decompressFirstAsync: (format, bytes, limit, done) => {
    const answer = ADDON.decompressFirst(format, bytes, limit);
    queueMicrotask(() => done(answer));
  },
  // The whole image then serves, as for files of a shape that the addon does not know.
  readModulePartsAsync: (_format, _fd, _size, _limit, _sections, _into, done) =>
    queueMicrotask(() => done(-ERRNO.EOPNOTSUPP)),
  // Nothing that it has asks.
  fileAttribute: () => -ERRNO.ENOSYS,
  exitNow: (status) => host.exit(status),
  notify: (socket, message) => host.notify(socket, message),
  sendNow: (fd, bytes) => host.sendNow(fd, bytes),
  setNonBlocking: (fd) => host.setNonBlocking(fd),
  openInRoot: (root, path, flags) => host.openInRoot(root, path, flags),
  lockFile: (fd) => host.lockFile(fd),
  readLinkedDevices: (folders, modalias) => host.linkedDevices(folders, modalias),
  readLinkedDevicesAsync: (folders, modalias, done) => host.linkedDevicesLater(folders, modalias, done),
  listenLines: (path, line) => {
    const fd = host.listen(path, line);
    if (fd < 0) return fd;
    return {
      send: (connection, text, last) => host.send(connection, text, last),
      close: () => {
        host.unwatch(fd);
        host.unlink(path);
      },
    };
  },
  setV8Flags: () => false,
  readKeyring: (id) => host.readKeyring(id),
};

/** The functions. */
export function addon(): Addon {
  return ADDON;
}

/** The same: they are always there. */
export function addonIfBuilt(): Addon | undefined {
  return ADDON;
}
