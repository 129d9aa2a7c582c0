/** The words of a DKMS package's configuration, as Debian's packages print them. Builds text. */
import type { PostinstMessage } from '../../records/dkms/postinst-message.ts';
import { out, type DkmsText } from './dkms-line.ts';

type Words = {
  readonly [Kind in PostinstMessage['kind']]: (message: Extract<PostinstMessage, { kind: Kind }>) => DkmsText;
};

const WORDS: Words = {
  'postinst-usage': () => out('Need NAME, and VERSION defined', 'ARCH is optional'),
  'postinst-disabled': () => out('autoinstall for dkms modules has been disabled.'),
  'postinst-removing-old': ({ module }) => out(`Removing old ${module} DKMS files...`),
  'postinst-bad-archive': ({ archive }) =>
    out(
      '',
      '',
      `Unable to load DKMS tarball ${archive}.`,
      'Common causes include: ',
      ' - You must be using DKMS 2.1.0.0 or later to support binaries only',
      '   distribution specific archives.',
      ' - Corrupt distribution specific archive',
      '',
      '',
    ),
  'postinst-loading': ({ module }) => out(`Loading new ${module} DKMS files...`),
  'postinst-no-autoinstall': ({ name }) =>
    out(`Not building the ${name} module which does not have AUTOINSTALL enabled.`),
  'postinst-foreign-kernel': ({ release }) => out(`It is likely that ${release} belongs to a chroot's host`),
  'postinst-no-kernel': ({ release }) =>
    out(
      'WARNING: No kernel headers were found, skipping module build.',
      `         To get the headers for the running kernel (${release})`,
      `         please install the linux-headers-${release} package.`,
    ),
  'postinst-kernels': ({ releases }) => out(`Building for ${listed(releases)}`),
  'postinst-boot-variant': ({ release }) =>
    out(`Module build and install for ${release} was skipped as `, 'it is a BOOT variant'),
  'postinst-no-source': ({ release }) =>
    out(
      'This package appears to be a binaries-only package',
      ` you will not be able to build against kernel ${release}`,
      ' since the package source was not provided',
    ),
  'postinst-no-headers': ({ release }) =>
    out(
      `Module build for kernel ${release} was skipped since the`,
      'kernel headers for this kernel do not seem to be installed.',
    ),
  'postinst-building': ({ module, release }) => out(`Building initial module ${module} for ${release}`),
  'postinst-failed': ({ releases }) => out(`Builds for the following kernel(s) failed: ${releases.join(' ')}`),
};

/** Whether a message is of this kind. */
export function isPostinstMessage(message: { readonly kind: string }): message is PostinstMessage {
  return Object.hasOwn(WORDS, message.kind);
}

/** What `message` prints, and where. */
export function postinstText(message: PostinstMessage): DkmsText {
  // The kind of the row is the kind of the argument, which TypeScript does not follow through a table.
  const words = WORDS[message.kind] as (one: PostinstMessage) => DkmsText;
  return words(message);
}

/** `a`, `a and b`, `a, b and c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
