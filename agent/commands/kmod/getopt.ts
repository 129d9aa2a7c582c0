/**
 * GNU getopt_long(3), which kmod's commands use: options may follow operands, short options may be bundled (`-ab dir`, `-bdir`), long
 * ones may be abbreviated while they stay unambiguous, `--` ends the options. Its messages have no level: `depmod: unrecognized option
 * '--foo'`. With POSIXLY_CORRECT in the environment the first operand ends the options; it reads no other variable
 * and does no I/O. Options, order and messages stay getopt's: scripts rely on them.
 */

/** One option of a command; with `short`, `long`, or both. */
export interface LongOption {
  readonly short?: string;
  readonly long?: string;
  /** The name of its argument in the help (`DIR`); an option without it takes none. */
  readonly value?: string;
}

/** An option as it was given: `name` is the long name if it has one, else the short. */
export interface GivenOption {
  readonly name: string;
  readonly argument: string;
}

/** The parsed command line, in order; or getopt's own message, after which kmod's commands end with 1. */
export type ParsedLine =
  | { readonly kind: 'parsed'; readonly options: readonly GivenOption[]; readonly operands: readonly string[] }
  | { readonly kind: 'wrong'; readonly message: string };

class Wrong extends Error {}

/** Parses the arguments after the command's name. `program` begins the messages. */
export function parseLine(
  program: string,
  table: readonly LongOption[],
  words: readonly string[],
  posixlyCorrect = process.env['POSIXLY_CORRECT'] !== undefined,
): ParsedLine {
  const options: GivenOption[] = [];
  const operands: string[] = [];
  const rest = [...words];
  try {
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      if (word === '--') {
        operands.push(...rest);
        break;
      }
      if (word.startsWith('--')) options.push(longOption(word.slice(2), table, rest));
      else if (word.startsWith('-') && word !== '-') options.push(...shortOptions(word.slice(1), table, rest));
      else if (posixlyCorrect) {
        operands.push(word, ...rest);
        break;
      } else {
        operands.push(word);
      }
    }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { kind: 'wrong', message: `${program}: ${error.message}\n` };
  }
  return { kind: 'parsed', options, operands };
}

function longOption(word: string, table: readonly LongOption[], rest: string[]): GivenOption {
  const equals = word.indexOf('=');
  const given = equals < 0 ? word : word.slice(0, equals);
  const matches = table.filter(({ long }) => long?.startsWith(given) === true);
  const exact = matches.find(({ long }) => long === given);
  // Several names for one option are not ambiguous.
  const option =
    exact ?? (new Set(matches.map(({ short, long }) => short ?? long)).size === 1 ? matches[0] : undefined);
  if (option?.long === undefined) {
    if (matches.length === 0) throw new Wrong(`unrecognized option '--${word}'`);
    const names = matches.map(({ long }) => ` '--${long}'`).join('');
    throw new Wrong(`option '--${word}' is ambiguous; possibilities:${names}`);
  }
  const name = option.long;
  if (option.value === undefined) {
    if (equals >= 0) throw new Wrong(`option '--${name}' doesn't allow an argument`);
    return { name, argument: '' };
  }
  const argument = equals < 0 ? rest.shift() : word.slice(equals + 1);
  if (argument === undefined) throw new Wrong(`option '--${name}' requires an argument`);
  return { name, argument };
}

function shortOptions(word: string, table: readonly LongOption[], rest: string[]): GivenOption[] {
  const options: GivenOption[] = [];
  for (let i = 0; i < word.length; i++) {
    const letter = word.charAt(i);
    const option = table.find(({ short }) => short === letter);
    if (option === undefined) throw new Wrong(`invalid option -- '${letter}'`);
    const name = option.long ?? letter;
    if (option.value === undefined) {
      options.push({ name, argument: '' });
      continue;
    }
    const argument = i + 1 < word.length ? word.slice(i + 1) : rest.shift();
    if (argument === undefined) throw new Wrong(`option requires an argument -- '${letter}'`);
    options.push({ name, argument });
    break;
  }
  return options;
}
