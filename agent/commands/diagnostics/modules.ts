/** `plugd modules`: lists the tree's modules with their state and rules. Changes nothing. */
import type { ModuleRow } from '../../records/module-row.ts';
import { EXIT, HOST_OPTIONS, hostOf, OPTION, parse, type Command, type Option } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print, printBytes, printJson, say, terminalAt } from '../output.ts';

const LOADED: Option = { long: 'loaded', help: 'only modules that are loaded' };
const RULES: Option = { long: 'ruled', help: 'only modules that a rule is about' };

/** `plugd modules`. */
export const command: Command = {
  name: 'modules',
  usage: '[OPTION…] [GLOB…]',
  options: [LOADED, RULES, OPTION.json, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
A GLOB matches a module's name or path; '-' and '_' are the same.
plugd why MODULE explains one module.
Exit status: 0 done; 1 nothing matched.`,
  async run(args) {
    const parsed = parse(command, args);
    const host = hostOf(parsed, true);
    const { listModules } = await import('../../explain/module-list.ts');
    const { compileGlob } = await import('../../rules/glob.ts');
    const globs = machineWords(parsed.words).map((word) => compileGlob(word.replaceAll('-', '_')));
    const chosen = (row: ModuleRow) =>
      (globs.length === 0 || globs.some((glob) => glob(row.module) || glob(row.path.replaceAll('-', '_')))) &&
      (!parsed.has(LOADED) || row.state === 'live' || row.state === 'coming') &&
      (!parsed.has(RULES) || row.rules.length > 0);
    const rows = listModules(host).filter(chosen);
    if (parsed.has(OPTION.json)) printJson({ kernel: host.kernel, moduleDir: host.moduleDir, modules: rows }, 1);
    else if (parsed.has(OPTION.quiet)) printBytes(rows.map(({ module }) => `${module}\n`).join(''));
    else if (rows.length > 0) {
      const { moduleTable } = await import('../../report/module-table.ts');
      print(moduleTable(rows, terminalAt(1)));
    } else say(`plugd: no module of ${host.moduleDir} matches\n`);
    return rows.length === 0 ? EXIT.negative : EXIT.done;
  },
};
