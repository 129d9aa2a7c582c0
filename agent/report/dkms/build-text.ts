/** The words of a build, for the commands that stand in for dkms: scripts read them, so each byte counts. */
import type { BuildMessage, BuildRefusal, SigningMessage, Wall } from '../../records/dkms/build-message.ts';
import { sizeText } from '../terminal.ts';
import { error as failure, type DkmsText } from './dkms-line.ts';
import { explanationText } from '../../dkms/build/why/failure-words.ts';

/**
 * What dkms 3.4.3 prints for a message: `buildText({ kind: 'step-done' })` → `{ to: 'out', text: ' done.\n' }`. What only plugd
 * tells has plugd's own words.
 */
export function buildText(message: BuildMessage): DkmsText {
  // The kind of the row is the kind of the argument, which TypeScript does not follow through a table.
  const words = WORDS[message.kind] as (one: BuildMessage) => DkmsText;
  return words(message);
}

/** What a build can do where a wall is missing. */
const WALLS: Readonly<Record<Wall, string>> = {
  network: 'can reach the network',
  files: 'can write outside their folder',
  processes: 'can see other processes',
  user: 'run as root',
};

type Words = { readonly [Kind in BuildMessage['kind']]: (message: Extract<BuildMessage, { kind: Kind }>) => DkmsText };
type SigningWords = Pick<Words, SigningMessage['kind']>;
type RefusalWords = Pick<Words, BuildRefusal['kind']>;

const UNSIGNED = "modules won't be signed";

const SIGNING: SigningWords = {
  'signing-off': (message) => out(`${signingOff(message)}, ${UNSIGNED}\n`),
  'sign-command': ({ command }) => out(`Sign command: ${command}\n`),
  'signing-key': ({ file }) => out(`Signing key: ${file}\n`),
  certificate: ({ file }) => out(`Public certificate (MOK): ${file}\n`),
  'binary-missing': ({ file }) => out(`Binary ${file} not found, ${UNSIGNED}\n`),
  generating: (message) =>
    out(
      message.with === 'openssl'
        ? 'Certificate or key are missing, generating self signed certificate for MOK...\n'
        : 'Certificate or key are missing, generating them using update-secureboot-policy...\n',
    ),
  'key-missing': ({ file }) => out(`Key file ${file} not found and can't be generated, ${UNSIGNED}\n`),
  'certificate-missing': ({ file }) => out(`Certificate file ${file} not found and can't be generated, ${UNSIGNED}\n`),
  'key-lost': ({ key, certificate, kept }) =>
    error(
      `Warning: ${key} is gone, so ${certificate} is of no use any more. It is now ${kept}.\n` +
        'If it was enrolled, enroll the new certificate: mokutil --import.\n',
    ),
  'signing-end': () => out('\n'),
};

function signingOff(message: Extract<SigningMessage, { kind: 'signing-off' }>): string {
  if (message.why === 'no-config') return `Kernel config ${message.file} not found`;
  return {
    policy: 'Module signing is disabled by policy',
    chroot: 'Running in chroot',
    'no-facility': 'The kernel is built without module signing facility',
  }[message.why];
}

const REFUSAL: RefusalWords = {
  'source-empty': ({ source }) =>
    failure(`The directory ${source} does not appear to have module source located within it.`, 'Build halted.'),
  'headers-missing': ({ kernel, build, source }) =>
    failure(
      `Your kernel headers for kernel ${kernel} cannot be found at ${build} or ${source}.`,
      `Please install your distribution's kernel headers package matching ${kernel}, or use the --kernelsourcedir option to tell DKMS where it's located.`,
    ),
  'depends-missing': ({ module, version, kernel, arch, missing }) =>
    failure(
      `Aborting build of module ${module}/${version} for kernel ${kernel} (${arch}) due to missing BUILD_DEPENDS: ${missing.join(' ')}.`,
      'You may override by specifying --force.',
    ),
  'patch-missing': ({ patch, folder }) =>
    failure(`Patch ${patch} as specified in dkms.conf cannot be`, `found in ${folder}/.`),
  'patch-outside': ({ patch }) => failure(`Patch ${patch} as specified in dkms.conf contains '..' path component.`),
  'patch-failed': ({ patch, log }) => failure(`Application of patch ${patch} failed.`, consult(log)),
  'script-failed': ({ log }) => error(`${consult(log)}\n`),
  'make-failed': ({ kernel, arch, log }) =>
    failure(`Bad return status for module build on kernel: ${kernel} (${arch})`, consult(log)),
  'module-missing': ({ module, kernel, arch, log }) =>
    failure(
      `Build of ${module} failed for: ${kernel} (${arch})`,
      'Make sure the name and location of the generated module are correct,',
      `or ${consult(log).replace('C', 'c')}`,
    ),
  'wrong-kernel': ({ module, built, wanted, log }) =>
    failure(`${module} was built for ${built}, wanted ${wanted}: its Makefile asks uname -r`, consult(log)),
  'no-space': ({ folder, needed, free }) =>
    failure(
      `no space left on ${folder}: ${needed === undefined ? 'more' : `${megabytes(needed, Math.ceil)} MB`} needed, ${megabytes(free, Math.floor)} MB free`,
    ),
  'write-failed': ({ file, why }) => failure(`${file} cannot be written: ${why}`),
  interrupted: ({ module, version, kernel }) =>
    failure(`The build of ${module}/${version} for kernel ${kernel} was interrupted.`),
};

const WORDS: Words = {
  ...SIGNING,
  ...REFUSAL,
  step: ({ description, command, verbose }) => out(verbose ? `${command}\n` : `${description}...`),
  dot: () => out('.'),
  'step-done': () => out(' done.\n'),
  'step-failed': ({ status, command, verbose }) =>
    out(`(bad exit status: ${status})${verbose ? '' : `\nFailed command:\n${command}\n`}`),
  'signing-module': ({ file }) => out(`Signing module ${file}\n`),
  'signing-failed': ({ file, output }) => error(`Warning: Failed to sign module '${file}'!\n${withNewline(output)}\n`),
  'compression-failed': ({ output }) => error(withNewline(output)),
  'script-not-executable': ({ script }) => error(`\nWarning: The ${script} script is not executable.\n`),
  'depends-ignored': ({ module, version, kernel, arch, missing }) =>
    error(
      `Warning: Trying to build module ${module}/${version} for kernel ${kernel} (${arch}) despite of missing BUILD_DEPENDS: ${missing.join(' ')}.\n`,
    ),
  'walls-missing': ({ missing }) => ({
    to: 'error',
    text: missing.map(({ wall, why }) => `Note: builds ${WALLS[wall]}: ${why}\n`).join(''),
  }),
  'from-cache': ({ module, version }) =>
    out(`Module ${module}/${version} was built from the same source before: taken from the cache.\n`),
  'build-forecast': ({ seconds }) => out(`This takes about ${Math.ceil(seconds)} s, as the last time.\n`),
  'build-cost': ({ bytes, seconds, memory }) =>
    out(
      `Built in ${seconds.toFixed(1)} s, with ${memory === undefined ? '' : `${sizeText(memory)} of memory and `}${sizeText(bytes)} of disk.\n`,
    ),
  'headers-hint': (message) => error(headersHint(message)),
  explanation: (message) => error(explanationText(message)),
};

function headersHint(hint: Extract<BuildMessage, { kind: 'headers-hint' }>): string {
  const lines = [
    ...(hint.package === undefined ? [] : [`The package is ${hint.package}.`]),
    ...(hint.dangling === undefined
      ? []
      : [
          `${hint.dangling.link} leads to ${hint.dangling.target}, which is not there.${hint.mounts.length > 0 ? '' : ' In a container, mount it from the host.'}`,
        ]),
    ...(hint.mounts.length === 0
      ? []
      : [
          `This is a container: start it with the host's folders, ${hint.mounts.map((path) => `-v ${path}:${path}`).join(' ')}.`,
        ]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function consult(log: string): string {
  return `Consult ${log} for more information.`;
}

function megabytes(bytes: number, round: (value: number) => number): number {
  return round(bytes / 2 ** 20);
}

function out(text: string): DkmsText {
  return { to: 'out', text };
}

function error(text: string): DkmsText {
  return { to: 'error', text };
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
