/**
 * modprobe's command line: kmod's options, and those that the environment variable MODPROBE_OPTIONS puts before them.
 * Parses only: the applet prints help and errors, and modprobe.ts acts.
 *
 *     MODPROBE_OPTIONS="-v -C '/etc/my modules.conf'"
 *
 * Blanks separate its words; quotes of either kind keep blanks together, and a quote without a partner is an ordinary character.
 * plugd adds -C, -q, -s and -v to it, so that a modprobe in an `install` command behaves like its parent.
 */
import { machineWords } from '../machine-words.ts';
import { LEVEL, type Applet } from './applet.ts';
import { APPLET_OPTION, type AppletUsage } from './applet-help.ts';

/** modprobe's options. Names with the same meaning share `short`, or a word in its place. */
export const MODPROBE_USAGE: AppletUsage = {
  name: 'modprobe',
  forms: [
    '[OPTION...] [-i] [-b] MODULE [PARAMETER=VALUE...]',
    '[OPTION...] -a MODULE...',
    '[OPTION...] -r [-a] MODULE...',
    '[OPTION...] -R NAME',
    '[OPTION...] -c',
    '[OPTION...] --show-modversions|--show-exports FILE|MODULE',
  ],
  about: `Inserts modules with what they need, or removes them. MODULE is a name, an
alias, or a path that begins with / or ./.`,
  options: [
    { short: 'a', long: 'all', group: 1, help: 'every operand is a module' },
    { short: 'r', long: 'remove', group: 1, help: 'remove' },
    { short: 'holders', long: 'remove-dependencies' },
    {
      short: 'holders',
      long: 'remove-holders',
      group: 1,
      help: 'remove what uses the module first (implies -r)',
    },
    { short: 'w', long: 'wait', value: 'MSEC', group: 1, help: 'with -r: wait this long for a module in use' },
    { long: 'first-time', group: 1, help: 'fail if it is loaded already, or with -r not loaded' },
    { short: 'i', long: 'ignore-install', group: 1, help: "ignore the module's commands and softdeps" },
    { short: 'i', long: 'ignore-remove', group: 1, beside: true },
    { short: 'b', long: 'use-blacklist', group: 1, help: "blacklist counts for a module's own name too" },
    { short: 'f', long: 'force', group: 1, help: 'both of the next; with -r remove even if in use' },
    { long: 'force-modversion', group: 1, help: 'insert in spite of other symbol versions' },
    { long: 'force-vermagic', group: 1, help: 'insert in spite of another version magic' },
    { short: 'D', long: 'show-depends', group: 2, help: 'print what would be inserted if nothing were loaded' },
    { short: 'c', long: 'showconfig' },
    { short: 'c', long: 'show-config', group: 2, help: 'print the configuration and the aliases' },
    { short: 'versions', long: 'show-modversions', group: 2, help: 'print the symbol versions a module needs' },
    { short: 'versions', long: 'dump-modversions' },
    { long: 'show-exports', group: 2, help: 'print the symbols a module exports' },
    { short: 'n', long: 'dry-run', help: 'change nothing; with -v print what would be done' },
    { short: 'n', long: 'show', beside: true },
    { short: 'R', long: 'resolve-alias' },
    { short: 'R', long: 'show-alias', group: 2, help: 'print what the name stands for' },
    { short: 'C', long: 'config', value: 'PATH', help: 'read this file or directory instead of modprobe.d' },
    { short: 'd', long: 'dirname', value: 'DIR', help: 'modules are in DIR/lib/modules' },
    { short: 'S', long: 'set-version', value: 'V', help: 'modules of kernel V instead of the running one' },
    APPLET_OPTION.syslog,
    { short: 'q', long: 'quiet', help: 'no messages' },
    { short: 'v', long: 'verbose', help: 'print what is done; more messages' },
    APPLET_OPTION.version,
    APPLET_OPTION.help,
  ],
  notes: 'Options in MODPROBE_OPTIONS come before those of the command line.',
};

/** What modprobe should do. */
export type ModprobeAction = 'insert' | 'remove' | 'show-alias' | 'show-config' | 'show-modversions' | 'show-exports';

/** What the command line asks for. */
export interface ModprobeSettings {
  readonly action: ModprobeAction;
  /** Machine text (latin1). */
  readonly operands: readonly string[];
  readonly all: boolean;
  readonly removeHolders: boolean;
  readonly waitMs: number;
  readonly firstTime: boolean;
  readonly ignoreCommands: boolean;
  readonly useBlacklist: boolean;
  readonly force: boolean;
  readonly forceModversion: boolean;
  readonly forceVermagic: boolean;
  readonly ignoreLoaded: boolean;
  readonly dryRun: boolean;
  /** Whether to print each insertion and removal. */
  readonly show: boolean;
  readonly configPaths: readonly string[];
  readonly dirname: string | undefined;
  readonly version: string | undefined;
  /** The level of messages. */
  readonly level: number;
  /** MODPROBE_OPTIONS for commands; undefined when it is not set. */
  readonly childOptions: string | undefined;
}

/** Options whose order matters, or which modprobe passes on to commands. */
class Reader {
  level: number = LEVEL.warning;
  waitMs = 0;
  dirname: string | undefined;
  version: string | undefined;
  childOptions: string | undefined;
  readonly configPaths: string[] = [];
  readonly given = new Set<string>();

  /** Returns false for an invalid value. */
  take(name: string, argument: string): boolean {
    this.given.add(name);
    if (name === 'quiet') this.level = LEVEL.emergency;
    else if (name === 'verbose') this.level++;
    else if (name === 'config') this.configPaths.push(argument);
    else if (name === 'dirname') this.dirname = argument;
    else if (name === 'set-version') this.version = argument;
    else if (name === 'wait') {
      this.waitMs = unsignedNumber(argument);
      if (Number.isNaN(this.waitMs)) return false;
    }
    if (name === 'quiet' || name === 'verbose' || name === 'syslog') this.#handOn(`-${name.charAt(0)}`);
    else if (name === 'config') this.#handOn(`-C ${/[ '"]/.test(argument) ? quoted(argument) : argument}`);
    return true;
  }

  has(...names: readonly string[]): boolean {
    return names.some((name) => this.given.has(name));
  }

  #handOn(words: string): void {
    this.childOptions = this.childOptions === undefined ? words : `${this.childOptions} ${words}`;
  }
}

/** The settings. `environment` is the value of MODPROBE_OPTIONS. */
export function readCommandLine(
  applet: Applet,
  words: readonly string[],
  environment: string | undefined,
): ModprobeSettings {
  const inherited = environment === undefined ? [] : splitOptions(environment);
  const reader = new Reader();
  reader.childOptions = environment;
  const operands = applet.start(MODPROBE_USAGE, [...inherited, ...words], (name, argument) => {
    if (!reader.take(name, argument)) applet.fail(`unexpected wait value '${argument}'.`);
  });
  const showDepends = reader.has('show-depends');
  return {
    action: actionOf(reader),
    operands: machineWords(operands),
    all: reader.has('all'),
    removeHolders: reader.has('remove-holders', 'remove-dependencies'),
    waitMs: reader.waitMs,
    firstTime: reader.has('first-time'),
    ignoreCommands: reader.has('ignore-install', 'ignore-remove'),
    useBlacklist: reader.has('use-blacklist'),
    force: reader.has('force'),
    forceModversion: reader.has('force', 'force-modversion'),
    forceVermagic: reader.has('force', 'force-vermagic'),
    ignoreLoaded: showDepends,
    dryRun: showDepends || reader.has('dry-run', 'show'),
    show: showDepends || reader.level > LEVEL.warning,
    configPaths: reader.configPaths,
    dirname: reader.dirname,
    version: reader.version,
    level: reader.level,
    childOptions: reader.childOptions,
  };
}

function actionOf(reader: Reader): ModprobeAction {
  if (reader.has('show-config', 'showconfig')) return 'show-config';
  if (reader.has('show-modversions', 'dump-modversions')) return 'show-modversions';
  if (reader.has('show-exports')) return 'show-exports';
  if (reader.has('remove', 'remove-holders', 'remove-dependencies')) return 'remove';
  return reader.has('show-alias', 'resolve-alias') ? 'show-alias' : 'insert';
}

/** The words of MODPROBE_OPTIONS; see the top of this file. */
export function splitOptions(text: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let begun = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    const close = c === '"' || c === "'" ? text.indexOf(c, i + 1) : -1;
    if (close >= 0) {
      word += text.slice(i + 1, close);
      begun = true;
      i = close;
    } else if (c !== ' ') {
      word += c;
      begun = true;
    } else if (begun) {
      words.push(word);
      word = '';
      begun = false;
    }
  }
  return begun ? [...words, word] : words;
}

/** strtoul(3) with base 0, over the whole text: `10`, `0x10`, `010`; NaN for anything else. */
function unsignedNumber(text: string): number {
  const digits = /^[\t-\r ]*\+?(0[xX][0-9a-fA-F]+|[0-9]+)$/.exec(text)?.[1];
  if (digits === undefined) return Number.NaN;
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  return /^0[0-9]/.test(digits) ? Number.NaN : Number(digits);
}

function quoted(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}
