/** `plugd depmod`: reads the command line; depmod/ builds and writes the indexes. */
import { availableParallelism, release } from 'node:os';
import { fromMachineText, toMachineText } from '../../base/machine-text.ts';
import { absolute } from '../machine-words.ts';
import { telling } from '../output.ts';
import { addonIfBuilt } from '../../base/addon.ts';
import { lookInRoot } from '../../base/root.ts';
import { indexFiles, readTree, TEXT_FILES, textFiles } from '../../depmod/index-build.ts';
import type { IndexLayout } from '../../indexes/index-writer.ts';
import type { Level } from '../../depmod/message.ts';
import { publishIndexes } from '../../depmod/publication.ts';
import { isUpToDate } from '../../depmod/freshness.ts';
import type { ReadPlace } from '../../depmod/tree-text.ts';
import { findNamedModules } from '../../depmod/module-search.ts';
import { holdDirectory } from '../../depmod/held-directory.ts';
import { appletCommand, LEVEL, type Applet } from './applet.ts';
import { APPLET_OPTION, type AppletUsage } from './applet-help.ts';

/** With more, the one thread that takes the results has no end of work. */
const MOST_THREADS = 8;

const USAGE: AppletUsage = {
  name: 'depmod',
  forms: ['[OPTION...] [VERSION]', '[OPTION...] VERSION FILE...'],
  about: `Builds the indexes of a module tree: modules.dep, modules.alias and the others
that modprobe looks things up in. VERSION is the running kernel's if it is not
given. With FILEs (absolute paths) the indexes have only these modules.`,
  options: [
    { short: 'a', long: 'all', group: 1, help: 'all modules of the tree, whatever FILEs are named' },
    { short: 'A', long: 'quick', group: 1, help: 'do nothing if no module is newer than modules.dep' },
    { short: 'b', long: 'basedir', value: 'DIR', group: 2, help: 'the tree is in DIR/lib/modules/VERSION' },
    { short: 'm', long: 'moduledir', value: 'DIR', group: 2, help: 'instead of lib/modules, below the base directory' },
    { short: 'o', long: 'outdir', value: 'DIR', group: 2, help: 'write below DIR instead of the base directory' },
    { short: 'C', long: 'config', value: 'PATH', group: 2, help: 'read this file or directory instead of depmod.d' },
    { short: 'E', long: 'symvers', value: 'FILE', group: 3, help: "the kernel's symbols and versions: Module.symvers" },
    { short: 'F', long: 'filesyms', value: 'FILE', group: 3, help: "the kernel's symbols: System.map" },
    {
      short: 'e',
      long: 'errsyms',
      group: 3,
      help: 'report symbols that nothing provides, or in another version; needs -E or -F',
    },
    {
      long: 'index-order',
      value: 'ORDER',
      help: 'nodes of .bin files: children-first (kmod up to 33, the default) or parent-first (kmod 34 and later)',
    },
    { short: 'v', long: 'verbose', help: 'print which symbol makes which module need another' },
    { short: 'n', long: 'show', group: 1, help: 'print the text files; write nothing' },
    { short: 'n', long: 'dry-run', group: 1, beside: true },
    {
      short: 'P',
      long: 'symbol-prefix',
      value: 'C',
      group: 3,
      help: "the character in front of the architecture's symbols",
    },
    { short: 'w', long: 'warn', group: 3, help: 'report entries that are in an index twice' },
    APPLET_OPTION.version,
    APPLET_OPTION.help,
  ],
};

const LEVELS: Readonly<Record<Level, number>> = { error: LEVEL.error, warning: LEVEL.warning, info: LEVEL.info };
const LAYOUTS: readonly IndexLayout[] = ['children-first', 'parent-first'];

/** What the command line asks for. */
interface Settings {
  quick: boolean;
  base: string;
  moduleDirectory: string;
  out: string | undefined;
  readonly configPaths: string[];
  symvers: string | undefined;
  systemMap: string | undefined;
  reportUnknown: boolean;
  show: boolean;
  prefix: string | undefined;
  warnDuplicates: boolean;
  layout: IndexLayout;
}

async function main(applet: Applet, words: readonly string[]): Promise<number> {
  const settings: Settings = {
    quick: false,
    base: '',
    moduleDirectory: 'lib/modules',
    out: undefined,
    configPaths: [],
    symvers: undefined,
    systemMap: undefined,
    reportUnknown: false,
    show: false,
    prefix: undefined,
    warnDuplicates: false,
    layout: 'children-first',
  };
  let verbosity = 0;
  let all = false;
  const [kernel = release(), ...files] = applet.start(USAGE, words, (name, argument) => {
    if (name === 'verbose') verbosity++;
    else if (name === 'all') all = true;
    else set(settings, applet, name, argument);
  });
  if (!/^\s*[+-]?\d+\.\s*[+-]?\d/.test(kernel)) return applet.fail(`Bad version passed ${kernel}`);
  const moduleDir = `${settings.base}/${settings.moduleDirectory}/${kernel}`;
  const place = { root: linksStayIn(settings.base, moduleDir), moduleDir };
  if (settings.quick) {
    if (settings.show || isUpToDate(place, say(applet))) return 0;
    all = true;
  }
  if (all) files.length = 0;
  applet.acts = !settings.show;
  applet.level = LEVEL.warning + verbosity;
  return build(applet, settings, kernel, place, files, verbosity > 0);
}

function set(settings: Settings, applet: Applet, name: string, argument: string): void {
  if (name === 'quick') settings.quick = true;
  else if (name === 'basedir') settings.base = toMachineText(absolute(argument));
  else if (name === 'moduledir') settings.moduleDirectory = argument.replace(/^\/+/, '');
  else if (name === 'outdir') settings.out = toMachineText(absolute(argument));
  else if (name === 'config') settings.configPaths.push(argument);
  else if (name === 'symvers') settings.symvers = argument;
  else if (name === 'filesyms') settings.systemMap = argument;
  else if (name === 'errsyms') settings.reportUnknown = true;
  else if (name === 'show' || name === 'dry-run') settings.show = true;
  else if (name === 'warn') settings.warnDuplicates = true;
  else if (name === 'symbol-prefix') {
    if (argument.length !== 1) applet.fatal('-P only takes a single char');
    settings.prefix = argument;
  } else if (name === 'index-order') {
    const layout = LAYOUTS.find((known) => known === argument);
    if (layout === undefined) applet.fatal(`--index-order ${argument}: it is children-first or parent-first`);
    else settings.layout = layout;
  }
}

async function build(
  applet: Applet,
  settings: Settings,
  kernel: string,
  place: ReadPlace,
  files: readonly string[],
  shows: boolean,
): Promise<number> {
  const { moduleDir } = place;
  const { symvers, systemMap, layout, warnDuplicates } = settings;
  tuneV8();
  fitThreads();
  const messages = say(applet);
  if (settings.reportUnknown && symvers === undefined && systemMap === undefined) applet.warning('-e needs -E or -F');
  const outside = leadsOut(settings.base, moduleDir);
  if (outside !== undefined) {
    applet.fatal(outside);
    return 1;
  }
  const named = files.length === 0 ? undefined : findNamedModules(files, moduleDir);
  if (named?.kind === 'failed') {
    applet.fatal(named.why);
    return 1;
  }
  const tell = telling();
  const reading = await readTree({
    ...place,
    kernel,
    modules: named?.modules,
    configPaths: settings.configPaths.length === 0 ? undefined : settings.configPaths,
    symvers,
    systemMap,
    reportUnknown: settings.reportUnknown,
    symbolPrefix: settings.prefix,
    say: messages,
    progress: (done, total) => tell('modules', done, total),
    showDependency: shows ? (text) => applet.print(`${text}\n`) : undefined,
  });
  if (reading.kind === 'failed') {
    applet.fatal(reading.why);
    return 1;
  }
  if (reading.kind === 'circular') {
    for (const cycle of reading.cycles) applet.error(`Cycle detected: ${cycle.join(' -> ')}`);
    const members = new Set(reading.cycles.flat());
    return applet.fail(`Found ${members.size} modules in dependency cycles!`);
  }
  if (settings.show) {
    const texts = textFiles(reading.tree, messages);
    for (const name of TEXT_FILES) applet.print(texts.get(name) ?? '');
    return 0;
  }
  const indexes = indexFiles(place, reading.tree, { layout, warnDuplicates, say: messages });
  const directory = settings.out === undefined ? moduleDir : `${settings.out}/${settings.moduleDirectory}/${kernel}`;
  const publication = publishIndexes(directory, indexes, settings.out ?? settings.base);
  if (publication.kind === 'published') return 0;
  return applet.fail(publication.why);
}

/**
 * Modules leave much garbage. With V8's young generation at 2 MiB instead of 32, and the old one collected whenever it has grown by a fifth,
 * a run takes a third less memory in the same time. And V8 takes a twentieth of a run to compile functions for speed; with three
 * times its usual patience it compiles only those that pay for it.
 */
function tuneV8(): void {
  addonIfBuilt()?.setV8Flags('--semi-space-growth-factor=1 --heap-growing-percent=20 --interrupt-budget=400000');
}

/**
 * libuv starts four threads whatever the machine; more of them than processors only take turns. It looks at this variable when the first of
 * them is needed.
 */
function fitThreads(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= String(Math.min(availableParallelism(), MOST_THREADS));
}

/**
 * The directory that links stay in while the tree is read: the base directory if another user owns it, or a directory from it down to
 * the modules; '' for a tree of one's own, whose links lead where they lead, as for kmod.
 */
function linksStayIn(base: string, moduleDir: string): string {
  if (base === '') return '';
  const own = process.geteuid?.();
  const names = moduleDir.slice(base.length).split('/');
  const isOwn = names.every((_, i) => {
    const stat = lookInRoot('', fromMachineText(`${base}${names.slice(0, i + 1).join('/')}`));
    return typeof stat === 'number' || Number(stat.uid) === own;
  });
  return isOwn ? '' : fromMachineText(base);
}

/** Why it does nothing: the tree that kmod would write to lies outside the base directory. Undefined when it is inside or missing. */
function leadsOut(base: string, moduleDir: string): string | undefined {
  const held = holdDirectory(base, moduleDir, { create: false });
  if (held.kind !== 'held') return held.kind === 'outside' ? `${held.why}: nothing is written` : undefined;
  held.close();
  return undefined;
}

function say(applet: Applet): (level: Level, text: string) => void {
  return (level, text) => applet.log(LEVELS[level], text);
}

/** `plugd depmod`. */
export const command = appletCommand(USAGE, main);
