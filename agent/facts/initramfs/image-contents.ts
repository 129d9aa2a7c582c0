/** What a boot image holds for loading modules: the modules with what tells them apart, their indexes, rules and firmware. Reads only. */
import { createHash } from 'node:crypto';
import { moduleNameFromPath, type ModuleName } from '../../base/names.ts';
import type { ConfigText } from '../config/config-text.ts';
import { compressionOf } from '../modfiles/compression.ts';
import { readBuildId } from '../modfiles/build-id.ts';
import { imageSource, section } from '../modfiles/elf.ts';
import { isModuleFileName } from '../modfiles/module-file-name.ts';
import { modinfoValue, parseModinfo, parseModule } from '../modfiles/modinfo.ts';
import type { ModuleTreeFiles } from '../trees/module-tree.ts';
import { walkImage, type ImageEntry, type ImageWalk } from './image-entries.ts';

/** What tells two builds of a module apart. */
export interface BuildMarks {
  readonly srcversion: string | undefined;
  readonly buildId: string | undefined;
  readonly vermagic: string | undefined;
}

/** A module of an image. A compressed one is not unpacked: `digest` (SHA-1) is of its bytes, and it has no marks. */
export interface ImageModule {
  readonly name: ModuleName;
  readonly path: string;
  readonly bytes: number;
  readonly marks: BuildMarks | undefined;
  readonly digest: string | undefined;
  /** Why it is no module; undefined for a good one. */
  readonly damage: string | undefined;
}

/** The modules of one kernel. */
export interface ImageTree {
  readonly files: ModuleTreeFiles;
  /** By path. */
  readonly modules: ReadonlyMap<string, ImageModule>;
  /** Whether it has modules.dep or modules.dep.bin: otherwise modprobe finds nothing in the image. */
  readonly hasIndex: boolean;
}

/** The whole. */
export interface ImageContents {
  /** By kernel release. */
  readonly trees: ReadonlyMap<string, ImageTree>;
  /** Its modprobe.d in the order in which it counts: each name once, the most important folder's. */
  readonly config: readonly ConfigText[];
  /** Files below its folders of firmware, and links that lead to one: `/usr/lib/firmware/tigon/tg3.bin`. */
  readonly firmware: ReadonlySet<string>;
  /** The path that a path leads to, over links. */
  readonly real: (path: string) => string;
}

const TREE = /^\/(?:usr\/)?lib\/modules\/([^/]+)\/(.+)$/;
const CONFIG = /^(\/etc|\/run|\/usr\/local\/lib|\/usr\/lib|\/lib)\/modprobe\.d\/([^/]+\.conf)$/;
const CONFIG_FOLDERS = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'];
const FIRMWARE = /^\/(?:usr\/)?lib\/firmware\//;
const INDEX = /^modules\.[a-z.]+$/;
/** The longest index, and the longest file of modprobe.d, that is kept. */
const MOST_INDEX = 64 << 20;
const MOST_CONFIG = 1 << 20;
const MOST_LINKS = 40;

/** Reads an image; `walked` says how far. `onTree` is told the release of the first tree of modules as soon as it is met. */
export function readImage(
  root: string,
  path: string,
  onTree?: (release: string) => void,
): { readonly walked: ImageWalk; readonly contents: ImageContents } {
  const collector = new Collector(onTree);
  const walked = walkImage(root, path, (entry) => collector.take(entry));
  return { walked, contents: collector.contents() };
}

interface Tree {
  readonly dir: string;
  readonly modules: Map<string, ImageModule>;
  readonly indexes: Map<string, Buffer>;
}

class Collector {
  readonly #trees = new Map<string, Tree>();
  readonly #config = new Map<string, { readonly rank: number; readonly text: ConfigText }>();
  /** By path; true for a link. */
  readonly #firmware = new Map<string, boolean>();
  readonly #links = new Map<string, string>();
  readonly #onTree: ((release: string) => void) | undefined;

  constructor(onTree: ((release: string) => void) | undefined) {
    this.#onTree = onTree;
  }

  take(entry: ImageEntry): void {
    const { path, target } = entry;
    const [, folder = '', name = ''] = CONFIG.exec(path) ?? [];
    if (name !== '') this.#takeConfig(entry, folder, name);
    else if (target !== undefined) this.#links.set(path, target);
    if (FIRMWARE.test(path)) this.#firmware.set(path, target !== undefined);
    const [, release = '', inside = ''] = TREE.exec(path) ?? [];
    if (inside === '' || target !== undefined) return;
    const dir = path.slice(0, -inside.length - 1);
    let tree = this.#trees.get(release);
    if (tree === undefined) {
      if (this.#trees.size === 0) this.#onTree?.(release);
      this.#trees.set(release, (tree = { dir, modules: new Map(), indexes: new Map() }));
    }
    if (isModuleFileName(path)) tree.modules.set(path, moduleOf(entry));
    else if (INDEX.test(inside) && entry.bytes <= MOST_INDEX) {
      const bytes = entry.read();
      // A copy: the image's own memory goes when it has been walked.
      if (bytes !== undefined) tree.indexes.set(inside, Buffer.from(bytes));
    }
  }

  #takeConfig({ path, target, read }: ImageEntry, folder: string, name: string): void {
    const rank = CONFIG_FOLDERS.indexOf(folder);
    const known = this.#config.get(name);
    if (known !== undefined && known.rank < rank) return;
    // A link to /dev/null masks the file of that name.
    const text = target === undefined ? (read()?.toString('latin1', 0, MOST_CONFIG) ?? '') : '';
    this.#config.set(name, { rank, text: { file: path, text } });
  }

  contents(): ImageContents {
    const trees = new Map([...this.#trees].map(([release, tree]) => [release, imageTree(tree)]));
    const config = [...this.#config].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { text }]) => text);
    const links = this.#links;
    const real = (path: string) => follow(links, path);
    const files = new Set([...this.#firmware].filter(([, isLink]) => !isLink).map(([path]) => real(path)));
    const firmware = [...this.#firmware].filter(([path, isLink]) => !isLink || files.has(real(path)));
    return { trees, config, firmware: new Set(firmware.map(([path]) => path)), real };
  }
}

function imageTree({ dir, modules, indexes }: Tree): ImageTree {
  const files: ModuleTreeFiles = {
    dir,
    readIndex: (name) => indexes.get(`${name}.bin`),
    readText: (name) => indexes.get(name)?.toString('latin1'),
    generation: () => '',
  };
  return { files, modules, hasIndex: indexes.has('modules.dep.bin') || indexes.has('modules.dep') };
}

function moduleOf({ path, bytes, read }: ImageEntry): ImageModule {
  const contents = read();
  const module = { name: moduleNameFromPath(path), path, bytes };
  if (contents === undefined) return { ...module, marks: undefined, digest: undefined, damage: 'it cannot be read' };
  // The contents of files with several names come with the last of them.
  if (contents.length === 0) return { ...module, marks: undefined, digest: undefined, damage: undefined };
  if (compressionOf(contents) !== undefined)
    return { ...module, marks: undefined, digest: digestOf(contents), damage: undefined };
  const marks = marksOf(contents);
  return typeof marks === 'string'
    ? { ...module, marks: undefined, digest: undefined, damage: marks }
    : { ...module, marks, digest: undefined, damage: undefined };
}

/** The SHA-1 of a compressed module, in hexadecimal: it tells copies apart, and nobody trusts it. */
export function digestOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** The marks of a plain module, or why it is none. */
export function marksOf(image: Buffer): BuildMarks | string {
  const source = imageSource(image);
  const elf = parseModule(source);
  if (elf.kind === 'not-elf') return elf.why;
  const info = section(elf, '.modinfo');
  const fields = parseModinfo(info === undefined ? '' : image.toString('latin1', info.offset, info.offset + info.size));
  return {
    srcversion: modinfoValue(fields, 'srcversion'),
    vermagic: modinfoValue(fields, 'vermagic'),
    buildId: readBuildId(source, elf),
  };
}

/** The path behind links, of folders too; a path on which too many links lie as it is. */
function follow(links: ReadonlyMap<string, string>, path: string): string {
  if (links.size === 0) return path;
  let rest = path.split('/').filter((part) => part !== '');
  let done: string[] = [];
  for (let hops = 0; rest.length > 0;) {
    const [name = '', ...later] = rest;
    rest = later;
    if (name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const target = links.get(`/${[...done, name].join('/')}`);
    if (target === undefined) done.push(name);
    else if (++hops > MOST_LINKS) return path;
    else {
      if (target.startsWith('/')) done = [];
      rest = [...target.split('/').filter((part) => part !== ''), ...rest];
    }
  }
  return `/${done.join('/')}`;
}
