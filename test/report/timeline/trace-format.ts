/** The Trace Event Format as far as plugd writes it, as a schema: what Perfetto and Chrome take. Source: Google's document of 2016. */
import { Ajv } from 'ajv';

const time = { type: 'integer', minimum: 0 };
const common = {
  name: { type: 'string', minLength: 1 },
  cat: { type: 'string' },
  pid: { const: 1 },
  tid: { type: 'integer', minimum: 1 },
};
const event = (ph: string, more: Readonly<Record<string, unknown>>, required: readonly string[]) => ({
  type: 'object',
  additionalProperties: false,
  required: ['name', 'ph', 'ts', 'pid', 'tid', ...required],
  properties: { ...common, ph: { const: ph }, ts: time, args: { type: 'object' }, ...more },
});

interface Trace {
  readonly traceEvents: ReadonlyArray<{ ph: string; name: string; ts: number; dur: number; tid: number }>;
}

const validate = new Ajv({ strict: false }).compile<Trace>({
  type: 'object',
  additionalProperties: false,
  required: ['traceEvents'],
  properties: {
    displayTimeUnit: { enum: ['ms', 'ns'] },
    traceEvents: {
      type: 'array',
      items: {
        oneOf: [
          event('X', { dur: time }, ['dur', 'cat']),
          event('i', { s: { enum: ['g', 'p', 't'] } }, ['s', 'cat']),
          event(
            'M',
            {
              name: { enum: ['process_name', 'thread_name'] },
              args: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
            },
            ['args'],
          ),
        ],
      },
    },
  },
});

/**
 * What is wrong with the text of a trace, one sentence each: it is not of the format, a track has no name, or two complete events of one
 * track overlap without one being inside the other, which viewers draw wrongly.
 */
export function traceFaults(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  if (!validate(value)) return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  const { traceEvents } = value;
  const named = new Set(traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid }) => tid));
  const faults = traceEvents.filter(({ tid }) => !named.has(tid)).map(({ tid }) => `track ${tid} has no name`);
  const spans = traceEvents.filter(({ ph }) => ph === 'X');
  for (const a of spans)
    for (const b of spans) {
      const [endA, endB] = [a.ts + a.dur, b.ts + b.dur];
      if (a.tid === b.tid && a.ts < b.ts && b.ts < endA && endA < endB) faults.push(`${a.name} and ${b.name} overlap`);
    }
  return faults;
}
