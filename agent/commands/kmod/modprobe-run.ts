import { release } from 'node:os';
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import { problemText, type Problem } from '../../base/problem.ts';
import { absolute } from '../machine-words.ts';
import { readKernelCommandLine, readModprobeConfig } from '../../facts/config/config-text.ts';
import { readModuleState } from '../../facts/kernel/sys-module.ts';
import type { CommandEnd } from '../../insert/install-command.ts';
import type { Candidate } from '../../match/candidate.ts';
import { createMatcher, type MatchIndexes, type Matcher } from '../../match/matcher.ts';
import { findTree } from '../../load/tree.ts';
import type { FactSources } from '../../plan/planned-module.ts';
import type { Config } from '../../rules/modprobe/config.ts';
import { configuredNames, mergeConfig } from '../../rules/modprobe/merged-config.ts';
import type { Applet } from './applet.ts';
import type { ModprobeSettings } from './modprobe-options.ts';

/** Where modprobe looks and writes; tests have others than the machine's. */
export interface Surroundings {
  readonly sysfs: string;
  readonly proc: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How often the command of one module may begin inside itself, before it is taken for an endless loop. */
const MOST_NESTED = 10;
/** The modules whose commands are running, outermost first: `foo bar foo`. */
const NESTING = 'PLUGD_MODPROBE_NESTING';

/** One run of modprobe: what it works with, whatever it does. */
export class ModprobeRun {
  readonly applet: Applet;
  readonly settings: ModprobeSettings;
  readonly surroundings: Surroundings;
  readonly host: Host;
  readonly config: Config;
  readonly indexes: MatchIndexes;
  readonly matcher: Matcher;
  readonly #treeProblems: () => readonly Problem[];
  #told = 0;

  /** Reads the configuration and tells what is wrong with it, whatever -q says, as kmod. */
  constructor(applet: Applet, settings: ModprobeSettings, surroundings: Surroundings) {
    this.applet = applet;
    this.settings = settings;
    this.surroundings = surroundings;
    const { sysfs, proc } = surroundings;
    const kernel = settings.version ?? release();
    const moduleDir = absolute(`${settings.dirname ?? ''}/lib/modules/${kernel}`);
    // Only the modules are below -d; configuration is this machine's.
    this.host = { root: '', kernel, moduleDir, sysfs, proc };
    const { configPaths } = settings;
    const texts = readModprobeConfig(this.host, configPaths.length > 0 ? { paths: configPaths } : {});
    this.config = mergeConfig(texts, readKernelCommandLine(this.host));
    for (const problem of this.config.problems) {
      if (problem.severity === 'error') applet.error(problemText(problem));
    }
    applet.level = settings.level;
    const found = findTree(this.host);
    // Without a tree nothing is found, which is said of each name.
    const tree = found.kind === 'no-tree' ? undefined : found;
    this.indexes = tree?.indexes ?? {};
    this.#treeProblems = () => tree?.problems() ?? [];
    this.matcher = createMatcher(this.indexes, configuredNames(this.config), { repeats: true });
  }

  /** What plans are made from. `module_blacklist=` is left to the kernel. */
  facts(matcher: Matcher = this.matcher): FactSources {
    return { matcher, config: this.config, moduleDir: this.host.moduleDir, kernelBlacklist: false };
  }

  /** The candidates for a name, as many times as kmod has them; empty when there are none. */
  candidates(name: string): readonly Candidate[] {
    const lookup = this.matcher.lookup(name);
    // Before what may end the command.
    for (const problem of this.#treeProblems().slice(this.#told)) {
      this.#told++;
      this.applet.warning(problemText(problem));
    }
    return lookup.kind === 'found' ? lookup.candidates : [];
  }

  /** A module's state now; undefined when it is not loaded. Of a built-in module this says nothing. */
  state(module: ModuleName) {
    return readModuleState(this.host.sysfs, module);
  }

  /** What keeps the command from its aim: the end of it, or with -a a warning. */
  complain(text: string): void {
    if (this.settings.all) this.applet.warning(text);
    else this.applet.fatal(text);
  }

  /** A line of -v, -n -v or -D. It is written at once, so that it comes before what a command writes. */
  show(line: string): void {
    if (this.settings.show) this.applet.print(`${line}\n`);
  }

  /** Runs an `install` or `remove` command as modprobe's child: it shares its input and output, and MODPROBE_OPTIONS. */
  async command(text: string, module: ModuleName): Promise<CommandEnd> {
    const running = (this.surroundings.env[NESTING] ?? '').split(' ').filter((name) => name !== '');
    if (running.filter((name) => name === module).length >= MOST_NESTED) {
      return { kind: 'command-failed', code: undefined, why: 'it leads back to itself (modprobe -i in it would not)' };
    }
    const { runCommand } = await import('../../insert/install-command.ts');
    const { childOptions } = this.settings;
    const env = {
      [NESTING]: [...running, module].join(' '),
      ...(childOptions === undefined ? {} : { MODPROBE_OPTIONS: childOptions }),
    };
    return runCommand(text, module, { inherit: true, env });
  }
}
