/**
 * modprobe's command line: kmod's options, and those that the environment variable MODPROBE_OPTIONS puts before them.
 *
 *     MODPROBE_OPTIONS="-v -C '/etc/my modules.conf'"
 *
 * Its words are parted by blanks; quotes of either kind hold blanks together, a quote that is never closed is a character as
 * any other. So that a modprobe in an `install` command goes about as its parent does, -C, -q, -s and -v are added to it.
 */
import { machineWords } from '../machine-words.ts';
import type { Applet } from './applet.ts';
import { LEVEL } from './applet.ts';
import type { LongOption } from './getopt.ts';

// In kmod's order, which messages about ambiguous options show. Names that mean the same share `short`, or what stands for it.
const OPTIONS: readonly LongOption[] = [
  { short: 'a', long: 'all' },
  { short: 'r', long: 'remove' },
  { short: 'holders', long: 'remove-dependencies' },
  { short: 'holders', long: 'remove-holders' },
  { short: 'w', long: 'wait', argument: 'required' },
  { long: 'first-time' },
  { short: 'i', long: 'ignore-install' },
  { short: 'i', long: 'ignore-remove' },
  { short: 'b', long: 'use-blacklist' },
  { short: 'f', long: 'force' },
  { long: 'force-modversion' },
  { long: 'force-vermagic' },
  { short: 'D', long: 'show-depends' },
  { short: 'c', long: 'showconfig' },
  { short: 'c', long: 'show-config' },
  { short: 'versions', long: 'show-modversions' },
  { short: 'versions', long: 'dump-modversions' },
  { long: 'show-exports' },
  { short: 'n', long: 'dry-run' },
  { short: 'n', long: 'show' },
  { short: 'R', long: 'resolve-alias' },
  { short: 'R', long: 'show-alias' },
  { short: 'C', long: 'config', argument: 'required' },
  { short: 'd', long: 'dirname', argument: 'required' },
  { short: 'S', long: 'set-version', argument: 'required' },
  { short: 's', long: 'syslog' },
  { short: 'q', long: 'quiet' },
  { short: 'v', long: 'verbose' },
  { short: 'V', long: 'version' },
  { short: 'h', long: 'help' },
];

/** What `modprobe -h` prints. */
export const HELP = `usage: modprobe [OPTION…] [-i] [-b] MODULE [PARAMETER=VALUE…]
       modprobe [OPTION…] -a MODULE…
       modprobe [OPTION…] -r [-a] MODULE…
       modprobe [OPTION…] -R NAME
       modprobe [OPTION…] -c
       modprobe [OPTION…] --show-modversions|--show-exports FILE|MODULE

Inserts modules with what they need, or removes them. MODULE is a name, an
alias, or a path that begins with / or ./.

  -a, --all                every operand is a module
  -r, --remove             remove
      --remove-holders     remove what uses the module first (implies -r)
  -w, --wait MSEC          with -r: wait so long for a module in use
      --first-time         fail if it is loaded already, or with -r not loaded
  -i, --ignore-install, --ignore-remove
                           pass over the module's commands and softdeps
  -b, --use-blacklist      blacklist counts for a module's own name too
  -f, --force              both of the next; with -r remove though in use
      --force-modversion   insert in spite of other symbol versions
      --force-vermagic     insert in spite of another version magic

  -R, --show-alias         print what the name stands for
  -D, --show-depends       print what would be inserted if nothing were loaded
  -c, --show-config        print the configuration and the aliases
      --show-modversions   print the symbol versions a module needs
      --show-exports       print the symbols a module exports

  -n, --dry-run, --show    change nothing; with -v print what would be done
  -C, --config PATH        read this file or directory instead of modprobe.d
  -d, --dirname DIR        modules are in DIR/lib/modules
  -S, --set-version V      modules of kernel V instead of the running one
  -s, --syslog             messages go to the system log
  -q, --quiet              no messages
  -v, --verbose            print what is done; more messages
  -V, --version            print the version
  -h, --help               print this

Options in MODPROBE_OPTIONS come before those of the command line.
`;

/** What is to be done. */
export type ModprobeAction =
  | 'insert'
  | 'remove'
  | 'show-alias'
  | 'show-config'
  | 'show-modversions'
  | 'show-exports'
  | 'version'
  | 'help';

/** What the command line says. */
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
  /** Whether each insertion and removal is printed. */
  readonly show: boolean;
  readonly configPaths: readonly string[];
  readonly dirname: string | undefined;
  readonly version: string | undefined;
  readonly syslog: boolean;
  /** The level of messages. */
  readonly level: number;
  /** MODPROBE_OPTIONS for commands; undefined when it is not set. */
  readonly childOptions: string | undefined;
}

/** Options whose place in the order counts, or which hand something on. */
class Reader {
  level: number = LEVEL.warning;
  waitMs = 0;
  dirname: string | undefined;
  version: string | undefined;
  childOptions: string | undefined;
  readonly configPaths: string[] = [];
  readonly given = new Set<string>();

  /** False for a value that is none. */
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

/** The settings, or after a message the status 1. `environment` is MODPROBE_OPTIONS as it is set. */
export function readCommandLine(
  applet: Applet,
  words: readonly string[],
  environment: string | undefined,
): ModprobeSettings | 1 {
  const inherited = environment === undefined ? [] : splitOptions(environment);
  const reader = new Reader();
  reader.childOptions = environment;
  const { options, operands } = applet.parse(OPTIONS, [...inherited, ...words]);
  for (const { name, argument } of options) {
    if (reader.take(name, argument)) {
      // As in kmod these two do not look any further.
      if (name === 'version' || name === 'help') break;
      continue;
    }
    applet.error(`unexpected wait value '${argument}'.`);
    return 1;
  }
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
    syslog: reader.has('syslog'),
    level: reader.level,
    childOptions: reader.childOptions,
  };
}

function actionOf(reader: Reader): ModprobeAction {
  if (reader.has('version')) return 'version';
  if (reader.has('help')) return 'help';
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

/** strtoul(3) with base 0, of all the text: `10`, `0x10`, `010`; NaN for anything else. */
function unsignedNumber(text: string): number {
  const digits = /^[\t-\r ]*\+?(0[xX][0-9a-fA-F]+|[0-9]+)$/.exec(text)?.[1];
  if (digits === undefined) return Number.NaN;
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  return /^0[0-9]/.test(digits) ? Number.NaN : Number(digits);
}

function quoted(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}
