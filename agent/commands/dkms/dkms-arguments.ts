/** dkms's command line, word by word: options and the action in any order, long options by any name that begins with theirs. Reads argv. */
import { existsSync } from 'node:fs';
import { statHere } from '../../base/root.ts';
import { meantWord } from '../../base/spelling.ts';
import { ACTIONS, type Action, type DkmsOptions } from '../../dkms/run/dkms-options.ts';
import { DEPRECATED, SWITCHES, valuedOption, type Key, type Switch } from './option-table.ts';

/** What the command line sets of framework.conf's settings; undefined where it sets nothing. */
export interface SettingOptions {
  /** `--root`, plugd's own: another system's files; '' for this one. */
  readonly root: string;
  readonly dkmsTree: string | undefined;
  readonly sourceTree: string | undefined;
  readonly installTree: string | undefined;
  /** `-j`: how many jobs; 0 for any number. */
  readonly jobs: number | undefined;
  readonly verbose: boolean;
  readonly symlinkModules: boolean;
  readonly modprobeOnInstall: boolean;
  /** `--sandbox`, `--no-sandbox`. */
  readonly sandbox: boolean | undefined;
}

/** An error of the command line: lines for standard error, dkms's exit status, and whether the usage follows. */
export interface ArgumentError {
  readonly kind: 'error';
  readonly status: number;
  readonly lines: readonly string[];
  readonly usage: boolean;
}

/** What the command line asks for. `notes` are lines for standard error that keep nothing from being done. */
export type DkmsArguments =
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | ArgumentError
  | {
      readonly kind: 'run';
      readonly options: DkmsOptions;
      readonly settings: SettingOptions;
      readonly quiet: boolean;
      readonly json: boolean;
      readonly notes: readonly string[];
    };

/** Understands `words`, the arguments behind `dkms`. */
export function parseDkms(words: readonly string[]): DkmsArguments {
  const values = new Map<Key, string[]>();
  const on = new Set<Switch>();
  const notes: string[] = [];
  let action: Action | undefined;
  let source = '';
  let unknown: string | undefined;
  const put = (key: Key, value: string) => values.set(key, [...(values.get(key) ?? []), value]);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--version' || word === '-V') return { kind: 'version' };
    if (word === '--help' || word === '-h') return { kind: 'help' };
    const valued = valuedOption(word);
    if (valued !== undefined) {
      const inline = word.indexOf('=');
      put(valued, inline < 0 ? (words[++i] ?? '') : word.slice(inline + 1));
    } else if (Object.hasOwn(SWITCHES, word)) {
      on.add(SWITCHES[word as keyof typeof SWITCHES]);
    } else if (DEPRECATED.includes(word)) {
      notes.push(`Deprecated feature: ${word}`);
    } else if (word.startsWith('-')) {
      return { kind: 'error', status: 2, lines: [`Unknown option: ${word}`], usage: true };
    } else if (isAction(word)) {
      if (action !== undefined) return failure(4, 'Cannot specify more than one action.');
      action = word;
    } else if (isSource(word)) source = word;
    else if (statHere(word)?.isFile() === true) put('archive', word);
    else if (values.has('module')) notes.push(`Warning: I do not know how to handle ${word}.`);
    else {
      unknown ??= word;
      put('module', word);
    }
  }
  const bad = conflict(values, on, action);
  if (bad !== undefined) return bad;
  if (action === undefined) return noAction(unknown);
  return { kind: 'run', notes, quiet: on.has('quiet'), json: on.has('json'), ...settle(action, source, values, on) };
}

function settle(
  action: Action,
  source: string,
  values: ReadonlyMap<Key, readonly string[]>,
  on: ReadonlySet<Switch>,
): { readonly options: DkmsOptions; readonly settings: SettingOptions } {
  const last = (key: Key) => values.get(key)?.at(-1) ?? '';
  const given = (key: Key) => values.get(key)?.at(-1);
  const [module = '', version = ''] = halves(last('module'));
  const kernels = (values.get('kernel') ?? []).map(halves);
  const arches = [...kernels.flatMap(([, arch]) => (arch === undefined ? [] : [arch])), ...(values.get('arch') ?? [])];
  const jobs = given('jobs');
  return {
    options: {
      action,
      module,
      version: given('version') ?? version,
      source,
      archive: last('archive'),
      kernels: kernels.map(([release = '']) => release),
      arches,
      all: on.has('all'),
      confFile: last('confFile'),
      kernelConfig: last('kernelConfig'),
      kernelSource: last('kernelSource'),
      templateKernel: last('templateKernel'),
      directives: values.get('directive') ?? [],
      force: on.has('force'),
      forceVersion: on.has('forceVersion'),
      binariesOnly: on.has('binariesOnly'),
      sourceOnly: on.has('sourceOnly'),
      rpmSafeUpgrade: on.has('rpmSafeUpgrade'),
      noDepmod: on.has('noDepmod'),
      repair: on.has('repair'),
      dryRun: on.has('dryRun'),
    },
    settings: {
      root: last('root').replace(/\/+$/, ''),
      dkmsTree: given('dkmsTree'),
      sourceTree: given('sourceTree'),
      installTree: given('installTree'),
      jobs: jobs === undefined ? undefined : Number.parseInt(jobs, 10),
      verbose: on.has('verbose'),
      symlinkModules: on.has('symlinkModules'),
      modprobeOnInstall: on.has('modprobeOnInstall'),
      sandbox: on.has('noSandbox') ? false : on.has('sandbox') || undefined,
    },
  };
}

/** What cannot go together, in dkms's order. */
function conflict(
  values: ReadonlyMap<Key, readonly string[]>,
  on: ReadonlySet<Switch>,
  action: Action | undefined,
): ArgumentError | undefined {
  const kernels = values.get('kernel') ?? [];
  const arches = values.get('arch') ?? [];
  if (on.has('binariesOnly') && on.has('sourceOnly')) {
    return failure(8, 'You have specified both --binaries-only and --source-only.', 'You cannot do this.');
  }
  if (arches.length > 1 && arches.length !== kernels.length) {
    return failure(
      1,
      'If more than one arch is specified on the command line, then there',
      'must be an equal number of kernel versions also specified (1:1 relationship).',
    );
  }
  if (kernels.length > 0 && on.has('all')) {
    return failure(2, 'You cannot specify a kernel version and also specify', '--all on the command line.');
  }
  if (arches.length > 0 && on.has('all')) {
    return failure(3, 'You cannot specify an arch and also specify', '--all on the command line.');
  }
  if (action?.startsWith('kernel_') === true && kernels.length !== 1) {
    return failure(4, `The action ${action} requires exactly one kernel version parameter on the command line.`);
  }
  for (const [key, list] of [
    ['kernelver', kernels],
    ['arch', arches],
  ] as const) {
    const empty = list.findIndex((value) => value === '' || value.startsWith('/'));
    if (empty >= 0) return failure(16, `Empty ${key}[${empty}]`);
    const unsafe = list.find((value) =>
      halves(value).some((part) => part === '.' || part === '..' || part?.includes('/') === true),
    );
    if (unsafe !== undefined) return failure(16, `${unsafe} cannot be the name of a directory`);
  }
  const jobs = values.get('jobs')?.at(-1);
  if (jobs !== undefined && !/^[0-9]{1,4}$/.test(jobs)) return failure(2, `-j ${jobs}: not a number of jobs`);
  return undefined;
}

/** dkms gives 0 here, which no script relies on: a misspelt action would be taken for done. */
function noAction(word: string | undefined): ArgumentError {
  const near = word === undefined ? undefined : meantWord(word, ACTIONS);
  const hint = near === undefined ? [] : [`Did you mean "${near}"?`];
  return { kind: 'error', status: 2, lines: [`Unknown action specified: "${word ?? ''}"`, ...hint], usage: true };
}

function failure(status: number, ...lines: readonly string[]): ArgumentError {
  return { kind: 'error', status, lines, usage: false };
}

function halves(text: string): readonly [string?, string?] {
  const slash = text.indexOf('/');
  return slash < 0 ? [text] : [text.slice(0, slash), text.slice(slash + 1)];
}

function isAction(word: string): word is Action {
  return (ACTIONS as readonly string[]).includes(word);
}

/** A folder with a dkms.conf, or a file of such a name. */
function isSource(word: string): boolean {
  return word.endsWith('dkms.conf') ? existsSync(word) : existsSync(`${word}/dkms.conf`);
}
