/**
 * What is said on the control socket (docs/control-socket.md, docs/control-socket.schema.json): one JSON object a line, UTF-8.
 *
 *     → {"id":1,"command":"settle","timeoutMs":5000}
 *     ← {"id":1,"item":{"waiting":[{"kind":"insertion","module":"nvme","ms":1204.3}]}}
 *     ← {"id":1,"answer":{"settled":true,"waiting":[]}}
 *     ← {"id":1,"error":{"code":"usage","message":"…","remedy":"…"}}
 *
 * A request is answered by any number of items and then one answer or one error, each with the request's id. Several
 * requests may be under way on one connection; closing it ends them.
 */
import { PlugdError, type ErrorCode } from '../../base/error.ts';

/** A line of a request; longer ones end the connection. */
export const LONGEST_REQUEST = 65_536;

/** What a request may say. Members that a command does not take are errors: a misspelt filter must not pass unnoticed. */
export const REQUESTS = {
  /** Is anybody there? → `{pid}` */
  ping: {},
  /** → the status; with `watch` an item at once and after every change. */
  status: { watch: 'boolean' },
  /** → `{text}`: Prometheus text format. */
  metrics: {},
  /** → `{settled, waiting}`; an item whenever what it waits for changes. */
  settle: { module: 'string', device: 'string', modalias: 'string', timeoutMs: 'number' },
  /** → `{changed, generation, problems}`. */
  reload: {},
  /** → an item for each uevent and decision, until the connection ends. */
  monitor: { kernel: 'boolean', decisions: 'boolean', subsystems: 'strings', properties: 'strings' },
  /** → the ledger as items, then `{entries: count}`; with `follow` never ends. */
  log: { module: 'string', follow: 'boolean' },
  /** → `{modules: [{module, result}]}`: a person asks for modules by name or modalias. */
  load: { names: 'strings' },
  /** The request helper (native/request-helper.c): `{working}` lines, then `{exit}`. */
  request: { arguments: 'strings' },
  /** A starting agent asks a coldplug that serves the kernel's requests to make room → `{}`; an agent answers `busy`. */
  yield: {},
} as const satisfies Record<string, Record<string, MemberType>>;

type MemberType = 'boolean' | 'string' | 'strings' | 'number';
type Member<T extends MemberType> = T extends 'boolean'
  ? boolean
  : T extends 'string'
    ? string
    : T extends 'number'
      ? number
      : readonly string[];

/** A command's name. */
export type ControlCommand = keyof typeof REQUESTS;
/** What goes with a command. */
export type Parameters<Command extends ControlCommand> = {
  readonly [Name in keyof (typeof REQUESTS)[Command]]?: (typeof REQUESTS)[Command][Name] extends MemberType
    ? Member<(typeof REQUESTS)[Command][Name]>
    : never;
};
/** A request that is understood. */
export type ControlRequest = {
  readonly [Command in ControlCommand]: {
    readonly command: Command;
    readonly id: number | string | undefined;
    readonly parameters: Parameters<Command>;
  };
}[ControlCommand];

/** What went wrong, as it is sent. */
export interface ControlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy?: string;
}

/** A line from the agent. */
export interface ControlReply {
  readonly id?: number | string;
  readonly item?: unknown;
  readonly answer?: unknown;
  readonly error?: ControlError;
  /** The answer takes time: sent to the request helper, which has no clock to spare. */
  readonly working?: true;
}

/** A request, or what is wrong with the line; the id is there when the line had one. */
export type RequestRead =
  | { readonly kind: 'request'; readonly request: ControlRequest }
  | { readonly kind: 'malformed'; readonly id: number | string | undefined; readonly why: string };

/** Reads a line. Never throws. */
export function readRequest(line: string): RequestRead {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'malformed', id: undefined, why: 'not a line of JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'malformed', id: undefined, why: 'not a JSON object' };
  }
  const { id, command, ...parameters } = value as Record<string, unknown>;
  if (id !== undefined && typeof id !== 'number' && typeof id !== 'string') {
    return { kind: 'malformed', id: undefined, why: 'id is neither a number nor a string' };
  }
  if (typeof command !== 'string' || !Object.hasOwn(REQUESTS, command)) {
    const known = Object.keys(REQUESTS).join(', ');
    return { kind: 'malformed', id, why: `command must be one of: ${known}` };
  }
  const members: Readonly<Record<string, MemberType>> = REQUESTS[command as ControlCommand];
  for (const [name, member] of Object.entries(parameters)) {
    const type = Object.hasOwn(members, name) ? members[name] : undefined;
    if (type === undefined) return { kind: 'malformed', id, why: `${command} takes no member '${name}'` };
    if (!isOf(type, member)) return { kind: 'malformed', id, why: `${command}: '${name}' must be ${WORDS[type]}` };
  }
  return { kind: 'request', request: { command, id, parameters } as ControlRequest };
}

const WORDS: Readonly<Record<MemberType, string>> = {
  boolean: 'true or false',
  string: 'a string',
  strings: 'a list of strings',
  number: 'a number of 0 or more',
};

function isOf(type: MemberType, value: unknown): boolean {
  if (type === 'strings') return Array.isArray(value) && value.every((one) => typeof one === 'string');
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value) && value >= 0;
  return typeof value === type;
}

/** An exception as it is sent. */
export function controlError(error: unknown): ControlError {
  if (error instanceof PlugdError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    };
  }
  return { code: 'system', message: error instanceof Error ? error.message : String(error) };
}
