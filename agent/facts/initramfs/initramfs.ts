/** Which modules a kernel's initramfs contains, and its rules about them. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleNameFromPath, type ModuleName } from '../../base/names.ts';
import type { ConfigText } from '../config/config-text.ts';
import { readRegularFile } from '../regular-file.ts';
import { isModuleFileName } from '../modfiles/module-file-name.ts';
import { walkArchives } from './cpio.ts';
import { findImage } from './image-files.ts';
import { unifiedKernelSection } from './unified-kernel.ts';

/** An initramfs that was read, or why it could not be. */
export type Initramfs =
  | {
      readonly kind: 'initramfs';
      readonly file: string;
      readonly modules: ReadonlySet<ModuleName>;
      /** Its modprobe.d files, with paths as inside it (`/etc/modprobe.d/x.conf`), sorted. */
      readonly config: readonly ConfigText[];
    }
  /** `others`: images whose names show no kernel release. One of them may be this kernel's. */
  | { readonly kind: 'none'; readonly others: readonly string[] }
  | { readonly kind: 'unreadable'; readonly file: string; readonly why: string };

const CONFIG = /(^|\/)(etc|run|usr\/lib|usr\/local\/lib|lib)\/modprobe\.d\/[^/]+\.conf$/;
/** Images with all modules and firmware are below 600 MiB. */
const MOST_BYTES = 1 << 30;
/** The longest modprobe.d file; the rest of a longer text is not kept. */
const MOST_CONFIG = 1 << 20;

/** The initramfs of the host's kernel, by the names that distributions and boot loaders give it. */
export function readInitramfs(host: Host): Initramfs {
  const { file, others } = findImage(host);
  if (file === undefined) return { kind: 'none', others };
  const read = readRegularFile(host.root, file, MOST_BYTES);
  if (read.kind === 'absent') return { kind: 'none', others };
  if (read.kind === 'fault') return { kind: 'unreadable', file, why: read.why };
  const archives = file.endsWith('.efi') ? unifiedKernelSection(read.bytes, '.initrd') : read.bytes;
  if (archives === undefined)
    return { kind: 'unreadable', file, why: 'not a unified kernel image, or one without .initrd' };
  const modules = new Set<ModuleName>();
  const config: ConfigText[] = [];
  const why = walkArchives(archives, ({ name, contents }) => {
    if (isModuleFileName(name)) modules.add(moduleNameFromPath(name));
    if (CONFIG.test(name))
      config.push({ file: `/${name.replace(/^(\.?\/)/, '')}`, text: contents.toString('latin1', 0, MOST_CONFIG) });
  });
  if (why !== undefined) return { kind: 'unreadable', file, why };
  return { kind: 'initramfs', file, modules, config: config.toSorted((a, b) => (a.file < b.file ? -1 : 1)) };
}
