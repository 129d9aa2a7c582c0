/**
 * The grammar of /etc/plugd/policy.conf (docs/man/plugd-policy.5):
 *
 *     # nothing but what is listed, and no new USB devices once the machine is up
 *     default deny
 *     allow subsystem=pci
 *     allow subsystem=usb modalias="usb:v046Dp*"
 *     after boot deny subsystem=usb device=/devices/pci0000:00/0000:00:14.0/*
 *     allow module=loop
 *
 * One rule a line. Blanks and TABs separate words; `#` at the beginning of a word begins a comment. A condition is
 * KEY=GLOB; in "quotes" a glob may hold blanks and '#', and `\"` is a quote. Globs are those of glob.ts; they match the whole
 * text, `*` crosses '/'. As everywhere in module loading '-' and '_' are the same, except inside [brackets].
 *
 * modprobe.d skips bad lines, but a policy with an error is not used at all: half a policy may allow what the missing
 * half denies.
 */
import { lookupKey, type Place } from '../../base/names.ts';
import { FileProblems, type Problem } from '../../base/problem.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import { compileGlob, globFault } from '../glob.ts';
import {
  ALLOW_ALL,
  POLICY_KEYS,
  type Policy,
  type PolicyCondition,
  type PolicyDefault,
  type PolicyKey,
  type PolicyRule,
  type PolicyWord,
} from './policy.ts';

/** A policy, or everything that is wrong with its text. */
export type PolicyRead =
  | { readonly kind: 'policy'; readonly policy: Policy }
  | { readonly kind: 'malformed'; readonly problems: readonly Problem[] };

interface Word {
  readonly text: string;
  readonly column: number;
}

/** Thrown inside this file for the first fault of a line; the other lines are still looked at. */
class Fault extends Error {
  readonly column: number;
  constructor(word: Word | number, message: string) {
    super(message);
    this.column = typeof word === 'number' ? word : word.column;
  }
}

interface Growing {
  readonly rules: PolicyRule[];
  atBoot: PolicyDefault | undefined;
  afterBoot: PolicyDefault | undefined;
}

/** Reads a policy file. A file without rules allows everything. */
export function parsePolicy({ file, text }: ConfigText): PolicyRead {
  const growing: Growing = { rules: [], atBoot: undefined, afterBoot: undefined };
  const problems: Problem[] = [];
  const found = new FileProblems(file, problems);
  text.split('\n').forEach((raw, index) => {
    const place: Place = { file, line: index + 1 };
    try {
      readLine(raw, place, growing);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { column, message } = error;
      found.add(() => ({ ...place, column, severity: 'error', code: 'malformed', message }));
    }
  });
  found.end();
  if (problems.length > 0) return { kind: 'malformed', problems };
  const atBoot = growing.atBoot ?? ALLOW_ALL.atBoot;
  return { kind: 'policy', policy: { rules: growing.rules, atBoot, afterBoot: growing.afterBoot ?? atBoot } };
}

function readLine(raw: string, place: Place, growing: Growing): void {
  const words = splitWords(raw);
  const first = words[0];
  if (first === undefined) return;
  const text = words.map((word) => word.text).join(' ');
  let at = 0;
  const afterBoot = first.text === 'after';
  if (afterBoot) {
    const boot = words[1];
    if (boot?.text !== 'boot') throw new Fault(boot ?? endOf(first), "expected 'boot' after 'after'");
    at = 2;
  }
  const directive = words[at];
  if (directive === undefined) {
    throw new Fault(endOf(words[at - 1] ?? first), "expected 'allow', 'deny' or 'default' after 'after boot'");
  }
  const rest = words.slice(at + 1);
  if (directive.text === 'default') {
    setDefault(directive, rest, afterBoot, place, growing);
  } else if (directive.text === 'allow' || directive.text === 'deny') {
    if (rest.length === 0) {
      throw new Fault(
        endOf(directive),
        `expected a condition such as subsystem=usb; for everything write 'default ${directive.text}'`,
      );
    }
    const conditions = rest.map(readCondition);
    growing.rules.push({ word: directive.text, afterBoot, conditions, place, text });
  } else {
    throw new Fault(directive, `expected 'allow', 'deny', 'default' or 'after boot', not '${directive.text}'`);
  }
}

function setDefault(directive: Word, rest: readonly Word[], afterBoot: boolean, place: Place, growing: Growing): void {
  const [word, more] = rest;
  if (word?.text !== 'allow' && word?.text !== 'deny') {
    throw new Fault(word ?? endOf(directive), "expected 'default allow' or 'default deny'");
  }
  if (more !== undefined) throw new Fault(more, `nothing may follow 'default ${word.text}'`);
  const which = afterBoot ? 'afterBoot' : 'atBoot';
  const before = growing[which];
  if (before !== undefined) {
    throw new Fault(directive, `a second default; the first is in line ${before.place?.line ?? 0}`);
  }
  growing[which] = { word: word.text satisfies PolicyWord, place };
}

function readCondition(word: Word): PolicyCondition {
  const equals = word.text.indexOf('=');
  const name = equals < 0 ? word.text : word.text.slice(0, equals);
  const key = POLICY_KEYS.find((known) => known === name);
  if (key === undefined) {
    throw new Fault(word, `expected ${POLICY_KEYS.map((known) => `${known}=`).join(', ')}, not '${word.text}'`);
  }
  if (equals < 0) throw new Fault(endOf(word), `expected '${key}=GLOB'`);
  const column = word.column + equals + 1;
  const pattern = unquote(word.text.slice(equals + 1), column);
  if (pattern === '') throw new Fault(column, `'${key}=' needs a glob; '*' matches everything`);
  return condition(key, pattern, column);
}

function condition(key: PolicyKey, pattern: string, column: number): PolicyCondition {
  const fault = globFault(pattern);
  if (fault !== undefined) throw new Fault(column, fault);
  if (key === 'device' || key === 'subsystem') return { key, pattern, matches: compileGlob(pattern) };
  const normal = lookupKey(pattern);
  if (normal === undefined) throw new Fault(column, `the brackets of '${pattern}' do not match`);
  const glob = compileGlob(normal);
  return { key, pattern, matches: (text) => glob(text.includes('-') ? text.replaceAll('-', '_') : text) };
}

/** `"a \"b\""` → `a "b"`; a value that does not begin with a quote is itself. */
function unquote(text: string, column: number): string {
  if (!text.startsWith('"')) {
    const quote = text.indexOf('"');
    if (quote >= 0) throw new Fault(column + quote, "a quote inside a glob; quote all of it, or write '?'");
    return text;
  }
  return text.slice(1, -1).replaceAll('\\"', '"');
}

/** The words of a line and the columns where they begin. */
function splitWords(raw: string): Word[] {
  const words: Word[] = [];
  let i = 0;
  while (i < raw.length) {
    if (isBlank(raw[i])) {
      i++;
      continue;
    }
    if (raw[i] === '#') break;
    const start = i;
    while (i < raw.length && !isBlank(raw[i])) {
      if (raw[i] === '"' && raw[i - 1] === '=') i = closingQuote(raw, i);
      i++;
    }
    words.push({ text: raw.slice(start, i), column: start + 1 });
  }
  return words;
}

function isBlank(c: string | undefined): boolean {
  return c === ' ' || c === '\t' || c === '\r';
}

/** The position of the quote that closes the one at `open`. */
function closingQuote(raw: string, open: number): number {
  for (let i = open + 1; i < raw.length; i++) {
    if (raw[i] === '\\' && raw[i + 1] === '"') i++;
    else if (raw[i] === '"') {
      const next = raw[i + 1];
      if (next !== undefined && !isBlank(next)) {
        throw new Fault(i + 2, 'expected a blank after the closing quote');
      }
      return i;
    }
  }
  throw new Fault(open + 1, 'this quote is never closed');
}

function endOf(word: Word): number {
  return word.column + word.text.length;
}
