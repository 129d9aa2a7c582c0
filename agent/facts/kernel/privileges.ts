/** What this process may do, from /proc/self. Reads only; diagnosis/ says what a missing privilege means. */
import type { Host } from '../../base/host.ts';
import { readLinkInRoot } from '../../base/root.ts';
import { readProc } from './procfs.ts';

/** Whether a namespace is the one the machine booted with; undefined where /proc does not say. */
export type Initial = boolean | undefined;

/** The privileges that loading modules and receiving uevents need. */
export interface Privileges {
  /** The effective user id. */
  readonly uid: number;
  /** Effective, by name without CAP_: only those that plugd needs. */
  readonly capabilities: Readonly<Record<Capability, boolean>>;
  /** CAP_SYS_MODULE can be regained (it is in the bounding set). */
  readonly sysModuleBounded: boolean;
  readonly initialUserNamespace: Initial;
  /** The kernel sends uevents of hardware to all network namespaces that belong to the initial user namespace, and to no other. */
  readonly initialNetworkNamespace: Initial;
  readonly initialPidNamespace: Initial;
  readonly seccomp: 'none' | 'strict' | 'filter';
  readonly noNewPrivileges: boolean;
}

/** Capability numbers, linux/capability.h. */
const CAPABILITIES = { SYS_MODULE: 16n, NET_ADMIN: 12n, SYS_ADMIN: 21n, SYSLOG: 34n } as const;
export type Capability = keyof typeof CAPABILITIES;

/**
 * The inode numbers of the first namespaces, fixed since Linux 3.8 (include/linux/proc_ns.h: user 0xEFFFFFFD, pid 0xEFFFFFFC).
 * The first network namespace has no fixed number before Linux 6.18 (0xEFFFFFF9 since): there it is the namespace of process 1,
 * if process 1 is the machine's and not a container's.
 */
const INITIAL = { user: 0xefff_fffd, pid: 0xefff_fffc, net: 0xefff_fff9 } as const;

/** This process's privileges, from /proc/self. */
export function readPrivileges(host: Host): Privileges {
  const status = readProc(host, 'self/status') ?? '';
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
  const mask = (name: string) => BigInt(`0x${/^[0-9a-f]+$/.exec(field(name) ?? '')?.[0] ?? '0'}`);
  const effective = mask('CapEff');
  const user = namespace(host, 'self', 'user');
  const pid = namespace(host, 'self', 'pid');
  const uids = /^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1];
  const modes = ['none', 'strict', 'filter'] as const;
  return {
    uid: uids === undefined ? (process.geteuid?.() ?? -1) : Number(uids),
    capabilities: {
      SYS_MODULE: has(effective, 'SYS_MODULE'),
      NET_ADMIN: has(effective, 'NET_ADMIN'),
      SYS_ADMIN: has(effective, 'SYS_ADMIN'),
      SYSLOG: has(effective, 'SYSLOG'),
    },
    sysModuleBounded: has(mask('CapBnd'), 'SYS_MODULE'),
    initialUserNamespace: user === undefined ? hasAllUsers(host) : user === INITIAL.user,
    initialNetworkNamespace: initialNetwork(host, pid),
    initialPidNamespace: pid === undefined ? undefined : pid === INITIAL.pid,
    seccomp: modes[Number(field('Seccomp') ?? 0)] ?? 'none',
    noNewPrivileges: field('NoNewPrivs') === '1',
  };
}

function has(set: bigint, capability: Capability): boolean {
  return ((set >> CAPABILITIES[capability]) & 1n) === 1n;
}

function initialNetwork(host: Host, pid: number | undefined): Initial {
  const own = namespace(host, 'self', 'net');
  if (own === undefined) return undefined;
  if (own === INITIAL.net) return true;
  // In a pid namespace of its own, process 1 is a container's and proves nothing; a container without one shows the machine's.
  if (pid !== INITIAL.pid) return undefined;
  const first = namespace(host, '1', 'net');
  return first === undefined ? undefined : own === first;
}

/**
 * The first user namespace has all users (user_namespaces(7): `0 0 4294967295`); another one nearly never. Undefined when there is
 * nothing to read: a kernel without user namespaces.
 */
function hasAllUsers(host: Host): boolean | undefined {
  const users = readProc(host, 'self/uid_map');
  return users === undefined ? undefined : /^\s*0\s+0\s+4294967295\s*$/.test(users);
}

/** `net:[4026531833]` → 4026531833; undefined when it cannot be read. */
function namespace(host: Host, process: string, kind: string): number | undefined {
  const target = readLinkInRoot(host.root, `${host.proc}/${process}/ns/${kind}`);
  const number = typeof target === 'string' ? /\[(\d+)\]$/.exec(target)?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}
