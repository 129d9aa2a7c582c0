/** `plugd modprobe`: kmod's modprobe. Dispatches only: modprobe-options.ts parses, the other modprobe-*.ts files act. */
import { appletCommand, type Applet } from './applet.ts';
import { MODPROBE_USAGE, readCommandLine } from './modprobe-options.ts';
import { ModprobeRun, type Surroundings } from './modprobe-run.ts';

const MACHINE: Surroundings = { sysfs: '/sys', proc: '/proc', env: process.env };

/** Runs modprobe with the arguments after its name; returns its exit status. */
export async function modprobe(
  applet: Applet,
  words: readonly string[],
  surroundings: Surroundings = MACHINE,
): Promise<number> {
  const settings = readCommandLine(applet, words, surroundings.env['MODPROBE_OPTIONS']);
  const { action, operands, all } = settings;
  const [first = '', ...others] = operands;
  if (operands.length === 0 && action !== 'show-config') return applet.fail('missing parameters. See -h.');
  applet.acts = (action === 'insert' || action === 'remove') && !settings.dryRun;
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

/** Acts on each in turn, even after a failure. */
async function each(names: readonly string[], act: (name: string) => Promise<boolean>): Promise<number> {
  let status = 0;
  for (const name of names) {
    if (!(await act(name))) status = 1;
  }
  return status;
}

/** `plugd modprobe`. */
export const command = appletCommand(MODPROBE_USAGE, modprobe);
