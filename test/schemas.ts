/**
 * The schemas in docs/: validators for tests, and, as a program (`npm run schemas`), the words of common.schema.json from the
 * tables that they come from, and dkms.schema.json from the types of its records.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { PROBLEM_CODES } from '../agent/base/problem.ts';
import { CAUSES } from '../agent/diagnosis/cause.ts';
import { VERDICTS } from '../agent/diagnosis/verdict.ts';
import { lineSchema } from './type-schema.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const COMMON = 'common.schema.json';
const DKMS = 'dkms.schema.json';

/** A schema of docs/ by the name of its file. */
export function readSchema(file: string): { readonly definitions?: Readonly<Record<string, unknown>> } {
  return JSON.parse(readFileSync(join(DOCS, file), 'utf8')) as object;
}

/** Every schema of docs/, by the name of its file; they refer to one another. */
export function schemas(): Ajv {
  const ajv = new Ajv({ allowUnionTypes: true });
  for (const file of readdirSync(DOCS)) if (file.endsWith('.schema.json')) ajv.addSchema(readSchema(file), file);
  return ajv;
}

/** Whether an answer is of the schema `docs/NAME.schema.json`. */
export function isOfSchema(name: string): ValidateFunction {
  const validate = schemas().getSchema(`${name}.schema.json`);
  if (validate === undefined) throw new Error(`there is no docs/${name}.schema.json`);
  return validate;
}

/** Each word with its meaning, as a schema that allows no other. */
function words(table: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(table).map(([word, description]) => ({ const: word, description }));
}

interface Common {
  readonly definitions: {
    readonly cause: object;
    readonly verdict: object;
    readonly problem: { readonly properties: { readonly code: object } };
  };
}

/** docs/common.schema.json with the words of the tables. */
export function commonSchema(): Common {
  const common = readSchema(COMMON) as Common;
  const { cause, verdict, problem } = common.definitions;
  const { properties } = problem;
  return {
    ...common,
    definitions: {
      ...common.definitions,
      cause: { ...cause, oneOf: words(CAUSES) },
      verdict: { ...verdict, enum: VERDICTS },
      problem: { ...problem, properties: { ...properties, code: { ...properties.code, oneOf: words(PROBLEM_CODES) } } },
    },
  };
}

/** docs/dkms.schema.json: one line of `plugd dkms --json`, as the types of agent/records/dkms/ have it. */
export function dkmsSchema(): object {
  const schemaVersion = { $ref: `${COMMON}#/definitions/schemaVersion` };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'plugd dkms --json',
    description: 'One line of any action: each message as an object on a line of its own, in the order of the work.',
    oneOf: lineSchema('agent/records/dkms/message.ts', 'DkmsMessage', { schemaVersion }),
  };
}

if (process.argv[1] === import.meta.filename) {
  // On one line: the formatter breaks what is too long.
  writeFileSync(join(DOCS, DKMS), `${JSON.stringify(dkmsSchema())}\n`);
  writeFileSync(join(DOCS, COMMON), `${JSON.stringify(commonSchema(), undefined, 2)}\n`);
}
