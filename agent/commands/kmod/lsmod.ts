import { existsSync } from 'node:fs';
import { PlugdError } from '../../base/error.ts';
import { readAttribute } from '../../facts/attribute.ts';
import { readProcModules, type ProcModule } from '../../facts/kernel/proc-modules.ts';
import { readHolders, readRefcount } from '../../facts/kernel/sys-module.ts';
import type { Command } from '../command.ts';
import { print, printBytes } from '../output.ts';
import { LEVEL, printVersion, runApplet, type Applet } from './applet.ts';
import type { LongOption } from './getopt.ts';

const OPTIONS: readonly LongOption[] = [
  { short: 's', long: 'syslog' },
  { short: 'v', long: 'verbose' },
  { short: 'V', long: 'version' },
  { short: 'h', long: 'help' },
  { long: 'proc', argument: 'required' },
  { long: 'sysfs', argument: 'required' },
];

const HELP = `usage: lsmod [OPTION…]

Prints the loaded modules with their sizes, how often they are used and by
which modules.

      --proc DIR           read DIR instead of /proc
      --sysfs DIR          read DIR instead of /sys
  -s, --syslog             messages go to the system log
  -v, --verbose            more messages
  -V, --version            print the version
  -h, --help               print this
`;

/** What kmod shows for a number it cannot read: ENOENT, negated. */
const UNKNOWN = -2;

function main(applet: Applet, words: readonly string[]): number {
  let [proc, sysfs] = ['/proc', '/sys'];
  applet.level = LEVEL.error;
  const { options, operands } = applet.parse(OPTIONS, words);
  for (const { name, argument } of options) {
    if (name === 'help') {
      print(HELP);
      return 0;
    }
    if (name === 'version') {
      printVersion();
      return 0;
    }
    if (name === 'syslog') applet.syslog = true;
    else if (name === 'verbose') applet.level++;
    else if (name === 'proc') proc = argument;
    else if (name === 'sysfs') sysfs = argument;
  }
  if (operands.length > 0) {
    applet.error('too many arguments provided.');
    return 1;
  }
  let modules: readonly ProcModule[];
  try {
    modules = readProcModules(proc);
  } catch (error) {
    if (!(error instanceof PlugdError)) throw error;
    applet.error(error.message);
    applet.error(`could not get list of modules: ${error.message.replace(/^.*: /, '')}`);
    return 1;
  }
  const rows = modules.map((module) => row(module, sysfs));
  printBytes(`Module                  Size  Used by\n${rows.join('')}`);
  return 0;
}

/** `e1000e              315392  0`, with the holders behind; nothing for a module that has gone meanwhile. */
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

export const command: Command = {
  name: 'lsmod',
  summary: 'show the loaded modules',
  usage: '',
  run: async (words) => runApplet('lsmod', (applet) => main(applet, words)),
};
