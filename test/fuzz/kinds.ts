/** The kinds of input that plugd reads and does not trust, in the order in which they are fuzzed. */
import type { KindSource } from './run.ts';

const NAMES = [
  'indexes',
  'text-indexes',
  'modules',
  'der',
  'key-lists',
  'compressed',
  'initramfs',
  'modprobe-conf',
  'cloud-config',
  'policy',
  'udev-rules',
  'uevents',
  'recordings',
  'globs',
  'control-requests',
] as const;

/** Each kind with the module that exports it. */
export const KINDS: readonly KindSource[] = NAMES.map((name) => ({
  name,
  url: new URL(`kinds/${name}.js`, import.meta.url).href,
}));
