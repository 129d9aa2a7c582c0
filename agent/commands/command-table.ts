/** Every command with its summary: cli.ts finds them here, and help and completions are made from it. */
import type { Command, DescribedCommand } from './command.ts';

/** One row: a command by its name. */
export interface Entry {
  readonly name: string;
  /** A phrase: the overview shows it, and the command's own help as a sentence. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command, in the order of the help. Each is loaded only when it is called. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'agent',
    summary: 'coldplug, then serve hotplug until told to end',
    load: async () => import('./agent/agent.ts'),
  },
  {
    name: 'coldplug',
    summary: 'load drivers for all devices, and for those that appear meanwhile',
    load: async () => import('./agent/coldplug.ts'),
  },
  {
    name: 'load',
    summary: 'load what the lists for boot name: modules-load.d and others',
    load: async () => import('./agent/load.ts'),
  },
  {
    name: 'status',
    summary: 'show what the agent is doing, what it waits for and what failed',
    load: async () => import('./agent/status.ts'),
  },
  {
    name: 'settle',
    summary: 'wait until the agent has nothing more to do',
    load: async () => import('./agent/settle.ts'),
  },
  {
    name: 'reload',
    summary: 'make the agent read its files again',
    load: async () => import('./agent/reload.ts'),
  },
  {
    name: 'trigger',
    summary: 'ask the kernel to announce devices again',
    load: async () => import('./agent/trigger.ts'),
  },
  {
    name: 'monitor',
    summary: "show uevents and plugd's decisions as they come",
    load: async () => import('./agent/monitor.ts'),
  },
  {
    name: 'log',
    summary: 'show each module loaded since the agent started, and who asked',
    load: async () => import('./agent/log.ts'),
  },
  {
    name: 'test',
    summary: 'show what would be loaded for a device, and what would go wrong',
    load: async () => import('./diagnostics/test.ts'),
  },
  {
    name: 'devices',
    summary: 'list all devices with their drivers and modules',
    load: async () => import('./diagnostics/devices.ts'),
  },
  {
    name: 'why',
    summary: 'show why a module is loaded or not, and every way in',
    load: async () => import('./diagnostics/why.ts'),
  },
  {
    name: 'modules',
    summary: 'list the modules of the tree with their state and rules',
    load: async () => import('./diagnostics/modules.ts'),
  },
  {
    name: 'doctor',
    summary: 'find what keeps drivers from being loaded, and what to do about it',
    load: async () => import('./diagnostics/doctor.ts'),
  },
  {
    name: 'report',
    summary: 'write one page of a machine or a recording, to read in a browser',
    load: async () => import('./diagnostics/report.ts'),
  },
  {
    name: 'lookup',
    summary: 'print which modules a module name, alias or modalias stands for',
    load: async () => import('./diagnostics/lookup.ts'),
  },
  {
    name: 'closure',
    summary: 'list, archive or copy the modules and firmware that machines need',
    load: async () => import('./images/closure.ts'),
  },
  {
    name: 'image',
    summary: 'say what machines would lose with an initramfs or another boot image',
    load: async () => import('./images/image.ts'),
  },
  {
    name: 'sign',
    summary: 'sign module files with a key',
    load: async () => import('./trust/sign.ts'),
  },
  {
    name: 'verify',
    summary: "verify modules' signatures, and say whether their keys are trusted",
    load: async () => import('./trust/verify.ts'),
  },
  {
    name: 'keys',
    summary: 'list the keys that vouch for modules, make one, and enrol it',
    load: async () => import('./trust/keys.ts'),
  },
  {
    name: 'strip-signature',
    summary: 'take the signatures off module files',
    load: async () => import('./trust/strip-signature.ts'),
  },
  {
    name: 'completion',
    summary: 'print completions for a shell: bash, zsh or fish',
    load: async () => import('./completion/completion.ts'),
  },
];

/** Commands that keep kmod's exit statuses and messages, and also run under their own names as argv[0]. */
export const KMOD_COMMANDS: readonly Entry[] = [
  {
    name: 'modprobe',
    summary: 'insert modules with what they need, or remove them',
    load: async () => import('./kmod/modprobe.ts'),
  },
  {
    name: 'insmod',
    summary: 'insert one module file',
    load: async () => import('./kmod/insmod.ts'),
  },
  {
    name: 'rmmod',
    summary: 'remove modules',
    load: async () => import('./kmod/rmmod.ts'),
  },
  {
    name: 'lsmod',
    summary: 'show the loaded modules',
    load: async () => import('./kmod/lsmod.ts'),
  },
  {
    name: 'modinfo',
    summary: 'show information about modules',
    load: async () => import('./kmod/modinfo.ts'),
  },
  {
    name: 'depmod',
    summary: "build a module tree's indexes",
    load: async () => import('./kmod/depmod.ts'),
  },
];

/** dkms's command, which keeps dkms's options, texts and exit statuses, and also runs under its own name as argv[0]. */
export const DKMS_COMMANDS: readonly Entry[] = [
  {
    name: 'dkms',
    summary: 'build and install out-of-tree modules for each kernel',
    load: async () => import('./dkms/dkms.ts'),
  },
];

/** Commands that read their arguments themselves, as the programs whose names they have. */
export const APPLETS: readonly Entry[] = [...KMOD_COMMANDS, ...DKMS_COMMANDS];

/** What completions call; people do not. */
export const HIDDEN_COMMANDS: readonly Entry[] = [
  {
    name: '__complete',
    summary: 'print names of this machine',
    load: async () => import('./completion/known-names.ts'),
  },
];

/** Loads every command that help shows, in its order. */
export async function describeAll(): Promise<readonly DescribedCommand[]> {
  return Promise.all(
    [...COMMANDS, ...APPLETS].map(async ({ summary, load }) => ({ summary, command: (await load()).command })),
  );
}
