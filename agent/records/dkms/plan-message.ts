/** What `dkms --dry-run` tells: one message for each module and kernel, in the order of the work. report/dkms/plan-text.ts has the words. */
import type { ConfError } from './conf-message.ts';

/** What would be done, one after the other. `fetch` takes the result of a build from the cache, `forget` takes a version out of the tree. */
export type PlanStep = 'add' | 'build' | 'fetch' | 'install' | 'uninstall' | 'unbuild' | 'forget';

/** Why these steps, or why none. */
export type PlanReason =
  | { readonly kind: 'not-built' }
  /** The last build failed; `log` says why. */
  | { readonly kind: 'failed-before'; readonly log: string }
  | { readonly kind: 'not-installed' }
  /** `version` is installed. */
  | { readonly kind: 'other-version'; readonly version: string }
  /** It is installed, but not all of its modules are in their place. */
  | { readonly kind: 'not-in-place' }
  /** --force */
  | { readonly kind: 'forced' }
  /** It is there, and the command takes it away. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'installed' }
  | { readonly kind: 'built' }
  /** There is nothing to take away. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'autoinstall-off' }
  | { readonly kind: 'excluded'; readonly directive: string; readonly record: number; readonly value: string }
  | { readonly kind: 'broken' }
  | { readonly kind: 'no-source'; readonly folder: string }
  | { readonly kind: 'bad-conf'; readonly errors: readonly ConfError[] }
  | { readonly kind: 'no-conf'; readonly file: string }
  | { readonly kind: 'no-kernel-tree'; readonly folder: string }
  /** `package` brings them, if the distribution is known. */
  | { readonly kind: 'no-headers'; readonly package: string | undefined }
  | { readonly kind: 'no-compiler'; readonly program: string }
  /** Modules that it needs are not installed and will not be. */
  | { readonly kind: 'depends-missing'; readonly names: readonly string[] }
  /** Nobody has registered modules that it needs; the next run looks again. */
  | { readonly kind: 'depends-unknown'; readonly names: readonly string[] };

/** The plan of one run. */
export type PlanMessage =
  | {
      readonly kind: 'plan';
      /** `NAME/VERSION` */
      readonly module: string;
      readonly release: string;
      readonly arch: string;
      /** Empty: nothing would be done. */
      readonly steps: readonly PlanStep[];
      readonly why: PlanReason;
      /** The names of modules of this plan that come before. */
      readonly after: readonly string[];
      /** The exit status that the module by itself would lead to; 0 when all is well. */
      readonly status: number;
    }
  | { readonly kind: 'plan-end'; readonly nodes: number; readonly working: number; readonly blocked: number }
  /** The action has no plan, so that `-n` would do what it was to show. */
  | { readonly kind: 'plan-unknown'; readonly action: string };
