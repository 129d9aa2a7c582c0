/** What `modinfo --json` says of a module (docs/modinfo.schema.json). */

/** A module as modinfo shows it. */
export interface ModuleInfoSubject {
  readonly name: string;
  /** Undefined for one that is part of the kernel. */
  readonly path: string | undefined;
}

/** One module. Texts are UTF-8; where a file has other bytes, each is one character (latin1). */
export interface ModuleInfoRecord {
  readonly name: string;
  readonly builtin: boolean;
  /** Absent for a builtin one. */
  readonly filename?: string;
  readonly compression?: string;
  /** All strings of `.modinfo` but the parameters', by key, in their order. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly description?: string; readonly type?: string }>;
  /** Hexadecimal. */
  readonly buildId?: string;
  readonly signature?: SignatureRecord | { readonly damaged: string };
  /** Why there is nothing else: the file cannot be read as a module. */
  readonly error?: string;
}

/** `key` and `value` are hexadecimal. */
export interface SignatureRecord {
  readonly id: string;
  readonly signer: string;
  readonly key: string;
  readonly hash: string;
  readonly value: string;
}
