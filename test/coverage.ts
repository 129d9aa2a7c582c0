/**
 * Which lines and branches the tests run, by room, from V8's own counts (NODE_V8_COVERAGE).
 *
 *     npm run coverage              # unit and flow tests, the table, and the floors
 *     node dist/test/coverage.js    # the table of the counts that are there, and each line that no test runs
 *
 * Tests run plugd in two forms: as modules (dist/agent), and as processes of their own (the bundles). Both are mapped back to
 * agent/ through their source maps, and what ran in either has run. A line counts where a statement begins; a branch is an arm of
 * if, ?:, &&, ||, ??, switch and catch, or a loop's body, taken from the syntax tree. A process that a signal ends leaves no counts.
 *
 * c8 is not used: it takes each line as run unless a range of V8's says otherwise, and in a bundle whole modules have none.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What V8 writes when a process ends, as far as it is read here. */
interface ProcessCounts {
  readonly result: ReadonlyArray<{ readonly url: string; readonly functions: readonly FunctionCounts[] }>;
}

interface FunctionCounts {
  readonly ranges: ReadonlyArray<{ readonly startOffset: number; readonly endOffset: number; readonly count: number }>;
}

/** How many there are, and how many of them ran. */
export interface Ratio {
  readonly all: number;
  readonly ran: number;
}

/** One source file: its lines and branches, and the numbers of the lines that did not run. */
export interface FileCoverage {
  readonly lines: Ratio;
  readonly branches: Ratio;
  readonly missed: readonly number[];
}

/** Where generated code stands in a source: the position in the source's text, and whether it ran. In order of position. */
type Points = ReadonlyArray<readonly [position: number, ran: boolean]>;

/** The parts of a source that are counted: [start, end) of statements, and of branches. */
export interface Countable {
  readonly statements: ReadonlyArray<readonly [number, number]>;
  readonly branches: ReadonlyArray<readonly [number, number]>;
}

/**
 * Marks what ran in one process: for each character of a script 1 or 0. V8 lists a function before those in it, and a block
 * within its function, so later ranges are the finer ones.
 */
export function paint(functions: readonly FunctionCounts[], length: number): Uint8Array {
  const ran = new Uint8Array(length);
  const ranges = functions.flatMap((one) => one.ranges);
  for (const { startOffset, endOffset, count } of ranges.toSorted(
    (a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset,
  )) {
    ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  return ran;
}

/** The statements and branches of a TypeScript source; types, imports and blocks are none. */
export function countable(text: string): Countable {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.ES2023, true);
  const statements: Array<readonly [number, number]> = [];
  const branches: Array<readonly [number, number]> = [];
  const span = (node: ts.Node): readonly [number, number] => [node.getStart(source), node.end];
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isImportDeclaration(node)) return;
    if (ts.isStatement(node) && !ts.isBlock(node) && !ts.isFunctionDeclaration(node) && !ts.isClassDeclaration(node)) {
      if (!ts.isExportDeclaration(node)) statements.push(span(node));
    }
    // An arrow's expression is a statement in all but its braces.
    if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) statements.push(span(node.body));
    branches.push(...arms(node).map(span));
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return { statements, branches };
}

function arms(node: ts.Node): readonly ts.Node[] {
  if (ts.isIfStatement(node)) return [node.thenStatement, ...(node.elseStatement ? [node.elseStatement] : [])];
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse];
  if (ts.isCaseOrDefaultClause(node)) return node.statements.slice(0, 1);
  if (ts.isCatchClause(node)) return [node.block];
  if (ts.isIterationStatement(node, false)) return [node.statement];
  const logical: readonly ts.SyntaxKind[] = [
    ts.SyntaxKind.AmpersandAmpersandToken,
    ts.SyntaxKind.BarBarToken,
    ts.SyntaxKind.QuestionQuestionToken,
  ];
  return ts.isBinaryExpression(node) && logical.includes(node.operatorToken.kind) ? [node.right] : [];
}

/** A source's coverage, from where its code stands in each script that was made from it. */
export function coverageOf(text: string, scripts: readonly Points[]): FileCoverage {
  const { statements, branches } = countable(text);
  const ran = ([start, end]: readonly [number, number]): boolean =>
    scripts.some((points) => {
      const first = points[after(points, start)];
      return first !== undefined && first[0] < end && first[1];
    });
  const ends = lineStarts(text).map((start) => [start, true] as const);
  const lineOf = (position: number): number => after(ends, position + 1);
  const lines = new Map<number, boolean>();
  for (const statement of statements) {
    const line = lineOf(statement[0]);
    lines.set(line, (lines.get(line) ?? false) || ran(statement));
  }
  return {
    lines: { all: lines.size, ran: [...lines.values()].filter(Boolean).length },
    branches: { all: branches.length, ran: branches.filter(ran).length },
    missed: [...lines].filter(([, one]) => !one).map(([line]) => line),
  };
}

/** The index of the first point at or after a position. */
function after(points: Points, position: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle]?.[0] ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

const root = join(import.meta.dirname, '../..');

/** Where run.js lets processes leave their counts. */
export const COUNTS = join(root, 'dist/coverage');

/** What must be covered: percent of lines in each pure room, and of all. */
const FLOORS: Readonly<Record<string, number>> = {
  indexes: 90,
  match: 90,
  rules: 90,
  plan: 90,
  diagnosis: 90,
  records: 90,
  all: 80,
};

/** What ran of each script of plugd's, over all processes that left their counts in a folder. */
function readCounts(folder: string): ReadonlyMap<string, Uint8Array> {
  const scripts = new Map<string, Uint8Array>();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as ProcessCounts;
    for (const { url, functions } of result) {
      const path = url.startsWith('file://') ? fileURLToPath(url) : url;
      if (!path.startsWith(join(root, 'dist/agent/')) && !/^plugd\..+\.cjs$/.test(basename(path))) continue;
      if (!existsSync(`${path}.map`)) continue;
      const known = scripts.get(path);
      const ran = paint(functions, known?.length ?? readFileSync(path, 'utf8').length);
      if (known === undefined) scripts.set(path, ran);
      else for (let at = 0; at < ran.length; at++) known[at] = (known[at] ?? 0) | (ran[at] ?? 0);
    }
  }
  return scripts;
}

/** Of each source (`match/matcher.ts`), where its code stands in a script. */
function pointsOf(script: string, ran: Uint8Array, texts: ReadonlyMap<string, string>): ReadonlyMap<string, Points> {
  const lines = lineStarts(readFileSync(script, 'utf8'));
  const sources = new Map<string, Map<number, boolean>>();
  const starts = new Map<string, readonly number[]>();
  for (const mapping of mappings(JSON.parse(readFileSync(`${script}.map`, 'utf8')) as SourceMap)) {
    const file = relative(join(root, 'agent'), join(dirname(script), mapping.source));
    const text = texts.get(file);
    if (text === undefined) continue;
    const ofText = starts.get(file) ?? lineStarts(text);
    starts.set(file, ofText);
    const position = (ofText[mapping.originalLine] ?? 0) + mapping.originalColumn;
    const offset = (lines[mapping.generatedLine] ?? 0) + mapping.generatedColumn;
    const points = sources.get(file) ?? new Map<number, boolean>();
    sources.set(file, points.set(position, (points.get(position) ?? false) || ran[offset] === 1));
  }
  return new Map([...sources].map(([file, points]) => [file, [...points].toSorted(([a], [b]) => a - b)]));
}

/** A source map, version 3. */
interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** From where to where; lines and columns count from 0. */
export interface Mapping {
  readonly generatedLine: number;
  readonly generatedColumn: number;
  readonly source: string;
  readonly originalLine: number;
  readonly originalColumn: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The mappings of a source map: `AAAA;CAEC` is a `;` between lines, and in each differences to the mapping before. */
export function mappings({ sources, mappings: text }: SourceMap): readonly Mapping[] {
  const found: Mapping[] = [];
  let [source, originalLine, originalColumn] = [0, 0, 0];
  for (const [generatedLine, line] of text.split(';').entries()) {
    let generatedColumn = 0;
    for (const segment of line.split(',')) {
      const [column = 0, sourceStep, lineStep = 0, columnStep = 0] = numbers(segment);
      generatedColumn += column;
      // Code that nobody wrote has no source.
      if (sourceStep === undefined) continue;
      source += sourceStep;
      originalLine += lineStep;
      originalColumn += columnStep;
      found.push({ generatedLine, generatedColumn, source: sources[source] ?? '', originalLine, originalColumn });
    }
  }
  return found;
}

/** Numbers in base 64: five bits a digit, the lowest first; a sixth says that more follow, the number's own lowest is its sign. */
function numbers(segment: string): readonly number[] {
  const found: number[] = [];
  let [value, shift] = [0, 0];
  for (const letter of segment) {
    const digit = DIGITS.indexOf(letter);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    found.push((value & 1) === 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return found;
}

function lineStarts(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
}

/** The coverage of every source of `agent/`, by its path there, from the counts in a folder. */
export function readCoverage(folder: string): ReadonlyMap<string, FileCoverage> {
  const agent = join(root, 'agent');
  const texts = new Map(
    readdirSync(agent, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .toSorted()
      .map((file) => [file, readFileSync(join(agent, file), 'utf8')]),
  );
  const scripts = [...readCounts(folder)].map(([script, ran]) => pointsOf(script, ran, texts));
  return new Map(
    [...texts].map(([file, text]) => [
      file,
      coverageOf(
        text,
        scripts.map((points) => points.get(file) ?? []),
      ),
    ]),
  );
}

/** The table by room, and a sentence for each floor that does not hold. */
export function summary(files: ReadonlyMap<string, FileCoverage>): { table: string[]; failures: string[] } {
  const rooms = new Map<string, FileCoverage[]>();
  for (const [file, coverage] of files) {
    const room = file.includes('/') ? file.slice(0, file.indexOf('/')) : 'cli, index';
    rooms.set(room, [...(rooms.get(room) ?? []), coverage]);
  }
  const rows = [...rooms, ['all', [...files.values()]] as const].map(([room, covered]) => ({
    room,
    lines: percent(covered.map((file) => file.lines)),
    branches: percent(covered.map((file) => file.branches)),
  }));
  return {
    table: [
      'room         lines  branches',
      ...rows.map(
        ({ room, lines, branches }) =>
          `${room.padEnd(12)}${lines.toFixed(1).padStart(6)} ${branches.toFixed(1).padStart(9)}`,
      ),
    ],
    failures: rows
      .map(({ room, lines }) => ({ room, lines, floor: FLOORS[room] ?? 0 }))
      .filter(({ lines, floor }) => lines < floor)
      .map(({ room, lines, floor }) => `${room}: ${lines.toFixed(1)} % of lines, at least ${floor} %`),
  };
}

function percent(ratios: readonly Ratio[]): number {
  const sum = (pick: (ratio: Ratio) => number) => ratios.reduce((total, ratio) => total + pick(ratio), 0);
  const all = sum((ratio) => ratio.all);
  return all === 0 ? 100 : (100 * sum((ratio) => ratio.ran)) / all;
}

if (process.argv[1] === import.meta.filename) {
  const files = readCoverage(COUNTS);
  for (const [file, { missed }] of files) if (missed.length > 0) console.log(`agent/${file}: ${missed.join(' ')}`);
  console.log(summary(files).table.join('\n'));
}
