/** `plugd lookup`: prints the modules that names stand for. Changes nothing. */
import { addonIfBuilt } from '../../base/addon.ts';
import { PlugdError } from '../../base/error.ts';
import type { Problem } from '../../base/problem.ts';
import { readModprobeConfig } from '../../facts/config/config-text.ts';
import type { Lookup } from '../../match/candidate.ts';
import { createMatcher } from '../../match/matcher.ts';
import { openTree, type ModuleTree } from '../../load/tree.ts';
import { configuredNames, mergeConfig } from '../../rules/modprobe/merged-config.ts';
import { problemLine } from '../../report/problem-line.ts';
import { bareWord } from '../../facts/devices/device-word.ts';
import { EXIT, hostOf, OPTION, parse, type Command, type Option } from '../command.ts';
import { AnsweredLines } from '../answered-lines.ts';
import { lineBlocks } from '../input.ts';
import { machineWords } from '../machine-words.ts';
import { jsonText, printBytes, printData, say, SCHEMA_VERSION } from '../output.ts';

const CONFIG: Option = {
  long: 'config',
  short: 'C',
  value: 'PATH',
  multiple: true,
  help: 'read this file or directory instead of the modprobe.d directories',
};

/** `plugd lookup`. */
export const command: Command = {
  name: 'lookup',
  usage: '[OPTION…] MODALIAS… | -',
  options: [OPTION.root, OPTION.kernel, CONFIG, OPTION.json, OPTION.quiet],
  notes: `
Prints one line "modalias<TAB>module,module" per name, modules in kmod's order,
nothing after the TAB when there are none. "-" reads names from standard input,
one per line, and answers each in turn; a line is cut at 64 KiB. Alias lines
count; blacklists do not.
Exit status: 0 done; 1 a name on the command line stands for no module.`,
  async run(args) {
    const parsed = parse(command, args);
    const words = parsed.words;
    if (words.length === 0)
      throw new PlugdError('usage', 'lookup: no modalias given', { remedy: 'see plugd lookup --help' });
    if (words.length > 1 && words.includes('-')) throw new PlugdError('usage', "lookup: '-' stands alone");
    const host = hostOf(parsed);
    const paths = parsed.values(CONFIG);
    const config = mergeConfig(readModprobeConfig(host, paths.length > 0 ? { paths } : {}));
    const tree = openTree(host);
    const matcher = createMatcher(tree.indexes, configuredNames(config));
    const quiet = parsed.has(OPTION.quiet);
    const complain = quiet ? () => {} : complaints(tree);
    if (!quiet) {
      for (const problem of config.problems) if (problem.severity === 'error') complainOf(problem);
    }
    const { answer, write } = parsed.has(OPTION.json) ? JSON_ANSWERS : TEXT_ANSWERS;
    if (words[0] === '-') {
      compileLate();
      const answerLine = (line: string): Buffer => {
        const name = modaliasOf(line);
        return answer(name, matcher.lookup(name));
      };
      const answered = new AnsweredLines({ answer: answerLine, write });
      for (const block of lineBlocks(0)) {
        answered.take(block);
        complain();
      }
      return EXIT.done;
    }
    const names = machineWords(words).map(modaliasOf);
    const found = names.map((name) => ({ name, lookup: matcher.lookup(name) }));
    write(Buffer.concat(found.map(({ name, lookup }) => answer(name, lookup))));
    complain();
    for (const [i, { lookup }] of found.entries()) {
      if (lookup.kind === 'malformed' && !quiet) say(`plugd: ${words[i]}: ${lookup.why}\n`);
    }
    return found.every(({ lookup }) => lookup.kind === 'found') ? EXIT.done : EXIT.negative;
  },
};

/**
 * V8 optimizes a function after it used up its budget, and again when it turns out otherwise. The search is many small functions: with
 * the usual budget their compilation takes longer than searching for all devices of a thousand machines. V8 11 (Node 20) counts bytes of
 * code that ran, later ones calls; a flag that it does not have V8 complains about.
 */
function compileLate(): void {
  const isOld = Number.parseInt(process.versions.v8, 10) < 12;
  addonIfBuilt()?.setV8Flags(isOld ? '--interrupt-budget=1000000' : '--invocation-count-for-turbofan=20000');
}

/** A line of a uevent is taken, too: `MODALIAS=pci:v…`. */
function modaliasOf(line: string): string {
  return line.startsWith('MODALIAS=') ? bareWord(line) : line;
}

/** How an answer reads, and how such answers are written. */
interface Answers {
  readonly answer: (name: string, lookup: Lookup) => Buffer;
  readonly write: (answers: Buffer) => void;
}

const TEXT_ANSWERS: Answers = {
  answer: (name, lookup) => Buffer.from(`${name}\t${modules(lookup)}\n`, 'latin1'),
  write: printBytes,
};

function modules(lookup: Lookup): string {
  if (lookup.kind !== 'found') return '';
  const [first, ...others] = lookup.candidates;
  let text: string = first?.module ?? '';
  for (const { module } of others) text += `,${module}`;
  return text;
}

/** One object per line; a byte of a name is one character, so that names that are not UTF-8 keep their bytes. */
const JSON_ANSWERS: Answers = {
  answer: (name, lookup) => {
    const candidates = lookup.kind === 'found' ? lookup.candidates : [];
    const value = {
      schemaVersion: SCHEMA_VERSION,
      modalias: name,
      modules: candidates.map(({ module }) => module),
      candidates,
      ...(lookup.kind === 'malformed' ? { malformed: lookup.why } : {}),
    };
    return Buffer.from(jsonText(value), 'utf8');
  },
  write: printData,
};

/** Reports what is wrong with the tree, each problem once, as it is found. */
function complaints(tree: ModuleTree): () => void {
  let told = 0;
  return () => {
    for (const problem of tree.problems().slice(told)) {
      complainOf(problem);
      told++;
    }
  };
}

function complainOf(problem: Problem): void {
  say(`plugd: ${problemLine(problem)}\n`);
}
