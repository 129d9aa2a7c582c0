/** What dkms's commands tell about the tree and about many modules at once, as plain data. report/dkms/run-text.ts has the words. */

/** Modules are `NAME/VERSION`; `action` is the command's name. */
export type RunMessage =
  | { readonly kind: 'blank' }
  | { readonly kind: 'not-root' }
  | { readonly kind: 'not-writable'; readonly dkmsTree: string }
  | { readonly kind: 'no-os-release' }
  | { readonly kind: 'no-all'; readonly action: string }
  | { readonly kind: 'one-kernel'; readonly action: string }
  | { readonly kind: 'kernel-needed'; readonly action: string }
  | { readonly kind: 'module-needed'; readonly action: string }
  | { readonly kind: 'unsafe-name'; readonly what: string; readonly value: string }
  | { readonly kind: 'not-added'; readonly module: string }
  | { readonly kind: 'broken'; readonly module: string; readonly during: 'action' | 'status' | 'autoinstall' }
  | { readonly kind: 'already-added'; readonly module: string }
  | { readonly kind: 'no-source-directory'; readonly folder: string }
  | { readonly kind: 'no-conf-in'; readonly path: string }
  | { readonly kind: 'malformed-source' }
  | { readonly kind: 'source-replaced'; readonly module: string }
  | { readonly kind: 'source-not-copied'; readonly folder: string; readonly why: string }
  | { readonly kind: 'link-created'; readonly link: string; readonly target: string }
  | { readonly kind: 'remove-cancelled' }
  | { readonly kind: 'deleted'; readonly module: string }
  | { readonly kind: 'delete-failed'; readonly path: string; readonly why: string }
  /** BUILD_EXCLUSIVE leaves no module for this kernel; `folder` is the build's. */
  | { readonly kind: 'excluded'; readonly module: string; readonly folder: string; readonly exclusion: Excluded }
  | { readonly kind: 'already-built'; readonly module: string; readonly release: string; readonly arch: string }
  | {
      readonly kind: 'status';
      readonly module: string;
      /** Undefined for a version that is only added. */
      readonly kernel: { readonly release: string; readonly arch: string } | undefined;
      readonly state: 'added' | 'broken' | 'built' | 'installed';
      readonly originals: boolean;
      readonly missing: boolean;
      readonly differs: boolean;
    }
  | { readonly kind: 'autoinstall-disabled' }
  | { readonly kind: 'autoinstall'; readonly module: string; readonly release: string; readonly arch: string }
  | {
      readonly kind: 'autoinstall-result';
      readonly result: 'succeeded' | 'skipped' | 'failed';
      readonly release: string;
      readonly modules: readonly string[];
    }
  | { readonly kind: 'dependencies-missing'; readonly module: string; readonly missing: readonly string[] }
  | { readonly kind: 'dependencies-unknown'; readonly module: string; readonly missing: readonly string[] }
  | { readonly kind: 'autoinstall-deferred'; readonly release: string; readonly modules: readonly string[] }
  | { readonly kind: 'autoinstall-failed' }
  | { readonly kind: 'rebuilding'; readonly module: string }
  | { readonly kind: 'rebuild-cycle'; readonly modules: readonly string[] }
  | { readonly kind: 'removing-for-kernel'; readonly module: string; readonly release: string; readonly arch: string }
  | { readonly kind: 'removal-failed'; readonly modules: readonly string[] }
  | { readonly kind: 'match'; readonly release: string; readonly template: string; readonly arch: string }
  | { readonly kind: 'match-module'; readonly name: string; readonly version: string }
  | { readonly kind: 'match-nothing' }
  | { readonly kind: 'match-same' }
  | { readonly kind: 'match-no-template' }
  | { readonly kind: 'post-transaction' }
  | { readonly kind: 'post-transaction-done'; readonly status: number }
  | { readonly kind: 'waiting-for-lock'; readonly file: string; readonly holder: string }
  /** Something is wrong at `path`; `repaired` says whether it is right again. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly path: string; readonly repaired: boolean }
  | { readonly kind: 'tree-good' }
  /** A build for a kernel that is gone; `done`: it was deleted. */
  | {
      readonly kind: 'pruned';
      readonly module: string;
      readonly release: string;
      readonly arch: string;
      readonly bytes: number;
      readonly done: boolean;
    }
  | { readonly kind: 'pruned-all'; readonly bytes: number; readonly done: boolean }
  /** A module file was signed with the present key; or `why` it stays as it was. */
  | { readonly kind: 'resigned'; readonly path: string; readonly why?: string }
  /** The kernel's modules are not signed, for a reason that was told. */
  | { readonly kind: 'resign-unsigned'; readonly module: string; readonly release: string; readonly arch: string }
  | { readonly kind: 'resigned-all'; readonly signed: number; readonly kept: number; readonly failed: number }
  | { readonly kind: 'log'; readonly path: string; readonly text: string }
  | { readonly kind: 'no-log'; readonly module: string }
  | { readonly kind: 'archive'; readonly problem: ArchiveProblem; readonly what: string; readonly why?: string }
  | { readonly kind: 'archive-step'; readonly step: ArchiveStep; readonly what: string };

/** The directive that does not fit: `BUILD_EXCLUSIVE_KERNEL_MIN`, its element, and its value. */
interface Excluded {
  readonly directive: string;
  readonly record: number;
  readonly value: string;
}

/** What is wrong with a DKMS tree. */
export type Fault =
  | 'broken'
  | 'leftover'
  | 'half-build'
  | 'stale-link'
  | 'kernel-gone'
  | 'module-missing-in-build'
  | 'not-in-place';

/** Why an archive cannot be made or loaded. */
export type ArchiveProblem =
  | 'missing'
  | 'no-conf'
  | 'not-dkms'
  | 'malformed'
  | 'already-added'
  | 'not-built'
  | 'not-writable'
  | 'not-made'
  | 'unsafe-member'
  | 'exists';

/** What happens to an archive. */
export type ArchiveStep =
  | 'marking-kernel'
  | 'marking-source'
  | 'binaries-only'
  | 'location'
  | 'loading'
  | 'loading-kernel';
