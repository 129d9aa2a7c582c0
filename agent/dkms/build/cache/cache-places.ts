/** Where results of builds are kept. */

/** The folders of a cache, and its size. */
export interface CachePlaces {
  /** `/var/cache/plugd/dkms`; only its owner may write there. */
  readonly folder: string;
  /** Folders of the same form that others fill: a fleet's, an image's. Nothing is written there. */
  readonly shared?: readonly string[] | undefined;
  /** The bytes that `folder` may take; the results that were not used for the longest time go first. */
  readonly limit: number;
}
