/** What installing and uninstalling out-of-tree modules tells, as plain data. report/dkms/install-text.ts has the words. */

/** A module, a kernel and its architecture: `v4l2loopback/0.12.7`, `6.1.0-56-amd64`, `x86_64`. */
interface Target {
  readonly module: string;
  readonly release: string;
  readonly arch: string;
}

/** What happens to one package's modules in a kernel's module tree. Paths are whole, files have their suffix (`v4l2loopback.ko.xz`). */
export type InstallMessage =
  | ({ readonly kind: 'already-installed' } & Target)
  /** The same, where it cannot be skipped: status 5. */
  | { readonly kind: 'is-installed'; readonly release: string; readonly arch: string }
  | { readonly kind: 'no-kernel-tree'; readonly folder: string }
  | { readonly kind: 'missing-built-module'; readonly name: string; readonly folder: string }
  | { readonly kind: 'script'; readonly script: string }
  | { readonly kind: 'pre-install-failed' }
  | { readonly kind: 'forced'; readonly name: string; readonly what: 'installation' | 'version override' }
  | {
      readonly kind: 'not-newer';
      readonly file: string;
      readonly version: string;
      readonly release: string;
      readonly present: string;
    }
  | { readonly kind: 'same-version'; readonly path: string; readonly version: string }
  | { readonly kind: 'obsolete'; readonly since: string }
  | { readonly kind: 'original-found'; readonly path: string }
  | { readonly kind: 'original-kept' }
  | { readonly kind: 'installing'; readonly path: string }
  | { readonly kind: 'copy-failed'; readonly path: string; readonly why: string }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'weak-modules'; readonly what: 'add' | 'remove' }
  | { readonly kind: 'depmod' }
  | { readonly kind: 'depmod-done' }
  | { readonly kind: 'depmod-failed'; readonly why: string }
  | { readonly kind: 'depmod-skipped'; readonly file: string }
  | { readonly kind: 'rolled-back' }
  | { readonly kind: 'tree-removed'; readonly folder: string }
  | ({ readonly kind: 'uninstalling' } & Target)
  | { readonly kind: 'was-active'; readonly active: boolean }
  | { readonly kind: 'deleting'; readonly path: string }
  | { readonly kind: 'not-found'; readonly file: string; readonly folder: string }
  | { readonly kind: 'restoring'; readonly path: string }
  | { readonly kind: 'restore-failed'; readonly path: string; readonly why: string }
  | { readonly kind: 'originals-removed'; readonly release: string; readonly arch: string }
  | ({ readonly kind: 'not-installed' } & Target)
  | ({ readonly kind: 'not-built' } & Target)
  /** Modules for the running kernel are installed, and this process may not load them: CAP_SYS_MODULE is missing. */
  | { readonly kind: 'cannot-load'; readonly release: string; readonly container: boolean }
  /** An install that another process was killed in was finished, or taken back. */
  | { readonly kind: 'recovered'; readonly what: 'finished' | 'undone'; readonly module: string };
