/**
 * What the program's C side (host/) gives: files, processes, sockets and bytes. Every call answers a value or -errno. Paths are ordinary
 * text or bytes; names that come back are latin1 text, one character for one byte.
 */

/** A path: ordinary text, or bytes of any kind. */
export type HostPath = string | Uint8Array;

/** [mode, size, inode, modified s, modified ns, device number, user, group, device, links]. */
export type HostStat = readonly number[];

/** Answers of a module call: as `InsertionDone` of agent/base/addon.ts. */
export type HostDone = (result: number, startedNs: bigint, endedNs: bigint) => void;

/** How a program that was started gets or gives its bytes: a descriptor of ours, or nothing. */
export type HostStdio = number | 'ignore';

/** The functions; `globalThis.plugdHost` while the program starts. */
export interface LiteHost {
  open(path: HostPath, flags: number, mode: number): number;
  close(fd: number): number;
  /** Bytes for read(), all zero; a file that is read into them whole is mapped. */
  allocate(size: number): ArrayBuffer;
  /** `position` -1: where the file is. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number;
  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  /** A whole file; a large one is mapped, not read. */
  readWhole(file: HostPath | number): ArrayBuffer | number;
  stat(file: HostPath | number, link: boolean): HostStat | number;
  access(path: HostPath, mode: number): number;
  /** Names and types (`DT_*`) in turn, in the file system's order. */
  readFolder(path: HostPath): ReadonlyArray<string | number> | number;
  readLink(path: HostPath): string | number;
  realPath(path: HostPath): string | number;
  makeFolder(path: HostPath, mode: number): number;
  unlink(path: HostPath): number;
  rename(from: HostPath, to: HostPath): number;
  link(target: HostPath, path: HostPath): number;
  truncate(fd: number, size: number): number;

  /** Text of bytes [from, to). */
  latin1(bytes: Uint8Array, from: number, to: number): string;
  utf8(bytes: Uint8Array, from: number, to: number): string;
  encodeLatin1(text: string): ArrayBuffer;
  encodeUtf8(text: string): ArrayBuffer;
  utf8Length(text: string): number;
  /** Writes text as bytes at `at`, as much as has room: how many. */
  putLatin1(bytes: Uint8Array, at: number, text: string): number;
  /** Where `wanted` begins in `bytes` at or after `from`; -1 for nowhere. */
  find(bytes: Uint8Array, wanted: Uint8Array, from: number): number;
  /** Below 0, 0, above 0. */
  compare(a: Uint8Array, b: Uint8Array): number;
  random(bytes: Uint8Array): number;

  release(): string;
  machine(): string;
  workingFolder(): string | number;
  environment(): readonly string[];
  userId(): number;
  processId(): number;
  processors(): number;
  /** CLOCK_MONOTONIC, ns. */
  monotonicNs(): bigint;
  /** Since the process began, s. */
  uptime(): number;
  sleep(ms: number): void;
  exit(status: number): never;
  kill(pid: number, signal: number): number;
  /** Columns of the terminal; 0 when it says none, -ENOTTY when the descriptor is none. */
  terminalColumns(fd: number): number;
  /** Makes the event loop hear this signal instead of the kernel's default; false: the default again. */
  watchSignal(signal: number, watch: boolean): void;

  /** Starts a program: its pid. `ended` gets wait status. */
  spawn(
    file: string,
    words: readonly string[],
    environment: readonly string[],
    stdio: readonly HostStdio[],
    ended: (status: number) => void,
  ): number;
  /** Runs a filter: its output, wait status, and -ENOBUFS if more came than `most`; or -errno. */
  filter(
    file: string,
    words: readonly string[],
    environment: readonly string[],
    input: Uint8Array,
    most: number,
  ): readonly [ArrayBuffer, number, number] | number;

  finitModule(fd: number, params: string, flags: number, done: HostDone): void;
  initModule(image: Uint8Array, params: string, done: HostDone): void;
  deleteModule(name: string, flags: number, done: HostDone): void;
  openInRoot(root: string, path: Uint8Array, flags: number): number;
  lockFile(fd: number): number;
  notify(socket: string, message: string): number;
  sendNow(fd: number, bytes: Uint8Array): number;
  setNonBlocking(fd: number): number;
  setReceiveBuffer(fd: number, bytes: number): number;
  setNoEnobufs(fd: number): number;
  readKeyring(id: number): readonly number[] | number;
  linkedDevices(folders: readonly string[], modalias: boolean): string;
  /** The same, read on another thread, one request after the other. */
  linkedDevicesLater(folders: readonly string[], modalias: boolean, done: (text: string) => void): void;
  /** `first`: only the first stream or frame, with how much it took. */
  decompress(format: string, bytes: Uint8Array, limit: number, first: boolean): readonly [ArrayBuffer, number] | number;

  /** Opens and binds a netlink socket; `heard` gets each datagram, its sender's port and groups, and whether it was cut. */
  netlink(
    protocol: number,
    port: number,
    groups: number,
    size: number,
    heard: (bytes: ArrayBuffer, port: number, groups: number, truncated: boolean) => void,
  ): number;
  /** Listens on a unix stream socket, mode 0600; `line` gets the first line of each connection. */
  listen(path: string, line: (connection: number, text: string) => void): number;
  send(connection: number, text: string, last: boolean): void;
  /** Ends the event loop's watch and closes what netlink() or listen() opened. */
  unwatch(fd: number): void;
}

declare global {
  var plugdHost: LiteHost;
}

/** The C side: `host.release()` → `6.1.0-56-amd64`. */
export const host: LiteHost = globalThis.plugdHost;
