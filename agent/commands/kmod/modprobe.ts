/** `plugd modprobe`: kmod's modprobe over plugd's rooms. What is done is in the files beside this one. */
import type { Command } from '../command.ts';
import { print, printBytes } from '../output.ts';
import { printVersion, runApplet, type Applet } from './applet.ts';
import { HELP, readCommandLine } from './modprobe-options.ts';
import { ModprobeRun, type Surroundings } from './modprobe-run.ts';

const MACHINE: Surroundings = { sysfs: '/sys', proc: '/proc', env: process.env, print: printBytes };

/** Runs modprobe with the words after its name; answers its exit status. */
export async function modprobe(
  applet: Applet,
  words: readonly string[],
  surroundings: Surroundings = MACHINE,
): Promise<number> {
  const settings = readCommandLine(applet, words, surroundings.env['MODPROBE_OPTIONS']);
  if (settings === 1) return 1;
  const { action, operands, syslog, all } = settings;
  if (action === 'help') {
    print(HELP);
    return 0;
  }
  if (action === 'version') {
    printVersion();
    return 0;
  }
  applet.syslog = syslog;
  const [first = '', ...others] = operands;
  if (operands.length === 0 && action !== 'show-config') {
    applet.error('missing parameters. See -h.');
    return 1;
  }
  const run = new ModprobeRun(applet, settings, surroundings);
  if (action === 'show-config') {
    const { showConfig } = await import('./modprobe-config.ts');
    showConfig(run);
    return 0;
  }
  if (action === 'show-modversions' || action === 'show-exports') {
    const { showSymbols } = await import('./modprobe-symbols.ts');
    return showSymbols(run, first) ? 0 : 1;
  }
  if (action === 'remove') {
    const { Remover } = await import('./modprobe-remove.ts');
    const remover = new Remover(run);
    return each(operands, async (name) => remover.remove(name));
  }
  const { Inserter, joinParameters } = await import('./modprobe-insert.ts');
  const inserter = new Inserter(run);
  if (all) return each(operands, async (name) => inserter.insert(name, ''));
  return (await inserter.insert(first, joinParameters(others))) ? 0 : 1;
}

/** Each in turn, whatever came of those before it. */
async function each(names: readonly string[], act: (name: string) => Promise<boolean>): Promise<number> {
  let status = 0;
  for (const name of names) {
    if (!(await act(name))) status = 1;
  }
  return status;
}

export const command: Command = {
  name: 'modprobe',
  summary: 'insert modules with what they need, or remove them',
  usage: '[OPTION…] MODULE [PARAMETER=VALUE…]',
  run: async (words) => runApplet('modprobe', (applet) => modprobe(applet, words)),
};
