/** What reading dkms.conf and framework.conf has to tell, as plain data. Strings are ordinary text. */

/** Something in a dkms.conf that makes it unusable. Compare `kind`, never the text. */
export type ConfError =
  /** PACKAGE_NAME or PACKAGE_VERSION is missing. */
  | { readonly kind: 'no-directive'; readonly directive: string }
  /** A record lacks its name or its destination. `record` is the index. */
  | { readonly kind: 'no-record-directive'; readonly directive: string; readonly record: number }
  /** A name ends in `.o` or `.ko`. */
  | { readonly kind: 'suffix'; readonly directive: string; readonly record: number }
  /** DEST_MODULE_LOCATION begins neither with /kernel nor /updates nor /extra. */
  | { readonly kind: 'destination'; readonly record: number }
  /** AUTOINSTALL and its like have another value than yes and no. */
  | { readonly kind: 'unsupported-value'; readonly directive: string; readonly value: string }
  /** Two records make one file. */
  | { readonly kind: 'duplicate'; readonly directive: string; readonly record: number; readonly module: string }
  /** There are more records than any package has. */
  | { readonly kind: 'too-many-records'; readonly most: number }
  /** A name, version or destination would lead out of its folder: it has a slash, a line break, or `..`. */
  | { readonly kind: 'unsafe-name'; readonly directive: string; readonly value: string }
  /** The file is there and cannot be read; `why` completes a sentence that begins with its name. */
  | { readonly kind: 'unreadable'; readonly file: string; readonly why: string }
  /** Its commands did not end in time. */
  | { readonly kind: 'too-slow'; readonly file: string; readonly seconds: number }
  /** It wrote, or set, more than any such file needs. */
  | { readonly kind: 'too-much'; readonly file: string; readonly bytes: number }
  /** It runs commands, and there is no bash to run them. */
  | { readonly kind: 'no-bash'; readonly file: string }
  /** bash itself was killed or ended before it answered. */
  | { readonly kind: 'bash-failed'; readonly file: string; readonly why: string };

/** A directive that no longer has an effect. */
export interface DeprecatedDirective {
  readonly directive: string;
  readonly file: string;
  /** The directive to write in its place, if there is one. */
  readonly instead?: string;
}

export type ConfMessage =
  | { readonly kind: 'conf-error'; readonly error: ConfError }
  /** The file as a whole does not count; `file` is '' when the user named none. */
  | { readonly kind: 'conf-bad'; readonly file: string }
  | { readonly kind: 'conf-missing'; readonly file: string }
  | { readonly kind: 'conf-zero-modules' }
  | ({ readonly kind: 'conf-deprecated' } & DeprecatedDirective)
  /** `--directive` set a variable. */
  | { readonly kind: 'conf-directive'; readonly name: string; readonly value: string }
  /** A file of framework.conf's cannot be read or evaluated: the defaults act. */
  | { readonly kind: 'conf-settings-lost'; readonly error: ConfError }
  /** What the file's own commands wrote to stderr, line breaks included. */
  | { readonly kind: 'conf-complaint'; readonly text: string };
