/** Reads dkms.conf for one kernel. Strings are ordinary text. */
import { release } from 'node:os';
import { existsInRoot } from '../../base/root.ts';
import { configValue } from '../../facts/kernel/kernel-config.ts';
import { readTextIn } from '../../facts/regular-file.ts';
import type { ConfError, ConfMessage } from '../../records/dkms/conf-message.ts';
import { DIRECTIVE_NAMES, directivesOf, patternSubject } from './conf-directives.ts';
import { readConfFiles } from './conf-files.ts';
import type { ConfKernel, ConfRequest } from './conf-request.ts';
import { evaluateConf, type DkmsConf } from './evaluated-conf.ts';
import { evaluateShell } from './shell/shell-evaluation.ts';
import type { ShellQuestion } from './shell/shell-question.ts';
import { elementsOf, type ShellMatches, type ShellValues } from './shell/shell-values.ts';

export type { ConfModule } from './conf-modules.ts';
export type { ConfKernel, ConfRequest } from './conf-request.ts';
export type { DkmsConf } from './evaluated-conf.ts';
export type { Exclusion } from './exclusion.ts';

/**
 * What reading came to. `messages` is everything to tell, in order: what the file wrote to stderr, each error, and the summary. `conf` of
 * a bad file has what could be understood. Commands end with status 8 after `bad`, and with 4 after `missing`.
 */
export type ConfReading =
  | { readonly kind: 'read'; readonly conf: DkmsConf; readonly messages: readonly ConfMessage[] }
  | { readonly kind: 'missing'; readonly file: string; readonly messages: readonly ConfMessage[] }
  | {
      readonly kind: 'bad';
      readonly errors: readonly ConfError[];
      readonly conf: DkmsConf;
      readonly messages: readonly ConfMessage[];
    };

/**
 * Reads and evaluates a dkms.conf and the administrator's overrides. It waits for bash where the file is more than assignments.
 *
 *     const reading = readDkmsConf(request);
 *     for (const message of reading.messages) tell(message);
 *     if (reading.kind !== 'read') return reading.kind === 'missing' ? 4 : 8;
 */
export function readDkmsConf(request: ConfRequest): ConfReading {
  const read = readConfFiles(request);
  if (read.kind === 'missing')
    return { kind: 'missing', file: request.file, messages: [{ kind: 'conf-missing', file: request.file }] };
  if (read.kind === 'bad') return bad(request, [read.error], emptyConf(request), []);
  const answer = evaluateShell(read.files, questionOf(request));
  const before: ConfMessage[] = read.unread.map((error) => ({ kind: 'conf-error', error }));
  if (answer.complaint !== '') before.push({ kind: 'conf-complaint', text: answer.complaint });
  if (answer.kind === 'failed') return bad(request, [answer.error], emptyConf(request), before);
  for (const { name, value } of assignmentsOf(request.directives)) before.push({ kind: 'conf-directive', name, value });
  const option = optionLookup(request, answer.values);
  const { conf, errors } = evaluateConf(request, { ...answer, release: request.kernel.release, option });
  for (const deprecated of conf.deprecated) before.push({ kind: 'conf-deprecated', ...deprecated });
  if (errors.length > 0) return bad(request, errors, conf, before);
  if (request.strict && conf.modules.length === 0) before.push({ kind: 'conf-zero-modules' });
  return { kind: 'read', conf, messages: before };
}

function bad(request: ConfRequest, errors: readonly ConfError[], conf: DkmsConf, before: readonly ConfMessage[]) {
  const told = errors.map((error): ConfMessage => ({ kind: 'conf-error', error }));
  const summary: ConfMessage = { kind: 'conf-bad', file: request.named === true ? request.file : '' };
  return { kind: 'bad' as const, errors, conf, messages: [...before, ...told, summary] };
}

function questionOf(request: ConfRequest): ShellQuestion {
  return {
    variables: variablesOf(request),
    known: DIRECTIVE_NAMES,
    patterns: directivesOf('pattern').map((name) => [name, patternSubject(name)]),
    last: assignmentsOf(request.directives).map(({ name, value }) => `${name}=${value}`),
  };
}

/** What `--directive NAME=VALUE` says; a word without a name assigns nothing. */
export function assignmentsOf(
  directives: readonly string[],
): ReadonlyArray<{ readonly name: string; readonly value: string }> {
  return directives.flatMap((text) => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
    return name === undefined || value === undefined ? [] : [{ name, value }];
  });
}

/** The variables that a dkms.conf may look at. */
function variablesOf(request: ConfRequest): Readonly<Record<string, string>> {
  const { kernel, module, trees, version } = request;
  return {
    current_kernel: release(),
    current_os: 'Linux',
    ...request.variables,
    kernelver: kernel.release,
    arch: kernel.arch,
    kernel_source_dir: kernel.sourceDir,
    kernel_config: configPath(request.kernel),
    dkms_tree: trees.dkmsTree,
    source_tree: trees.sourceTree,
    install_tree: trees.installTree,
    module,
    module_version: version,
  };
}

/** The file with a kernel's configuration: what --config names, else what the headers' own build made, else `.config`. */
export function configPath({ config, sourceDir }: Pick<ConfKernel, 'config' | 'sourceDir'>): string {
  if (config !== undefined) return config;
  const made = `${sourceDir}/include/config/auto.conf`;
  return existsInRoot('', made) ? made : `${sourceDir}/.config`;
}

/** How to ask the kernel's configuration; undefined when there is none, or nothing to ask. */
function optionLookup(request: ConfRequest, values: ShellValues): ((name: string) => string | undefined) | undefined {
  if (elementsOf(values, 'BUILD_EXCLUSIVE_CONFIG').length === 0) return undefined;
  const text = readTextIn('', configPath(request.kernel));
  return text === undefined ? undefined : (name) => configValue(text, name);
}

function emptyConf(request: ConfRequest): DkmsConf {
  const values: ShellValues = new Map();
  const matches: ShellMatches = new Map();
  const facts = { values, matches, release: request.kernel.release, option: undefined };
  return evaluateConf({ ...request, strict: false }, facts).conf;
}
