/** Single facts about the running kernel: loaded modules, whether insertion is possible, counters. Reads only. */
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { existsInRoot } from '../../base/root.ts';
import { readAttribute } from '../attribute.ts';
import { readFileGuards, type FileGuards } from './file-guards.ts';
import { readLockdown, type Lockdown } from './lockdown.ts';
import { readPrivileges, type Privileges } from './privileges.ts';
import { readProc } from './procfs.ts';

/** A module's state in /proc/modules. */
export type ModuleState = 'live' | 'coming' | 'going';

const STATES: Readonly<Record<string, ModuleState>> = { Live: 'live', Loading: 'coming', Unloading: 'going' };

/**
 * The loaded modules, from /proc/modules (`e1000e 315392 0 - Live 0x0000000000000000`). Undefined when the file is not
 * there: a kernel without module support.
 */
export function readLoadedModules(host: Host): ReadonlyMap<ModuleName, ModuleState> | undefined {
  const text = readProc(host, 'modules');
  if (text === undefined) return undefined;
  const loaded = new Map<ModuleName, ModuleState>();
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const name = fields[0];
    if (name !== undefined && name !== '') loaded.set(name as ModuleName, STATES[fields[4] ?? ''] ?? 'live');
  }
  return loaded;
}

/** What decides about every insertion, whatever the module. */
export interface KernelState {
  /** The kernel has loadable modules (/proc/modules exists). */
  readonly moduleSupport: boolean;
  /** /proc/sys/kernel/modules_disabled is 1: no insertion until reboot. */
  readonly modulesDisabled: boolean;
  readonly lockdown: Lockdown | undefined;
  readonly privileges: Privileges;
  /** What it demands of a module's file; undefined where nobody looked. */
  readonly guards?: FileGuards | undefined;
}

/** Reads it from procfs and sysfs. */
export function readKernelState(host: Host): KernelState {
  return {
    moduleSupport: existsInRoot(host.root, `${host.proc}/modules`),
    modulesDisabled: readProc(host, 'sys/kernel/modules_disabled')?.trimEnd() === '1',
    lockdown: readLockdown(host),
    privileges: readPrivileges(host),
    guards: readFileGuards(host),
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
