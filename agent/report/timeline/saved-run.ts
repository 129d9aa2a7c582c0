/** A run as `plugd coldplug --json` printed it, from a file that anybody may have written: only what holds its types is taken. */
import type { ColdplugRun, ModuleRecord, Phase } from '../../records/coldplug-run.ts';

type Fields = Readonly<Record<string, unknown>>;

/** More than any machine loads. */
const MOST_MODULES = 20_000;

/**
 * The run that a text is, with what a timeline needs; or a sentence that says why it is none.
 *
 *     parseRun('{"schemaVersion":1,"kernel":"6.1.0",…}')   // { kernel: '6.1.0', … }
 */
export function parseRun(text: string): ColdplugRun | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (!isObject(value) || typeof value['kernel'] !== 'string' || !Array.isArray(value['modules']))
    return 'it is not what plugd coldplug --json prints';
  if (value['modules'].length > MOST_MODULES) return `it has more than ${MOST_MODULES} modules`;
  if (value['dryRun'] === true) return 'it is of a dry run, in which nothing was loaded';
  const modules = value['modules'].map(recordOf);
  const wrong = modules.findIndex((record) => record === undefined);
  if (wrong >= 0) return `its module number ${wrong + 1} has no name, result or times`;
  return {
    kernel: value['kernel'],
    moduleDir: textOf(value['moduleDir']),
    jobs: numberOf(value['jobs']) ?? 0,
    dryRun: false,
    wallMs: numberOf(value['wallMs']) ?? 0,
    phases: Array.isArray(value['phases']) ? value['phases'].flatMap(phaseOf) : [],
    devices: numberOf(value['devices']) ?? 0,
    modaliases: [],
    modules: modules as readonly ModuleRecord[],
    present: [],
    blocked: [],
    problems: [],
    uevents: { received: 0, used: 0, gaps: 0, rescans: 0, dropped: 0 },
  };
}

const PHASES: readonly string[] = ['start', 'rules', 'devices', 'settle'] satisfies ReadonlyArray<Phase['name']>;
const RESULTS: readonly string[] = [
  'inserted',
  'already-loaded',
  'command',
  'failed',
  'skipped',
  'planned',
  'unfinished',
] satisfies ReadonlyArray<ModuleRecord['result']>;

function phaseOf(value: unknown): readonly Phase[] {
  if (!isObject(value) || !PHASES.includes(textOf(value['name']))) return [];
  const [startedMs, endedMs] = [numberOf(value['startedMs']), numberOf(value['endedMs'])];
  if (startedMs === undefined || endedMs === undefined) return [];
  return [{ name: value['name'] as Phase['name'], startedMs, endedMs }];
}

function recordOf(value: unknown): ModuleRecord | undefined {
  if (!isObject(value)) return undefined;
  const { module, result, requester, waitedFor } = value;
  const addedMs = numberOf(value['addedMs']);
  if (typeof module !== 'string' || !RESULTS.includes(textOf(result)) || addedMs === undefined) return undefined;
  const asked = isObject(requester) ? requester : {};
  const why = textOf(value['why']);
  const record: Readonly<Record<keyof ModuleRecord, unknown>> = {
    module,
    path: textOf(value['path']),
    params: textOf(value['params']),
    why: ['depends', 'softdep-pre', 'softdep-post'].includes(why) ? why : 'target',
    for: optional(value['for']),
    requester: {
      devpath: textOf(asked['devpath']),
      subsystem: textOf(asked['subsystem']),
      name: textOf(asked['name']),
    },
    result,
    cause: optional(value['cause']),
    errno: numberOf(value['errno']),
    during: undefined,
    evidence: undefined,
    remedy: undefined,
    detail: optional(value['detail']),
    waitedFor: Array.isArray(waitedFor) ? waitedFor.filter((name) => typeof name === 'string') : [],
    addedMs,
    readyMs: numberOf(value['readyMs']),
    startedMs: numberOf(value['startedMs']),
    endedMs: numberOf(value['endedMs']),
  };
  return record as unknown as ModuleRecord;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A time or a count; none for what no clock shows. */
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e12 ? value : undefined;
}
