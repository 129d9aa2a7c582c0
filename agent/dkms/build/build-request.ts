/** What the build of one module for one kernel is asked for, and how it ends. */
import type { BuildMessage } from '../../records/dkms/build-message.ts';

/** The kernel to build for. */
export interface BuildKernel {
  /** `6.1.0-56-amd64` */
  readonly release: string;
  /** `x86_64`: the last folder of the result's path. */
  readonly arch: string;
  /** The headers: `/lib/modules/6.1.0-56-amd64/build`. */
  readonly sourceDir: string;
  /** The file with its configuration; undefined when there is none. */
  readonly config: string | undefined;
  /** How the kernel's own modules are compressed, and so these. */
  readonly suffix: '' | '.gz' | '.xz' | '.zst';
}

/** How a build ended. `status` is the exit status that dkms has for it; the refusal itself was told. */
export type BuildOutcome =
  | { readonly kind: 'built'; readonly seconds: number }
  | { readonly kind: 'stopped'; readonly status: number };

/** Gets what a build tells, at once and in order. */
export type Tell = (message: BuildMessage) => void;

/** Signs module files in their place. */
export interface Signer {
  /** Signs one file; a failure leaves the file as it was. `output` is what a program said, or why it could not be done. */
  sign(file: string): Promise<{ readonly kind: 'signed' } | { readonly kind: 'failed'; readonly output: string }>;
}
