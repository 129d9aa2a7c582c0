/**
 * Modules that the kernel command line names for systemd-modules-load: `modules_load=a,b`, which may be repeated; '-' is '_' in the
 * option's name. `rd.modules_load=` counts in the initramfs only. Pure. Source: systemd's modules-load.c.
 */
import type { ConfigText } from '../../facts/config/config-text.ts';
import { commandLineOptions } from '../modprobe/kernel-command-line.ts';
import type { BootListEntry } from './boot-entry.ts';

/** The entries of a command line, in order; empty when it names none. */
export function readModulesLoadOptions({ file, text }: ConfigText): readonly BootListEntry[] {
  return commandLineOptions(text)
    .filter(({ name }) => name === 'modules_load' || name === 'rd.modules_load')
    .flatMap(({ name, value = '' }) =>
      value
        .split(',')
        .filter((module) => module !== '')
        .map((module) => ({
          dialect: 'kernel-command-line',
          place: { file, line: 1 },
          name: module,
          parameters: '',
          initramfsOnly: name === 'rd.modules_load',
        })),
    );
}
