/** The modules of a boot image as its own indexes and rules find them. */
import type { Host } from '../base/host.ts';
import { moduleFile, type ModuleName } from '../base/names.ts';
import { listed, placeText } from '../base/words.ts';
import type { ImageContents, ImageModule, ImageTree } from '../facts/initramfs/image-contents.ts';
import { answer } from '../load/answer.ts';
import { imageSources, type Sources } from '../load/sources.ts';
import { isKeptOut } from '../rules/modprobe/decision.ts';

/** Answers for one kernel of an image. */
export class ImageModules {
  readonly #tree: ImageTree | undefined;
  readonly #sources: Sources | undefined;
  readonly #byName = new Map<ModuleName, ImageModule>();
  readonly #real: ImageContents['real'];
  /** What is wrong with the image, one sentence each. */
  readonly problems: readonly string[];

  constructor({ kernel }: Host, { trees, config, real }: ImageContents) {
    this.#real = real;
    const tree = trees.get(kernel);
    this.#tree = tree;
    for (const module of tree?.modules.values() ?? [])
      if (module.damage === undefined) this.#byName.set(module.name, module);
    this.#sources = tree?.hasIndex === true ? imageSources(tree.files, config) : undefined;
    this.problems = [...this.#missingParts(kernel, [...trees.keys()])];
  }

  *#missingParts(kernel: string, releases: readonly string[]): Generator<string> {
    if (this.#tree === undefined) {
      const others = releases.length === 0 ? '' : `; it has some for ${listed(releases)}`;
      yield `it has no modules for Linux ${kernel}${others}`;
      return;
    }
    const { modules, hasIndex, files } = this.#tree;
    if (!hasIndex && modules.size > 0) yield `${files.dir} has no modules.dep: modprobe would find nothing there`;
    for (const { path, damage } of modules.values()) if (damage !== undefined) yield `${path}: ${damage}`;
  }

  get count(): number {
    return this.#tree?.modules.size ?? 0;
  }

  all(): readonly ImageModule[] {
    return [...(this.#tree?.modules.values() ?? [])];
  }

  has(module: ModuleName): boolean {
    return this.#byName.has(module);
  }

  /** Why none of the names would load a module whose file is in the image; undefined when one would. */
  refusal(module: ModuleName, names: readonly string[]): string | undefined {
    const sources = this.#sources;
    // Without indexes something else than modprobe loads them, if anything does: the image's problem says so.
    if (sources === undefined || this.#tree === undefined) return undefined;
    const listing = sources.matcher.dependencies(module);
    if (listing === undefined) return `the image's modules.dep does not have ${module}`;
    const lost = [listing.path, ...listing.depends].find((path) => !this.#isThere(path));
    if (lost !== undefined) return `the image's modules.dep names ${lost}, which is not there`;
    let why = `nothing in the image's modules.alias leads to ${module}`;
    for (const name of names) {
      const found = answer(sources, name, false).answers.find(({ decision }) => decision.candidate.module === module);
      if (found === undefined) continue;
      const { decision, plan } = found;
      if (!isKeptOut(decision.kind) && plan?.blocked.length === 0) return undefined;
      const place = decision.place === undefined ? '' : ` (${placeText(decision.place)} in the image)`;
      why = `${decision.reason === '' ? `the image's rules keep ${module} out` : decision.reason}${place}`;
    }
    return why;
  }

  #isThere(file: string): boolean {
    const { files, modules } = this.#tree ?? {};
    if (files === undefined || modules === undefined) return false;
    const path = moduleFile({ moduleDir: files.dir }, file);
    return modules.has(path) || modules.has(this.#real(path));
  }
}
