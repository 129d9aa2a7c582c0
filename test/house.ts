/**
 * The house rules as functions over sources and their imports, so that the test can show that each finds what it forbids.
 * Rooms, layers and doors are those of ARCHITECTURE.md. `npm run lint` runs this file:
 *
 *     node dist/test/house.js     # prints each violation; exit status 1 when there is one
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, posix } from 'node:path';

/** From the first to the last; a file imports only from its own layer and those before it. */
export const LAYERS: ReadonlyArray<readonly string[]> = [
  ['base'],
  ['facts'],
  ['indexes'],
  ['match'],
  ['rules'],
  ['plan'],
  ['insert'],
  ['diagnosis'],
  ['depmod', 'trust'],
  ['records'],
  ['dkms'],
  ['load'],
  ['explain'],
  ['images'],
  ['report'],
  ['daemon'],
  ['commands', 'library'],
  ['cli.ts', 'index.ts'],
];

/** Each outside package has one importing file. */
export const DOORS: Readonly<Record<string, string>> = {
  netlink: 'facts/uevents/uevent-socket.ts',
  minimatch: 'rules/glob.ts',
  pino: 'report/logging/log.ts',
  yaml: 'facts/config/yaml-text.ts',
};

/** Rooms without I/O, clock or environment: nothing of Node but types, and of facts only types. */
export const PURE = ['indexes', 'match', 'rules', 'plan', 'diagnosis', 'records'];

/** The folders that have rules. */
export const FOLDERS = ['agent', 'native', 'test'];

/** What makes a pure room impure without an import. */
const IMPURE = /\b(process|Date|performance|setTimeout|setInterval|setImmediate|async|await|fetch)\b|\bMath\.random\b/;

/** These rooms may call a file what another room calls one: a command, a function of the library and a record have its name. */
const NAMESAKES = ['commands', 'library', 'records'];

/** Files that have more than MOST_LINES today, and how many. They may only shrink. */
const LONG: Readonly<Record<string, number>> = {
  'agent/indexes/wildcard-search.ts': 280,
  'native/request-helper.c': 253,
};

/** Files of pure rooms that have no test of their name, and why not. They may only become fewer. */
const UNTESTED: Readonly<Record<string, string>> = {};

/** A folder shows at most this many files. */
const MOST_FILES = 18;

/** A file of `agent/` or `native/` has at most this many lines. Tests may have more: a table is as long as its rules. */
const MOST_LINES = 250;

/** A source file: path from the project's root, and text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** `file` imports `target` (a path in agent/, or a bare specifier); `types` when only types. */
export interface Import {
  readonly file: string;
  readonly target: string;
  readonly types: boolean;
}

/** The files below these folders of the project, in order of their paths; nothing that is built. */
export function readSources(root: string, folders: readonly string[]): readonly Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !/^native\/(?:build|prebuilt)\//.test(path.slice(root.length + 1)))
      .toSorted()
      .map((path) => ({ path: path.slice(root.length + 1), text: readFileSync(path, 'utf8') })),
  );
}

/** Every import of the TypeScript files of `agent/`, paths relative to it. */
export function importsOf(sources: readonly Source[]): readonly Import[] {
  return typescript(sources).flatMap(({ path, text }) => {
    const file = path.slice('agent/'.length);
    return [
      ...withoutComments(text).matchAll(
        /^(import|export)\s(type\s)?[^;'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm,
      ),
    ].map((match) => {
      const specifier = match[3] ?? match[4] ?? match[5] ?? '';
      const inside = specifier.startsWith('.');
      return {
        file,
        target: inside ? posix.join(posix.dirname(file), specifier) : specifier,
        types: match[2] !== undefined,
      };
    });
  });
}

/** What breaks the rules about files, one sentence each. */
export function fileViolations(sources: readonly Source[]): readonly string[] {
  return [...clocks(sources), ...namesakes(sources), ...crowds(sources), ...lengths(sources)];
}

/**
 * What has no test of its name, one sentence each: a file of a pure room that exports more than types. `untested` names those
 * that need none, with the reason; one that has a test, or is gone, has no business there.
 */
export function mirrorViolations(sources: readonly Source[], untested = UNTESTED): readonly string[] {
  const paths = new Set(sources.map(({ path }) => path));
  const mirror = (path: string) => path.replace(/^agent\/(.*)\.ts$/, 'test/$1.test.ts');
  const bare = typescript(sources)
    .filter(({ path, text }) => PURE.includes(roomOf(path.slice('agent/'.length))) && exportsValue(text))
    .map(({ path }) => path)
    .filter((path) => !paths.has(mirror(path)));
  return [
    ...bare
      .filter((path) => untested[path] === undefined)
      .map((path) => `${path} has no ${mirror(path)}: its room is pure, so a table can show each of its rules`),
    ...Object.keys(untested)
      .filter((path) => !bare.includes(path))
      .map((path) => `${path} needs no excuse for a missing test: take it off the list`),
  ];
}

/** Whether a file exports anything that is there when it runs. */
function exportsValue(text: string): boolean {
  const code = withoutComments(text);
  const named = [...code.matchAll(/^export\s*\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.split(','));
  return (
    /^export\s+((default|async|abstract)\s+)*(function|const|let|var|class|enum|\*|default)(?!\w)/m.test(code) ||
    named.some((name) => name.trim() !== '' && !/^type\s/.test(name.trim()))
  );
}

function typescript(sources: readonly Source[]): readonly Source[] {
  return sources.filter(({ path }) => path.startsWith('agent/') && path.endsWith('.ts'));
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
}

function clocks(sources: readonly Source[]): readonly string[] {
  return typescript(sources)
    .filter(({ path }) => PURE.includes(roomOf(path.slice('agent/'.length))))
    .flatMap(({ path, text }) => {
      // Strings and patterns may name anything.
      const word = IMPURE.exec(withoutComments(text).replaceAll(/'[^'\n]*'|`[^`]*`|\/\/.*$/gm, ''))?.[0];
      return word === undefined ? [] : [`${path} uses ${word}, but its room is pure`];
    });
}

function namesakes(sources: readonly Source[]): readonly string[] {
  const byName = new Map<string, string[]>();
  for (const { path } of typescript(sources)) {
    if (NAMESAKES.includes(roomOf(path.slice('agent/'.length)))) continue;
    byName.set(basename(path), [...(byName.get(basename(path)) ?? []), path]);
  }
  return [...byName.values()]
    .filter((paths) => paths.length > 1)
    .map((paths) => `${paths.join(' and ')} have one name: name each by what it does`);
}

function crowds(sources: readonly Source[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { path } of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(
      ([folder, count]) =>
        `${folder}/ shows ${count} files; more than ${MOST_FILES} are a search: sort them by subject`,
    );
}

function lengths(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ path }) => !path.startsWith('test/') && ['.ts', '.cc', '.c', '.h'].includes(extname(path)))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1, most: LONG[path] ?? MOST_LINES }))
    .filter(({ lines, most }) => lines > most)
    .map(({ path, lines, most }) => `${path} has ${lines} lines, more than ${most}: it is more than one noun`);
}

/** What breaks the rules about imports, one sentence each. */
export function importViolations(imports: readonly Import[]): readonly string[] {
  return [...imports.flatMap((edge) => judge(edge)), ...cycles(imports)];
}

function layerOf(file: string): number {
  const room = file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
  return LAYERS.findIndex((layer) => layer.includes(room));
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function judge({ file, target, types }: Import): readonly string[] {
  const found: string[] = [];
  const bare = !target.endsWith('.ts');
  if (layerOf(file) < 0) found.push(`${file} is in no room`);
  if (bare) {
    const name = target.split('/')[0] ?? target;
    if (target.startsWith('node:')) {
      if (PURE.includes(roomOf(file)) && !types) found.push(`${file} imports ${target}, but its room is pure`);
    } else if (DOORS[name] !== file) {
      found.push(`${file} imports ${target}, whose door is ${DOORS[name] ?? 'not built'}`);
    }
  } else {
    if (layerOf(target) > layerOf(file)) found.push(`${file} imports ${target} of a later layer`);
    if (layerOf(target) === layerOf(file) && roomOf(target) !== roomOf(file))
      found.push(`${file} imports ${target} of a room beside it`);
    if (PURE.includes(roomOf(file)) && roomOf(target) === 'facts' && !types)
      found.push(`${file} imports more than types from ${target}`);
  }
  return found;
}

function cycles(imports: readonly Import[]): readonly string[] {
  const edges = new Map<string, string[]>();
  for (const { file, target } of imports) edges.set(file, [...(edges.get(file) ?? []), target]);
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`a cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const target of edges.get(file) ?? []) visit(target, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, '../..');
  const sources = readSources(root, FOLDERS);
  const found = [...importViolations(importsOf(sources)), ...fileViolations(sources), ...mirrorViolations(sources)];
  for (const sentence of found) console.error(`house: ${sentence}`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
