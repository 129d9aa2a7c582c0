/** Single facts about the running kernel: loaded modules, whether insertion is possible, counters. Reads only. */
import { existsSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { readAttribute, readText } from '../attribute.ts';

/** A module's state in /proc/modules. */
export type ModuleState = 'live' | 'coming' | 'going';

const STATES: Readonly<Record<string, ModuleState>> = { Live: 'live', Loading: 'coming', Unloading: 'going' };

/**
 * The loaded modules, from /proc/modules (`e1000e 315392 0 - Live 0x0000000000000000`). Undefined when the file is not
 * there: a kernel without module support.
 */
export function readLoadedModules(host: Host): ReadonlyMap<ModuleName, ModuleState> | undefined {
  const text = readText(`${host.proc}/modules`);
  if (text === undefined) return undefined;
  const loaded = new Map<ModuleName, ModuleState>();
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const name = fields[0];
    if (name !== undefined && name !== '') loaded.set(name as ModuleName, STATES[fields[4] ?? ''] ?? 'live');
  }
  return loaded;
}

/** What can keep this process from calling finit_module; an error says each in its own sentence. */
export interface InsertionFacts {
  /** The kernel has loadable modules (/proc/modules exists). */
  readonly moduleSupport: boolean;
  /** /proc/sys/kernel/modules_disabled is 1: no insertion until reboot. */
  readonly modulesDisabled: boolean;
  /** CAP_SYS_MODULE is in the effective set, and counts: the kernel checks for it in the first user namespace only. */
  readonly capSysModule: boolean;
  /** The effective user id is 0. */
  readonly root: boolean;
}

const CAP_SYS_MODULE = 16n;

/** Reads them from procfs. */
export function readInsertionFacts(host: Host): InsertionFacts {
  const status = readText(`${host.proc}/self/status`) ?? '';
  // user_namespaces(7): `0 0 4294967295` in the first one; root of any other has capabilities over that one alone.
  const users = readText(`${host.proc}/self/uid_map`);
  const first = users === undefined || /^\s*0\s+0\s+4294967295\s*$/.test(users);
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return {
    moduleSupport: existsSync(`${host.proc}/modules`),
    modulesDisabled: readAttribute(`${host.proc}/sys/kernel/modules_disabled`) === '1',
    capSysModule: first && ((BigInt(`0x${effective}`) >> CAP_SYS_MODULE) & 1n) === 1n,
    root: process.geteuid?.() === 0,
  };
}

/** /sys/kernel/uevent_seqnum: the number of the last uevent the kernel made; undefined where sysfs has none. */
export function readUeventSeqnum(sysfs: string): number | undefined {
  const text = readAttribute(`${sysfs}/kernel/uevent_seqnum`);
  const number = text === undefined ? Number.NaN : Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The compression that the kernel itself can undo (`zstd`, `xz`, `gzip`), from /sys/module/compression; undefined for none. */
export function readKernelCompression(sysfs: string): string | undefined {
  const word = readAttribute(`${sysfs}/module/compression`);
  return word === undefined || word === 'none' || word === '' ? undefined : word;
}
