/** What in a boot image is older than, or other than, the tree's: copies of modules and of modprobe.d. Reads only. */
import type { Host } from '../base/host.ts';
import { readModprobeConfig, type ConfigText } from '../facts/config/config-text.ts';
import type { ImageContents } from '../facts/initramfs/image-contents.ts';
import type { Sources } from '../load/sources.ts';
import type { StaleFile } from '../records/image-check.ts';
import { copyFault } from '../explain/dkms/image-copy.ts';

/** Modules of another build or another place, and files of modprobe.d with other rules. */
export function staleFiles(host: Host, sources: Sources, contents: ImageContents): readonly StaleFile[] {
  return [...staleModules(host, sources, contents), ...staleConfig(host, contents.config)];
}

function* staleModules(host: Host, sources: Sources, { trees }: ImageContents): Generator<StaleFile> {
  const tree = trees.get(host.kernel);
  if (tree === undefined) return;
  for (const copy of tree.modules.values()) {
    const because = copyFault(host, sources, tree, copy);
    if (because !== undefined) yield { kind: 'module', path: copy.path, because };
  }
}

function* staleConfig(host: Host, copies: readonly ConfigText[]): Generator<StaleFile> {
  const own = readModprobeConfig(host).texts.filter(({ file }) => file.endsWith('.conf'));
  const tree = new Map(own.map(({ file, text }) => [baseName(file), { file: file.slice(host.root.length), text }]));
  for (const { file, text } of copies) {
    const there = tree.get(baseName(file));
    tree.delete(baseName(file));
    if (there === undefined) {
      if (rulesOf(text) !== '') yield { kind: 'config', path: file, because: 'the tree does not have it' };
    } else if (rulesOf(there.text) !== rulesOf(text)) {
      yield { kind: 'config', path: file, because: `its rules are not those of ${there.file}` };
    }
  }
  for (const { file, text } of tree.values())
    if (rulesOf(text) !== '') yield { kind: 'config', path: file, because: 'the image does not have it' };
}

/** The lines that count. */
function rulesOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).join('\n');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
