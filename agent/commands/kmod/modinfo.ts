/** `plugd modinfo`: prints what module files say about themselves, as kmod does. Changes nothing. */
import { release } from 'node:os';
import { moduleDirOf } from '../../base/host.ts';
import { ERRNO, errnoText } from '../../base/errno.ts';
import { fromMachineText, nativePath, toMachineText } from '../../base/machine-text.ts';
import { statHere } from '../../base/root.ts';
import { lookupKey, moduleFile, moduleName, type ModuleName, moduleNameFromPath } from '../../base/names.ts';
import { isModuleFileName } from '../../facts/modfiles/module-file-name.ts';
import type { ModinfoField } from '../../facts/modfiles/modinfo.ts';
import { builtinInfo, readModuleInfo } from '../../facts/modfiles/module-info.ts';
import { createMatcher } from '../../match/matcher.ts';
import { findTree, type ModuleTree, type NoTree } from '../../load/tree.ts';
import { moduleInfoRecord } from '../../explain/module-info-record.ts';
import type { ModuleInfoRecord } from '../../records/module-info.ts';
import {
  allFields,
  brokenParameters,
  moduleInfoBody,
  moduleInfoHead,
  type ModuleInfoStyle,
} from '../../report/module-info-text.ts';
import type { ModuleInfoSubject } from '../../records/module-info.ts';
import { absolute, machineWords } from '../machine-words.ts';
import { jsonText, SCHEMA_VERSION } from '../output.ts';
import { appletCommand, type Applet } from './applet.ts';
import { APPLET_OPTION, type AppletUsage } from './applet-help.ts';

const USAGE: AppletUsage = {
  name: 'modinfo',
  forms: ['[OPTION...] MODULE|FILE...'],
  about: `Prints what modules say of themselves. MODULE is a name or an alias; a FILE ends
in .ko, or .ko and the ending of its compression.`,
  options: [
    { short: 'a', long: 'author', group: 1, help: 'the same as -F author' },
    { short: 'd', long: 'description', group: 1, help: 'the same as -F description' },
    { short: 'l', long: 'license', group: 1, help: 'the same as -F license' },
    { short: 'p', long: 'parameters', group: 1, help: 'the same as -F parm' },
    { short: 'n', long: 'filename', group: 1, help: 'the same as -F filename' },
    { short: '0', long: 'null', group: 1, help: 'end each line with a NUL' },
    { short: 'm', long: 'modname', help: 'the operands are names of modules and nothing else' },
    { short: 'F', long: 'field', value: 'NAME', group: 1, help: 'only the values of this field' },
    { short: 'k', long: 'set-version', value: 'V', help: 'modules of kernel V instead of the running one' },
    { short: 'b', long: 'basedir', value: 'DIR', help: 'modules are in DIR/lib/modules' },
    APPLET_OPTION.version,
    APPLET_OPTION.help,
    { long: 'json', group: 1, help: 'print JSON (its schema is in docs/)' },
  ],
};

/** Options that stand for -F. */
const FIELDS: Readonly<Record<string, string>> = {
  author: 'author',
  description: 'description',
  license: 'license',
  parameters: 'parm',
  filename: 'filename',
};

/** One run: the requested fields, and the module tree, which opens at the first lookup of a name. */
class Modinfo {
  readonly #applet: Applet;
  readonly #moduleDir: string;
  readonly #style: ModuleInfoStyle;
  readonly #json: ModuleInfoRecord[] | undefined;
  #found: ModuleTree | NoTree | undefined;
  #status = 0;

  constructor(applet: Applet, moduleDir: string, style: ModuleInfoStyle, json: boolean) {
    this.#applet = applet;
    this.#moduleDir = moduleDir;
    this.#style = style;
    this.#json = json ? [] : undefined;
  }

  /** Prints the collected records, if JSON was requested; returns the exit status. */
  end(): number {
    if (this.#json !== undefined)
      this.#applet.print(
        toMachineText(
          jsonText(
            this.#json.map((record) => ({ schemaVersion: SCHEMA_VERSION, ...record })),
            2,
          ),
        ),
      );
    return this.#status;
  }

  path(word: string): void {
    const path = toMachineText(absolute(fromMachineText(word)));
    this.#show({ name: moduleNameFromPath(path), path });
  }

  /** A module name, alias or modalias: all modules it stands for, without regard to modprobe.d. */
  alias(word: string): void {
    const lookup = this.#open() === undefined ? undefined : this.#matcher().lookup(word);
    if (lookup?.kind === 'malformed') this.#fail(`Module alias ${word} not found.`);
    else if (lookup?.kind !== 'found') this.#fail(`Module ${word} not found.`);
    else for (const { module } of lookup.candidates) this.#show(this.#subject(module));
  }

  /** A module name only (-m): of a module file or a builtin module, or an alias of a builtin one. */
  name(word: string): void {
    const indexes = this.#open()?.indexes;
    const key = lookupKey(word);
    if (indexes === undefined || key === undefined) return this.#fail(`Module name ${word} not found.`);
    const isModule = !key.includes(':') && indexes.dep?.exact(key) !== undefined;
    const isName = isModule || indexes.builtin?.exact(key) !== undefined;
    const [alias] = isName ? [] : (indexes.builtinAliases?.search(key) ?? []);
    if (isName) this.#show(this.#subject(moduleName(key)));
    else if (alias !== undefined) this.#show(this.#subject(moduleName(alias.value)));
    else this.#fail(`Module name ${word} not found.`);
  }

  #fail(message: string): void {
    this.#status = 1;
    this.#applet.error(message);
  }

  #open(): ModuleTree | undefined {
    this.#found ??= findTree({ root: '', kernel: '', moduleDir: this.#moduleDir, sysfs: '/sys', proc: '/proc' });
    // Without a tree no name stands for anything, as in kmod.
    return this.#found.kind === 'no-tree' ? undefined : this.#found;
  }

  #matcher() {
    return createMatcher(this.#open()?.indexes ?? {}, { aliases: [], commands: [] });
  }

  #subject(module: ModuleName): ModuleInfoSubject {
    const path = this.#matcher().dependencies(module)?.path;
    return {
      name: module,
      path: path === undefined ? undefined : toMachineText(moduleFile({ moduleDir: this.#moduleDir }, path)),
    };
  }

  #show(subject: ModuleInfoSubject): void {
    const isText = this.#json === undefined;
    if (isText) this.#applet.print(moduleInfoHead(subject, this.#style));
    if (isText && this.#style.field === 'filename') return;
    const { name, path } = subject;
    const info = path === undefined ? undefined : readModuleInfo('', nativePath(path));
    if (info?.kind === 'not-a-module') {
      const why = `${errnoText(info.errno)} (${info.why})`;
      this.#fail(`could not get modinfo from '${name}': ${why}`);
      this.#json?.push(moduleInfoRecord(subject, info));
      return;
    }
    const fields = info === undefined ? this.#builtin(name) : allFields(info);
    if (fields === undefined) return;
    if (this.#json !== undefined) {
      this.#json.push(moduleInfoRecord(subject, info ?? fields));
      return;
    }
    if (this.#style.field === undefined || this.#style.field === 'parm') {
      for (const complaint of brokenParameters(fields)) this.#applet.error(complaint);
    }
    this.#applet.print(moduleInfoBody(fields, this.#style));
  }

  /** The strings of a builtin module; undefined after a complaint. Without modules.builtin.modinfo there are none to print. */
  #builtin(name: string): readonly ModinfoField[] | undefined {
    const text = this.#open()?.files.readText('modules.builtin.modinfo');
    if (text === undefined) return [];
    const fields = builtinInfo(text, name);
    if (fields === undefined) this.#fail(`could not get modinfo from '${name}': ${errnoText(ERRNO.ENOSYS)}`);
    return fields;
  }
}

function isModuleFile(word: string): boolean {
  return isModuleFileName(word) && (statHere(nativePath(word))?.isFile() ?? false);
}

function main(applet: Applet, words: readonly string[]): number {
  let field: string | undefined;
  let separator: ModuleInfoStyle['separator'] = '\n';
  let modname = false;
  let base = '';
  let kernel = release();
  let json = false;
  const operands = applet.start(USAGE, words, (name, argument) => {
    if (name === 'null') separator = '\0';
    else if (name === 'modname') modname = true;
    else if (name === 'field') field = toMachineText(argument);
    else if (name === 'set-version') kernel = argument;
    else if (name === 'basedir') base = argument;
    else if (name === 'json') json = true;
    else field = FIELDS[name];
  });
  if (operands.length === 0) return applet.fail('missing module or filename.');
  const moduleDir = base === '' ? moduleDirOf('', kernel) : absolute(`${base}/lib/modules/${kernel}`);
  const modinfo = new Modinfo(applet, moduleDir, { field, separator }, json);
  for (const word of machineWords(operands)) {
    if (modname) modinfo.name(word);
    else if (isModuleFile(word)) modinfo.path(word);
    else modinfo.alias(word);
  }
  return modinfo.end();
}

/** `plugd modinfo`. */
export const command = appletCommand(USAGE, main);
