/** The words of dkms's commands about the tree and about many modules: dkms's, where scripts and people know them. Builds text. */
import type { ArchiveProblem, ArchiveStep, Fault, RunMessage } from '../../records/dkms/run-message.ts';
import { error, out, warning, type DkmsText } from './dkms-line.ts';
import { lookText } from './look-text.ts';

type Words = { readonly [Kind in RunMessage['kind']]: (message: Extract<RunMessage, { kind: Kind }>) => DkmsText };

const REPAIR = 'plugd dkms check --repair';

const FAULTS: Readonly<Record<Fault, { readonly what: string; readonly remedy: string }>> = {
  broken: { what: 'its sources are missing', remedy: 'Install the package that brings them, or delete this folder.' },
  leftover: { what: 'left by a build that was cut off', remedy: REPAIR },
  'half-build': { what: 'a build without modules', remedy: REPAIR },
  'stale-link': { what: 'says that a build is installed which is not there', remedy: REPAIR },
  'kernel-gone': { what: 'built for a kernel that is gone', remedy: 'plugd dkms prune' },
  'module-missing-in-build': { what: 'the build lacks one of its modules', remedy: REPAIR },
  'not-in-place': { what: "the kernel's tree has another module than the one that was built", remedy: REPAIR },
};

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const ARCHIVE: Readonly<Record<ArchiveProblem, (what: string, why: string) => DkmsText>> = {
  missing: (what) => error(`${what} does not exist.`),
  'no-conf': () =>
    error('Tarball does not appear to be a correctly formed DKMS archive. No dkms.conf found within it.'),
  'not-dkms': (what) =>
    error('No valid dkms.conf in dkms_source_tree or dkms_binaries_only.', `${what} is not a valid DKMS tarball.`),
  malformed: () => ({ to: 'error', text: '\nMalformed dkms.conf, refusing to load.\n' }),
  'already-added': (what) => error(`${what} is already added!`, 'Aborting.'),
  'not-built': (what, why) => error(`No modules built for ${what}.`, why),
  'not-writable': (what) => error(`Missing write permissions for ${what}.`),
  'not-made': (_what, why) => error('Failed to make tarball.', why),
  'unsafe-member': (what, why) => error(`${what}: ${why}`, 'Nothing was unpacked.'),
  exists: (what) => warning(`${what} already exists. Skipping...`),
};

const ARCHIVE_STEPS: Readonly<Record<ArchiveStep, (what: string) => DkmsText>> = {
  'marking-kernel': (what) => out(`Marking modules for ${what} for archiving...`),
  'marking-source': (what) => out('', `Marking ${what} for archiving...`),
  'binaries-only': () => out('', 'Creating tarball structure to specifically accomodate binaries.'),
  location: (what) => out('', `Tarball location: ${what}`),
  loading: (what) => out('', `Loading tarball for ${what}`),
  'loading-kernel': (what) => out(`Loading ${what}...`),
};

const WORDS: Words = {
  blank: () => out(''),
  'not-root': () => error('You must be root to use this command.'),
  'not-writable': (message) => error(`No write access to DKMS tree at ${message.dkmsTree}`),
  'no-os-release': () => error('System is missing os-release file.'),
  'no-all': (message) => error(`The action ${message.action} does not support the --all parameter.`),
  'one-kernel': (message) =>
    error(`The action ${message.action} does not support multiple kernel version parameters on the command line.`),
  'kernel-needed': (message) =>
    error(`The action ${message.action} requires exactly one kernel version parameter on the command line.`),
  'module-needed': (message) =>
    error(
      'Arguments <module> and <module-version> are not specified.',
      `Usage: ${message.action} <module>/<module-version> or`,
      `       ${message.action} -m <module>/<module-version> or`,
      `       ${message.action} -m <module> -v <module-version>`,
    ),
  'unsafe-name': (message) =>
    error(
      `The ${message.what} ${JSON.stringify(message.value)} cannot be the name of a directory.`,
      "A name has no '/', no control characters, and is not '.' or '..'.",
    ),
  'not-added': (message) => error(`The module/version combo: ${message.module} is not located in the DKMS tree.`),
  broken: lookText,
  'already-added': (message) =>
    error(
      `DKMS tree already contains: ${message.module}`,
      'You cannot add the same module/version combo more than once.',
    ),
  'no-source-directory': (message) =>
    error('Could not find module source directory.', `Directory: ${message.folder} does not exist.`),
  'no-conf-in': (message) => error(`${message.path} must contain a dkms.conf file!`),
  'malformed-source': () => error('Malformed dkms.conf file. Cannot load source tree.'),
  'source-replaced': (message) => ({ to: 'error', text: `\nForcing install of ${message.module}\n` }),
  'source-not-copied': (message) => error(`The source cannot be copied to ${message.folder}: ${message.why}`),
  'link-created': (message) => out(`Creating symlink ${message.link} -> ${message.target}`),
  'remove-cancelled': () => warning('Remove cancelled because --rpm_safe_upgrade scenario detected.'),
  deleted: (message) => out(`Deleting module ${message.module} completely from the DKMS tree.`),
  'delete-failed': (message) => error(`${message.path} cannot be deleted: ${message.why}`),
  excluded: ({ folder, module }) =>
    warning(
      `The ${folder}/dkms.conf`,
      `for module ${module} includes BUILD_EXCLUSIVE directives`,
      'which do not match this kernel/arch/config for any modules.',
      'This indicates that it should not be built.',
    ),
  'already-built': (message) =>
    out(
      `Module ${message.module} already built for kernel ${message.release} (${message.arch}), skip. You may override by specifying --force.`,
    ),
  status: lookText,
  'autoinstall-disabled': () => out('Automatic installation of modules has been disabled.'),
  autoinstall: (message) =>
    out(`Autoinstall of module ${message.module} for kernel ${message.release} (${message.arch})`),
  'autoinstall-result': (message) => {
    const verb = message.result === 'skipped' ? 'was skipped' : message.result;
    return out(`Autoinstall on ${message.release} ${verb} for module(s) ${message.modules.join(' ')}.`);
  },
  'dependencies-missing': (message) =>
    out(`${message.module} autoinstall failed due to missing dependencies: ${message.missing.join(' ')}.`),
  'dependencies-unknown': (message) =>
    out(
      `${message.module} autoinstall deferred: BUILD_DEPENDS not registered with DKMS: ${message.missing.join(' ')}.`,
    ),
  'autoinstall-deferred': (message) =>
    out(
      `Autoinstall on ${message.release} deferred module(s) ${message.modules.join(' ')} due to BUILD_DEPENDS not yet registered with DKMS.`,
      'These may be provided externally or by a package not yet configured; autoinstall will retry on the next trigger.',
    ),
  'autoinstall-failed': () =>
    error(
      'One or more modules failed to install during autoinstall.',
      'Refer to previous errors for more information.',
    ),
  rebuilding: (message) => out('', `Rebuilding module ${message.module} due to updated dependencies`, ''),
  'rebuild-cycle': (message) =>
    warning(
      'The following modules could not be rebuilt due to dependency cycles:',
      ...message.modules.map((name) => `  ${name}`),
    ),
  'removing-for-kernel': (message) =>
    out(`dkms: removing module ${message.module} for kernel ${message.release} (${message.arch})`),
  'removal-failed': (message) => error(`These modules could not be removed: ${message.modules.join(' ')}`),
  match: (message) =>
    out(
      '',
      `Matching modules in kernel: ${message.release} (${message.arch})`,
      `to the configuration of kernel: ${message.template} (${message.arch})`,
    ),
  'match-module': (message) => out(`Module:  ${message.name}`, `Version: ${message.version}`),
  'match-nothing': () => out('', 'There is nothing to be done for this match.'),
  'match-same': () => error('The templatekernel and the specified kernel version are the same.'),
  'match-no-template': () =>
    error('Invalid number of parameters passed.', 'Usage: match --templatekernel=<kernel-version> -k <kernel-version>'),
  'post-transaction': () => ({ to: 'out', text: 'Executing post-transaction command...' }),
  'post-transaction-done': (message) => out(message.status === 0 ? ' done.' : `(bad exit status: ${message.status})`),
  'waiting-for-lock': (message) => ({
    to: 'error',
    text: `Waiting for ${message.holder}, which holds ${message.file}\n`,
  }),
  fault: ({ fault, path, repaired }) =>
    out(
      `${path}: ${FAULTS[fault].what}${repaired ? ': repaired' : ''}`,
      ...(repaired ? [] : [`  ${FAULTS[fault].remedy}`]),
    ),
  'tree-good': () => out('The tree is in order.'),
  pruned: ({ module, release, arch, bytes, done }) =>
    out(`${module}, ${release}, ${arch}: ${megabytes(bytes)} ${done ? 'freed' : 'to free'}; the kernel is gone`),
  'pruned-all': ({ bytes, done }) =>
    out(
      bytes === 0
        ? 'There are no builds for kernels that are gone.'
        : `${megabytes(bytes)} ${done ? 'freed' : 'would be freed'}.`,
    ),
  resigned: ({ path, why }) =>
    why === undefined ? out(`Signed ${path}`) : error(`${path} could not be signed: ${why}`, 'It stays as it was.'),
  'resign-unsigned': ({ module, release, arch }) =>
    error(`The modules of ${module} for kernel ${release} (${arch}) stay as they are.`),
  'resigned-all': ({ signed, kept, failed }) =>
    out(`${signed} signed, ${kept} had this signature already, ${failed} could not be signed.`),
  log: ({ path, text }) => out(`# ${path}`, text.replace(/\n$/, '')),
  'no-log': ({ module }) => error(`${module} has no make.log: it was never built.`),
  archive: (message) => ARCHIVE[message.problem](message.what, message.why ?? ''),
  'archive-step': (message) => ARCHIVE_STEPS[message.step](message.what),
};

/** Whether a message is of this kind. */
export function isRunMessage(message: { readonly kind: string }): message is RunMessage {
  return Object.hasOwn(WORDS, message.kind);
}

/** What `message` prints, and where. */
export function runText(message: RunMessage): DkmsText {
  // The kind of the row is the kind of the argument, which TypeScript does not follow through a table.
  const words = WORDS[message.kind] as (one: RunMessage) => DkmsText;
  return words(message);
}
