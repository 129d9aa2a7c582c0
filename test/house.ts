/**
 * The house rules as functions over an import graph, so that the test can also show that they find what they forbid.
 * Rooms, layers and doors are those of ARCHITECTURE.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

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
  ['depmod', 'dkms'],
  ['records'],
  ['load'],
  ['explain'],
  ['report'],
  ['daemon'],
  ['commands', 'library'],
  ['cli.ts', 'index.ts'],
];

/** Each outside package has one importing file. */
export const DOORS: Readonly<Record<string, string>> = {
  netlink: 'facts/uevents/uevent-socket.ts',
  minimatch: 'rules/glob.ts',
  pino: 'report/log.ts',
};

/** Rooms without I/O, clock or environment: nothing of Node but types, and of facts only types. */
export const PURE = ['indexes', 'match', 'rules', 'plan', 'diagnosis', 'records'];

/** `file` imports `target` (a path in agent/, or a bare specifier); `types` when only types. */
export interface Import {
  readonly file: string;
  readonly target: string;
  readonly types: boolean;
}

/** Every import of every file below `agent/`, paths relative to it. */
export function readImports(agent: string): readonly Import[] {
  const imports: Import[] = [];
  for (const entry of readdirSync(agent, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const text = readFileSync(join(agent, entry), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    for (const match of text.matchAll(
      /^(import|export)\s(type\s)?[^;'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm,
    )) {
      const specifier = match[3] ?? match[4] ?? match[5] ?? '';
      const inside = specifier.startsWith('.');
      imports.push({
        file: entry,
        target: inside ? posix.join(posix.dirname(entry), specifier) : specifier,
        types: match[2] !== undefined,
      });
    }
  }
  return imports;
}

/** What breaks the rules, one sentence each. */
export function violations(imports: readonly Import[]): readonly string[] {
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
  for (const { file, target, types } of imports) if (!types) edges.set(file, [...(edges.get(file) ?? []), target]);
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`a circle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const target of edges.get(file) ?? []) visit(target, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}
