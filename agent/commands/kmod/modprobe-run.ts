/** What every action of modprobe needs: host, configuration, tree, messages. It inserts and removes nothing itself. */
import { release } from 'node:os';
import { moduleDirOf, type Host } from '../../base/host.ts';
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

/** Where modprobe looks and writes; tests replace the machine's. */
export interface Surroundings {
  readonly sysfs: string;
  readonly proc: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How deep the command of one module may nest inside itself before it counts as an endless loop. */
const MOST_NESTED = 10;
/** The modules whose commands are running, outermost first: `foo bar foo`. */
const NESTING = 'PLUGD_MODPROBE_NESTING';

/** One run of modprobe: what each action works with. */
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

  /** Reads the configuration and reports what is wrong with it, whatever -q says, as kmod does. */
  constructor(applet: Applet, settings: ModprobeSettings, surroundings: Surroundings) {
    this.applet = applet;
    this.settings = settings;
    this.surroundings = surroundings;
    const { sysfs, proc } = surroundings;
    const kernel = settings.version ?? release();
    const { dirname } = settings;
    const moduleDir = dirname === undefined ? moduleDirOf('', kernel) : absolute(`${dirname}/lib/modules/${kernel}`);
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
    // Without a tree no name is found, and modprobe says so for each.
    const tree = found.kind === 'no-tree' ? undefined : found;
    this.indexes = tree?.indexes ?? {};
    this.#treeProblems = () => tree?.problems() ?? [];
    this.matcher = createMatcher(this.indexes, configuredNames(this.config), { repeats: true });
  }

  /** The input of plans. The kernel itself applies `module_blacklist=`. */
  facts(matcher: Matcher = this.matcher): FactSources {
    return { matcher, config: this.config, moduleDir: this.host.moduleDir, kernelBlacklist: false };
  }

  /** The candidates for a name, as often as kmod has them; empty when there are none. */
  candidates(name: string): readonly Candidate[] {
    const lookup = this.matcher.lookup(name);
    // Before anything that may end the command.
    for (const problem of this.#treeProblems().slice(this.#told)) {
      this.#told++;
      this.applet.warning(problemText(problem));
    }
    return lookup.kind === 'found' ? lookup.candidates : [];
  }

  /** A module's state now; undefined when it is not loaded. It says nothing about built-in modules. */
  state(module: ModuleName) {
    return readModuleState(this.host.sysfs, module);
  }

  /** Reports that the command cannot do what it should: this ends it, or with -a is a warning. */
  complain(text: string): void {
    if (this.settings.all) this.applet.warning(text);
    else this.applet.fatal(text);
  }

  /** A line of -v, -n -v or -D. It is written at once, before the output of a command. */
  show(line: string): void {
    if (this.settings.show) this.applet.print(`${line}\n`);
  }

  /** Runs an `install` or `remove` command as modprobe's child: it shares modprobe's input, output and MODPROBE_OPTIONS. */
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
