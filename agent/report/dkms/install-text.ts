/** The words of installing and uninstalling: dkms's, where scripts and people know them. Builds text. */
import type { InstallMessage } from '../../records/dkms/install-message.ts';
import { error, out, warning, type DkmsText } from './dkms-line.ts';

const SKIP = 'You may override by specifying --force.';

type Words = {
  readonly [Kind in InstallMessage['kind']]: (message: Extract<InstallMessage, { kind: Kind }>) => DkmsText;
};

const WORDS: Words = {
  'already-installed': (message) =>
    out(`Module ${message.module} already installed on kernel ${message.release} (${message.arch}), skip. ${SKIP}`),
  'is-installed': (message) =>
    error(`This module/version combo is already installed for kernel ${message.release} (${message.arch}).`),
  'no-kernel-tree': (message) =>
    error(`The directory ${message.folder} doesn't exist.`, 'You cannot install a module onto a non-existent kernel.'),
  'missing-built-module': (message) => error(`Missing module ${message.name} in ${message.folder}`),
  script: (message) => out(`Running the ${message.script} script:`),
  'pre-install-failed': () => error('pre_install failed, aborting install.', SKIP),
  forced: (message) => out(`Forcing ${message.what} of ${message.name}`),
  'not-newer': (message) =>
    error(
      `Module version ${message.version} for ${message.file}`,
      `is not newer than what is already found in kernel ${message.release} (${message.present}).`,
      SKIP,
    ),
  'same-version': (message) => {
    const which = message.version === '' ? '(unversioned module)' : `at version ${message.version}`;
    return {
      to: 'error',
      text: `Module ${message.path} already installed ${which}, override by specifying --force\n`,
    };
  },
  obsolete: (message) => ({
    to: 'error',
    text: `\nModule has been obsoleted due to being included in kernel ${message.since}.\nWe will avoid installing for future kernels above ${message.since}.\n${SKIP}\n`,
  }),
  'original-found': (message) => out(`Found pre-existing ${message.path}, archiving for uninstallation`),
  'original-kept': () => out('An original module was already stored during a previous install'),
  installing: (message) => out(`Installing ${message.path}`),
  'copy-failed': (message) => error(`Copying '${message.path}' failed`, message.why),
  aborted: () => error('Installation aborted.'),
  'weak-modules': (message) =>
    out(message.what === 'add' ? 'Adding linked weak modules...' : 'Removing linked weak modules...'),
  depmod: () => ({ to: 'out', text: 'Running depmod...' }),
  'depmod-done': () => out(' done.'),
  'depmod-failed': (message) => ({ to: 'out', text: `(bad exit status: 1)\n${message.why}\n` }),
  'cannot-load': ({ release, container }) => ({
    to: 'error',
    text: `Modules for ${release} are installed, but cannot be loaded from here: CAP_SYS_MODULE is missing.\n${
      container ? 'Start the container with --cap-add SYS_MODULE, or' : 'Become root with all capabilities, or'
    } run modprobe on the host.\n`,
  }),
  'depmod-skipped': (message) => out(`Skipping depmod because '${message.file}' is missing.`),
  'rolled-back': () =>
    error(
      'Problems with depmod detected. Automatically uninstalling this module.',
      'Install Failed (depmod problems). Module rolled back to built state.',
    ),
  'tree-removed': (message) => out(`removed directory ${message.folder}`),
  uninstalling: (message) => out(`Module ${message.module} for kernel ${message.release} (${message.arch}):`),
  'was-active': (message) =>
    out(
      message.active
        ? 'Before uninstall, this module version was ACTIVE on this kernel.'
        : 'This module version was INACTIVE for this kernel.',
    ),
  deleting: (message) => out(`Deleting ${message.path}`),
  'not-found': (message) => out(`Module ${message.file} was not found within ${message.folder}/`),
  restoring: (message) => out(`Restoring archived original module ${message.path}`),
  'restore-failed': (message) => warning(`Original module ${message.path} cannot be put back: ${message.why}`),
  'originals-removed': (message) =>
    out(`Removing original module(s) from DKMS tree for kernel ${message.release} (${message.arch})`),
  'not-installed': (message) =>
    out(`Module ${message.module} is not installed for kernel ${message.release} (${message.arch}). Skipping...`),
  'not-built': (message) =>
    out(`Module ${message.module} is not built for kernel ${message.release} (${message.arch}). Skipping...`),
  recovered: (message) =>
    warning(
      message.what === 'finished'
        ? `An interrupted installation of ${message.module} was finished.`
        : `An interrupted installation of ${message.module} was taken back.`,
    ),
};

/** Whether a message is of this kind. */
export function isInstallMessage(message: { readonly kind: string }): message is InstallMessage {
  return Object.hasOwn(WORDS, message.kind);
}

/** What `message` prints, and where. */
export function installText(message: InstallMessage): DkmsText {
  // The kind of the row is the kind of the argument, which TypeScript does not follow through a table.
  const words = WORDS[message.kind] as (one: InstallMessage) => DkmsText;
  return words(message);
}
