/** The words for why a build failed. */
import type { BuildFailure, FailureClass } from '../../../records/dkms/build-failure.ts';

/** What failed, and with what: the module and the kernel that the words name. */
export interface Explained {
  readonly failure: BuildFailure;
  readonly module: string;
  readonly version: string;
  readonly kernel: string;
}

/**
 * The lines that explain a failed build, as ordinary text with a newline at its end: the first error with its place, the source, what
 * it means and what to do.
 *
 *     first error: main.c:12: implicit declaration of function 'from_timer'
 *         t = from_timer(t, timer, work);
 *     Linux 6.16 has no from_timer any more: use timer_container_of().
 *     xpad/0.4 does not know kernel 6.16.2: look for a newer version of it.
 */
export function explanationText({ failure, module, version, kernel }: Explained): string {
  const place = `${failure.place.file}${line(failure.place.line)}: `;
  const more = failure.more === 0 ? '' : ` (and ${failure.more} more)`;
  return [
    `first error: ${place}${failure.text}${more}`,
    ...(failure.source === undefined ? [] : [`    ${failure.source.trim()}`]),
    ...changeLines(failure),
    remedyOf(failure, { module: `${module}/${version}`, kernel }),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

/** What the words name. */
export interface Names {
  /** `xpad/0.4` */
  readonly module: string;
  readonly kernel: string;
}

function line(number: number | undefined): string {
  return number === undefined ? '' : `:${number}`;
}

function changeLines({ change, ...failure }: BuildFailure): readonly string[] {
  if (change === undefined) return [];
  const { kind, symbol, since, now } = change;
  if (failure.class === 'symbol-not-exported')
    return [`Modules cannot use ${symbol} since Linux ${since}: use ${now}.`];
  if (kind === 'gone') return [`Linux ${since} has no ${symbol} any more: use ${now}.`];
  if (kind === 'changed') return [`Linux ${since} changed ${symbol}: ${now}.`];
  return [`${symbol} came with Linux ${since}; kernels before it have ${now}.`];
}

const REMEDIES: { readonly [Class in FailureClass]: (subject: string, names: Names) => string } = {
  'api-change': (_, { module, kernel }) => `${module} does not know kernel ${kernel}: look for a newer version of it.`,
  'missing-header': (subject) => `The header ${subject} is not there: install the package that has it.`,
  'missing-package': (subject) => `${subject} is not installed: install its development package.`,
  'config-off': (subject, { module, kernel }) =>
    `Kernel ${kernel} was built without ${subject}, which ${module} needs: use a kernel that has it.`,
  compiler: (subject) =>
    `The compiler does not suit this kernel (${subject}): install the one that the kernel was built with.`,
  objtool: () =>
    'objtool or pahole refused the object: reinstall the kernel headers, or report it to the authors of the module.',
  'no-space': () => 'The disk is full: make room and build again.',
  killed: () => 'A process of the build was killed, nearly always for want of memory: build with fewer jobs (-j 1).',
  'missing-tool': (subject) => `The program ${subject} is missing: install it.`,
  permission: (subject) => `The build may not use ${subject}: check its mode and owner.`,
  'symbol-not-exported': (subject, { module, kernel }) =>
    `Kernel ${kernel} exports no ${subject} to modules: look for a version of ${module} that does without it.`,
  'gpl-only': (subject, { module }) =>
    `${subject} is for modules with a GPL-compatible license only, and that of ${module} is not: only its authors can change that.`,
  'wrong-kernel': (_, { kernel }) =>
    `The build used files of another kernel than ${kernel}: its Makefile asks uname -r.`,
  patch: () => 'The patch was made for another version of the source.',
  source: (_, { module }) => `The source of ${module} is wrong for any kernel: report it to its authors.`,
  unknown: () => 'plugd does not know this error.',
};

/** What to do, a sentence: `The program bc is missing: install it.` */
export function remedyOf(failure: BuildFailure, names: Names): string {
  if (failure.change?.kind === 'added')
    return `${names.module} is too new for kernel ${names.kernel}: use an older version of it.`;
  return REMEDIES[failure.class](failure.subject ?? 'it', names);
}
