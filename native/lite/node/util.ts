/** node:util's parseArgs, with Node's messages. Source: lib/internal/util/parse_args of Node 20. */
import type { ParseArgsConfig } from 'node:util';

interface Token {
  readonly kind: 'option' | 'positional' | 'option-terminator';
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean;
}

type Options = NonNullable<ParseArgsConfig['options']>;

function wrong(message: string, code: string): TypeError {
  return Object.assign(new TypeError(message), { code });
}

function token(kind: Token['kind'], rawName = '', name = '', value?: string, inlineValue = false): Token {
  return { kind, name, rawName, value, inlineValue };
}

function takesValue(options: Options, name: string): boolean {
  return Object.hasOwn(options, name) && options[name]?.type === 'string';
}

/** The words of a command line, one or more tokens each. */
function tokensOf(args: readonly string[], options: Options): Token[] {
  const tokens: Token[] = [];
  const rest = [...args];
  const longOf = (letter: string) => Object.entries(options).find(([, { short }]) => short === letter)?.[0] ?? letter;
  const valueFor = (name: string) => (takesValue(options, name) && rest.length > 0 ? rest.shift() : undefined);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      tokens.push(token('option-terminator'), ...rest.map((one) => token('positional', '', '', one)));
      break;
    }
    if (word.startsWith('--')) {
      const at = word.indexOf('=', 3);
      const name = word.slice(2, at < 0 ? undefined : at);
      const value = at < 0 ? valueFor(name) : word.slice(at + 1);
      tokens.push(token('option', `--${name}`, name, value, at >= 0));
    } else if (word.length > 1 && word.startsWith('-')) {
      const letters = Array.from(word.slice(1));
      for (let i = 0; i < letters.length; i++) {
        const name = longOf(letters[i] ?? '');
        const inline = letters.slice(i + 1).join('');
        const isValue = takesValue(options, name) && inline !== '';
        tokens.push(token('option', `-${letters[i]}`, name, isValue ? inline : valueFor(name), isValue));
        if (isValue) break;
      }
    } else tokens.push(token('positional', '', '', word));
  }
  return tokens;
}

/** Throws what Node throws for an option that is unknown, lacks its value, or has one that it must not have. */
function check({ name, rawName, value, inlineValue }: Token, options: Options): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) throw wrong(`Unknown option '${rawName}'`, 'ERR_PARSE_ARGS_UNKNOWN_OPTION');
  const shown = `${option.short === undefined ? '' : `-${option.short}, `}--${name}`;
  const invalid = 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
  if (option.type === 'string') {
    if (value === undefined) throw wrong(`Option '${shown} <value>' argument missing`, invalid);
    if (!inlineValue && value.length > 1 && value.startsWith('-')) {
      const example = rawName.startsWith('--') ? `'${rawName}=-XYZ'` : `'--${name}=-XYZ' or '${rawName}-XYZ'`;
      throw wrong(
        `Option '${rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${rawName}'?\nTo specify an option argument starting with a dash use ${example}.`,
        invalid,
      );
    }
  } else if (value !== undefined) throw wrong(`Option '${shown}' does not take an argument`, invalid);
}

/** What parsed: values by long names, words that are no options, and every token. */
export interface ParsedArgs {
  readonly values: Record<string, unknown>;
  readonly positionals: string[];
  readonly tokens: readonly Token[];
}

/** Parses a command line. `strict: false` only makes tokens. Errors: TypeError with Node's texts. */
export function parseArgs({
  args,
  options,
  strict,
}: {
  args: string[];
  options: Options;
  strict: boolean;
}): ParsedArgs {
  const tokens = tokensOf(args, options);
  const values = Object.create(null) as Record<string, unknown>;
  for (const one of tokens) {
    if (!strict || one.kind !== 'option') continue;
    check(one, options);
    const value = one.value ?? true;
    if (options[one.name]?.multiple === true) {
      (values[one.name] ??= []) as unknown[];
      (values[one.name] as unknown[]).push(value);
    } else values[one.name] = value;
  }
  const positionals = tokens.filter(({ kind }) => kind === 'positional').map(({ value }) => value ?? '');
  return { values, positionals, tokens };
}
