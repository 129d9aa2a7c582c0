/** `plugd lsmod`: prints the loaded modules, byte for byte as kmod does. Changes nothing. */
import { existsSync } from 'node:fs';
import { PlugdError } from '../../base/error.ts';
import { readAttribute } from '../../facts/attribute.ts';
import { readProcModules, type ProcModule } from '../../facts/kernel/proc-modules.ts';
import { readHolders, readRefcount } from '../../facts/kernel/sys-module.ts';
import { appletCommand, LEVEL, type Applet } from './applet.ts';
import { APPLET_OPTION, type AppletUsage } from './applet-help.ts';

const USAGE: AppletUsage = {
  name: 'lsmod',
  forms: ['[OPTION...]'],
  about: 'Prints the loaded modules with their sizes, how often they are used and by\nwhich modules.',
  options: [
    { long: 'proc', value: 'DIR', help: 'read DIR instead of /proc' },
    { long: 'sysfs', value: 'DIR', help: 'read DIR instead of /sys' },
    APPLET_OPTION.syslog,
    APPLET_OPTION.verbose,
    APPLET_OPTION.version,
    APPLET_OPTION.help,
  ],
};

/** What kmod shows for a number it cannot read: ENOENT, negated. */
const UNKNOWN = -2;

function main(applet: Applet, words: readonly string[]): number {
  let [proc, sysfs] = ['/proc', '/sys'];
  applet.level = LEVEL.error;
  const operands = applet.start(USAGE, words, (name, argument) => {
    if (name === 'verbose') applet.level++;
    else if (name === 'proc') proc = argument;
    else if (name === 'sysfs') sysfs = argument;
  });
  if (operands.length > 0) return applet.fail('too many arguments provided.');
  let modules: readonly ProcModule[];
  try {
    modules = readProcModules(proc);
  } catch (error) {
    if (!(error instanceof PlugdError)) throw error;
    applet.error(error.message);
    return applet.fail(`could not get list of modules: ${error.message.replace(/^.*: /, '')}`);
  }
  const rows = modules.map((module) => row(module, sysfs));
  applet.print(`Module                  Size  Used by\n${rows.join('')}`);
  return 0;
}

/** `e1000e              315392  0`, then the holders; '' for a module that is gone by now. */
function row({ name, size }: ProcModule, sysfs: string): string {
  const directory = `${sysfs}/module/${name}`;
  // kmod shows "-2 -2" here.
  if (!existsSync(directory)) return '';
  const core = readAttribute(`${directory}/coresize`);
  const bytes = core === undefined ? size : Number(core);
  const count = readRefcount(sysfs, name) ?? UNKNOWN;
  const holders = readHolders(sysfs, name);
  const users = holders.length === 0 ? '' : ` ${holders.join(',')}`;
  return `${name.padEnd(19)} ${String(Number.isNaN(bytes) ? UNKNOWN : bytes).padStart(8)}  ${count}${users}\n`;
}

/** `plugd lsmod`. */
export const command = appletCommand(USAGE, main);
