/** Which modules a kernel's initramfs contains, and its rules about them. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleNameFromPath, type ModuleName } from '../../base/names.ts';
import type { ConfigText } from '../config/config-text.ts';
import { isModuleFileName } from '../modfiles/module-file-name.ts';
import { walkImage } from './image-entries.ts';
import { findImage } from './image-files.ts';

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
/** The longest modprobe.d file; the rest of a longer text is not kept. */
const MOST_CONFIG = 1 << 20;

/** The initramfs of the host's kernel, by the names that distributions and boot loaders give it. */
export function readInitramfs(host: Host): Initramfs {
  const { file, others } = findImage(host);
  if (file === undefined) return { kind: 'none', others };
  const modules = new Set<ModuleName>();
  const config: ConfigText[] = [];
  const walked = walkImage(host.root, file, ({ path, target, read }) => {
    if (target !== undefined) return;
    if (isModuleFileName(path)) modules.add(moduleNameFromPath(path));
    if (CONFIG.test(path))
      config.push({ file: path, text: (read() ?? Buffer.alloc(0)).toString('latin1', 0, MOST_CONFIG) });
  });
  if (walked.kind === 'absent') return { kind: 'none', others };
  if (walked.kind !== 'whole') return { kind: 'unreadable', file, why: walked.why };
  return { kind: 'initramfs', file, modules, config: config.toSorted((a, b) => (a.file < b.file ? -1 : 1)) };
}
