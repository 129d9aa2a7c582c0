/** What the configuration of a DKMS package tells, as plain data. report/dkms/postinst-text.ts has the words. */

/** `module` is `NAME/VERSION`; `release` is a kernel's. */
export type PostinstMessage =
  | { readonly kind: 'postinst-usage' }
  | { readonly kind: 'postinst-disabled' }
  | { readonly kind: 'postinst-removing-old'; readonly module: string }
  | { readonly kind: 'postinst-bad-archive'; readonly archive: string }
  | { readonly kind: 'postinst-loading'; readonly module: string }
  | { readonly kind: 'postinst-no-autoinstall'; readonly name: string }
  /** The running kernel has no modules here: this is another system's root, or a container. */
  | { readonly kind: 'postinst-foreign-kernel'; readonly release: string }
  | { readonly kind: 'postinst-no-kernel'; readonly release: string }
  | { readonly kind: 'postinst-kernels'; readonly releases: readonly string[] }
  | { readonly kind: 'postinst-boot-variant'; readonly release: string }
  | { readonly kind: 'postinst-no-source'; readonly release: string }
  | { readonly kind: 'postinst-no-headers'; readonly release: string }
  | { readonly kind: 'postinst-building'; readonly module: string; readonly release: string }
  | { readonly kind: 'postinst-failed'; readonly releases: readonly string[] };
