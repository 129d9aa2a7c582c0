/** What the build of an out-of-tree module tells while it goes on, as data. Pure; report/dkms/build-text.ts has the words. */
import type { BuildFailure } from './build-failure.ts';

/**
 * One thing that a build tells, in the order in which people read it. A step is `step`, any number of `dot`, and `step-done` or
 * `step-failed`. Paths and output are ordinary text.
 *
 *     { kind: 'signing-module', file: '/var/lib/dkms/nvidia/525/build/nvidia.ko' }
 */
export type BuildMessage =
  | SigningMessage
  /** A command begins: `Building module(s)`. With `verbose`, people see `command` instead. */
  | {
      readonly kind: 'step';
      readonly description: string;
      readonly command: string;
      readonly verbose: boolean;
    }
  /** It has taken three seconds more. */
  | { readonly kind: 'dot' }
  | { readonly kind: 'step-done' }
  | { readonly kind: 'step-failed'; readonly status: number; readonly command: string; readonly verbose: boolean }
  | { readonly kind: 'signing-module'; readonly file: string }
  /** The build goes on without this signature; `output` is what the program said, or why plugd could not sign. */
  | { readonly kind: 'signing-failed'; readonly file: string; readonly output: string }
  /** A program that compresses a module said so and failed; the module stays uncompressed. */
  | { readonly kind: 'compression-failed'; readonly file: string; readonly output: string }
  /** A script that dkms.conf names is no executable file. */
  | { readonly kind: 'script-not-executable'; readonly script: string }
  /** Modules that this one needs are not installed; the build goes on, because it was told to. */
  | {
      readonly kind: 'depends-ignored';
      readonly module: string;
      readonly version: string;
      readonly kernel: string;
      readonly arch: string;
      readonly missing: readonly string[];
    }
  /** The result came out of the cache, so nothing was compiled. */
  | { readonly kind: 'from-cache'; readonly module: string; readonly version: string }
  /** The build took about so many seconds the last time. */
  | { readonly kind: 'build-forecast'; readonly seconds: number }
  /** What the build took: bytes of disk, seconds, and bytes of memory where that was seen. */
  | {
      readonly kind: 'build-cost';
      readonly bytes: number;
      readonly seconds: number;
      readonly memory?: number | undefined;
    }
  /** The sandbox of this run's builds has gaps: what the machine does not allow. Told once, before the first build. */
  | { readonly kind: 'walls-missing'; readonly missing: readonly MissingWall[] }
  | BuildRefusal
  /**
   * What to do about missing headers: the package of this distribution that has them, and where a link to them leads that is not
   * there. Comes after `headers-missing`.
   */
  | {
      readonly kind: 'headers-hint';
      readonly package: string | undefined;
      readonly dangling: { readonly link: string; readonly target: string } | undefined;
      /** In a container, the host's folders that it lacks. */
      readonly mounts: readonly string[];
    }
  /** Why make failed, as its log tells it. Comes after the refusal that it belongs to. */
  | {
      readonly kind: 'explanation';
      readonly failure: BuildFailure;
      readonly module: string;
      readonly version: string;
      readonly kernel: string;
    };

/**
 * A wall around a build: no `network`; `files` elsewhere are read-only; its `processes` see no others and end with it; another `user`
 * than root.
 */
export type Wall = 'network' | 'files' | 'processes' | 'user';

/** A wall that does not stand; `why` is what the system said. */
export interface MissingWall {
  readonly wall: Wall;
  readonly why: string;
}

/** The lines before the first build of a kernel, which say who signs. `signing-end` is the blank line after them. */
export type SigningMessage =
  | { readonly kind: 'signing-off'; readonly why: 'policy' | 'chroot' | 'no-facility' }
  /** The kernel's configuration, which says whether and how to sign, is not there. */
  | { readonly kind: 'signing-off'; readonly why: 'no-config'; readonly file: string }
  | { readonly kind: 'sign-command'; readonly command: string }
  | { readonly kind: 'signing-key'; readonly file: string }
  | { readonly kind: 'certificate'; readonly file: string }
  | { readonly kind: 'binary-missing'; readonly file: string }
  /** Key and certificate are made now. */
  | { readonly kind: 'generating'; readonly with: 'openssl' | 'update-secureboot-policy' }
  | { readonly kind: 'key-missing'; readonly file: string }
  | { readonly kind: 'certificate-missing'; readonly file: string }
  /** A certificate had no key any more: it was renamed to `kept`, and a new pair is made. */
  | { readonly kind: 'key-lost'; readonly key: string; readonly certificate: string; readonly kept: string }
  | { readonly kind: 'signing-end' };

/** Why there is no build. `status` of the outcome follows from the kind. */
export type BuildRefusal =
  | { readonly kind: 'source-empty'; readonly source: string }
  | {
      readonly kind: 'headers-missing';
      readonly kernel: string;
      readonly build: string;
      readonly source: string;
    }
  | {
      readonly kind: 'depends-missing';
      readonly module: string;
      readonly version: string;
      readonly kernel: string;
      readonly arch: string;
      readonly missing: readonly string[];
    }
  | { readonly kind: 'patch-missing'; readonly patch: string; readonly folder: string }
  | { readonly kind: 'patch-outside'; readonly patch: string }
  | { readonly kind: 'patch-failed'; readonly patch: string; readonly log: string }
  /** A script of dkms.conf failed; `status` is its own. */
  | { readonly kind: 'script-failed'; readonly script: string; readonly log: string }
  | { readonly kind: 'make-failed'; readonly kernel: string; readonly arch: string; readonly log: string }
  | {
      readonly kind: 'module-missing';
      readonly module: string;
      readonly kernel: string;
      readonly arch: string;
      readonly log: string;
    }
  /** `built` is the release that the module's vermagic names. */
  | {
      readonly kind: 'wrong-kernel';
      readonly module: string;
      readonly built: string;
      readonly wanted: string;
      readonly log: string;
    }
  /** Bytes; `needed` is undefined when only the end of the space shows that it was too little. */
  | { readonly kind: 'no-space'; readonly folder: string; readonly needed: number | undefined; readonly free: number }
  /** A file of the build could not be written: `why` is the system's text. */
  | { readonly kind: 'write-failed'; readonly file: string; readonly why: string }
  | { readonly kind: 'interrupted'; readonly module: string; readonly version: string; readonly kernel: string };
