/** Refusals because of the file itself: it is not there, cannot be read, or is no module. */
import { ERRNO, errnoText, type ErrnoName } from '../base/errno.ts';
import { errnoIs, said, type Explanation, type Facts, type KnownFacts } from './diagnosis-facts.ts';

/** What says that this process may not look at a file. */
const DENIED: readonly number[] = [ERRNO.EACCES, ERRNO.EPERM];
const RECOMPRESS = 'compress it again with a smaller window: xz -9, or zstd without --long';
const REINSTALL = 'install the package that holds it again';

/** There is no such file. */
export function missingFile({ refusal, file, module }: KnownFacts): Explanation | undefined {
  if (refusal === undefined ? file?.kind !== 'missing' : refusal.during !== 'open') return undefined;
  const elsewhere = file?.kind === 'missing' ? file.elsewhere : undefined;
  return {
    evidence: [
      `there is no file ${module.path}`,
      ...(elsewhere === undefined ? [] : [`a file of that name is at ${elsewhere}`]),
    ],
    remedy:
      elsewhere === undefined ? `${REINSTALL}, then run depmod` : 'the indexes are older than the modules: run depmod',
  };
}

/** The file is there, and this process may not open it. */
export function cannotOpen({ refusal, file, module }: KnownFacts): Explanation | undefined {
  const read = file?.kind === 'unusable' && !file.compressed ? file.errno : undefined;
  const errno = refusal === undefined ? read : refusal.during === 'open' ? refusal.errno : undefined;
  if (errno === undefined || !DENIED.includes(errno)) return undefined;
  return {
    evidence: [`${module.path} could not be opened: ${errnoText(errno)}`],
    remedy: 'run it as root; if it is, look at the file and its folders',
  };
}

/** What to do about the errors of open(2) and of a first read(2) that no right to read would help against. */
const OPENING: ReadonlyMap<number, string> = new Map([
  [ERRNO.EMFILE, 'raise the limit of open files: LimitNOFILE= of the unit, or ulimit -n'],
  [ERRNO.ENFILE, 'raise the limit of the whole machine: sysctl fs.file-max'],
  [ERRNO.EISDIR, 'a folder stands in the place of the file: remove it, then run depmod'],
  [ERRNO.EIO, 'the disk fails: look at dmesg'],
]);

/** The file could not be opened, and rights are not the reason. */
export function openFailed({ refusal, module }: KnownFacts): Explanation | undefined {
  if (refusal?.during !== 'open') return undefined;
  const { errno } = refusal;
  return {
    evidence: [`${module.path} could not be opened: ${errnoText(errno)}`],
    remedy: OPENING.get(errno) ?? 'look at the file and its folders',
  };
}

/** Its compression is damaged, or of a kind that nothing here can undo. */
export function cannotDecompress({ refusal, file, module }: KnownFacts): Explanation | undefined {
  const read = file?.kind === 'unusable' && file.compressed ? file : undefined;
  if (refusal === undefined ? read === undefined : refusal.during !== 'decompress') return undefined;
  const why = refusal?.why ?? read?.why ?? `${module.path} could not be decompressed`;
  const tooLarge = (refusal?.errno ?? read?.errno) === ERRNO.ENOMEM;
  return { evidence: [why], remedy: tooLarge ? RECOMPRESS : REINSTALL };
}

/** It cannot be read as a module. */
export function unusableFile({ file, refusal, module }: Facts): Explanation | undefined {
  if (file.kind !== 'unusable') return undefined;
  const damage: readonly ErrnoName[] = [
    'ENOEXEC',
    'EINVAL',
    'EFBIG',
    'ELIBBAD',
    'EKEYREJECTED',
    'EBADMSG',
    'ENODATA',
    'EIO',
  ];
  if (refusal !== undefined && !errnoIs(refusal, ...damage)) return undefined;
  return { evidence: [`${module.path}: ${file.why}`], remedy: REINSTALL };
}

/** The kernel does not take it for a module, and nothing more is known. */
export function notAModule({ logged, module }: KnownFacts): Explanation {
  return {
    evidence: [`the kernel does not take ${module.path} for a module`, ...said(logged(/./))],
    remedy: `${REINSTALL}, or build it again`,
  };
}
