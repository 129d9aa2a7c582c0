import type { ModuleRow } from '../../records/module-row.ts';
import { EXIT, OPTION, parse, type Command, type Option } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { outTerminal } from '../out-terminal.ts';
import { print } from '../output.ts';
import { offlineHost } from './offline-host.ts';

const LOADED: Option = { long: 'loaded', help: 'only modules that are loaded' };
const RULES: Option = { long: 'ruled', help: 'only modules that a rule is about' };

/** `plugd modules`. */
export const command: Command = {
  name: 'modules',
  summary: 'Lists the modules of the tree and of the kernel itself, with their state and the rules about them',
  usage: '[OPTION…] [GLOB…]',
  options: [LOADED, RULES, OPTION.json, OPTION.quiet, OPTION.root, OPTION.kernel, OPTION.sysfs, OPTION.proc],
  notes: `
A GLOB is held against a module's name and path; '-' and '_' are the same.
plugd why MODULE tells all about one.
Exit status: 0 done; 1 nothing matched.`,
  async run(args) {
    const parsed = parse(command, args);
    const host = offlineHost(parsed);
    const { listModules } = await import('../../explain/module-list.ts');
    const { compileGlob } = await import('../../rules/glob.ts');
    const globs = machineWords(parsed.words).map((word) => compileGlob(word.replaceAll('-', '_')));
    const chosen = (row: ModuleRow) =>
      (globs.length === 0 || globs.some((glob) => glob(row.module) || glob(row.path.replaceAll('-', '_')))) &&
      (!parsed.has(LOADED) || row.state === 'live' || row.state === 'coming') &&
      (!parsed.has(RULES) || row.rules.length > 0);
    const rows = listModules(host).filter(chosen);
    if (parsed.has(OPTION.json))
      print(`${JSON.stringify({ kernel: host.kernel, moduleDir: host.moduleDir, modules: rows }, undefined, 1)}\n`);
    else if (rows.length > 0 && !parsed.has(OPTION.quiet)) {
      const { moduleTable } = await import('../../report/module-table.ts');
      const terminal = outTerminal();
      print(moduleTable(rows, terminal, terminal.tableWidth));
    }
    return rows.length === 0 ? EXIT.negative : EXIT.done;
  },
};
