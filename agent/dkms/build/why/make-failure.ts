/** Why a build failed, from its log. Pure. */
import type { ApiChange, BuildFailure, FailureClass } from '../../../records/dkms/build-failure.ts';
import { compilerFinding } from './compiler-error.ts';
import { apiChange } from './api-changes.ts';

/** What the log is of. */
export interface FailedBuild {
  /** The build folder, which is left out of the names of files. */
  readonly build: string;
  readonly kernel: string;
}

/** What one line of a log says. */
export interface Finding {
  readonly class: FailureClass;
  readonly text: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly subject?: string | undefined;
  readonly change?: ApiChange | undefined;
}

/**
 * The first real error of a log: what a compiler, a linker, modpost or a missing program said, not make's `Error 2` after it. Undefined
 * when it shows none that plugd knows.
 *
 *     explainFailure(log, { build: '/var/lib/dkms/m/1.0/build', kernel: '6.16.2' })?.class  // 'api-change'
 */
export function explainFailure(log: string, of: FailedBuild): BuildFailure | undefined {
  // Compilers quote with U+2018 and U+2019 in UTF-8 locales.
  const lines = log.replaceAll(/[\u2018\u2019]/g, "'").split('\n');
  const found = lines.flatMap((line, i) => {
    const finding = findingOf(line, of, lines[i + 1] ?? '');
    return finding === undefined ? [] : [{ finding, next: lines[i + 1] ?? '', at: i + 1 }];
  });
  // What make says alone is the consequence of something else, if there is anything else.
  const first = found.find(({ finding }) => finding.class !== 'unknown') ?? found[0];
  if (first === undefined) return undefined;
  const { class: kind, file, line, text, subject, change } = first.finding;
  return {
    class: kind,
    place: file === undefined ? { file: 'make.log', line: first.at } : { file: shorten(file, of.build), line },
    text: text.trim(),
    source: /^ *\d+ \|(.*)$/.exec(first.next)?.[1]?.trim(),
    subject,
    more: found.filter((one) => one !== first && one.finding.class !== 'unknown').length,
    change: change === undefined || isNews(change, of.kernel) ? change : undefined,
  };
}

/** What was added is no news to a kernel that has it: then an #include is missing. */
function isNews({ kind, since }: ApiChange, kernel: string): boolean {
  return kind !== 'added' || compareReleases(kernel, since) < 0;
}

function compareReleases(a: string, b: string): number {
  const [x, y] = [a, b].map((release) => /^(\d+)\.(\d+)/.exec(release) ?? []);
  return Number(x?.[1]) - Number(y?.[1]) || Number(x?.[2]) - Number(y?.[2]);
}

function shorten(file: string, build: string): string {
  return file.startsWith(`${build}/`) ? file.slice(build.length + 1) : file;
}

function findingOf(line: string, of: FailedBuild, next: string): Finding | undefined {
  const [, file, number, text] = /^([^\s:][^:]*):(\d+)(?::\d+)?: (?:fatal )?error: (.*)$/.exec(line) ?? [];
  if (file !== undefined && text !== undefined) return { file, line: Number(number), ...compilerFinding(text, next) };
  for (const [pattern, make] of PATTERNS) {
    const match = pattern.exec(line);
    if (match !== null) return make(match[1] ?? '', match[2] ?? '', line, of);
  }
  return undefined;
}

type Make = (first: string, second: string, line: string, of: FailedBuild) => Finding | undefined;

const COMPILER = /^(?:.*[-/])?(?:gcc|g\+\+|cc|clang|ld|ld\.lld|ld\.bfd|llvm-\w+)(?:-[\d.]+)?$/;

/** A program that is not there. */
const noProgram: Make = (program, _, line) => ({
  class: COMPILER.test(program) ? 'compiler' : 'missing-tool',
  text: line,
  subject: program,
});

const as =
  (kind: FailureClass): Make =>
  (subject, _, line) => ({ class: kind, text: line, subject: subject === '' ? undefined : subject });

/** What programs say, in the order in which the patterns are tried for a line. */
const PATTERNS: ReadonlyArray<readonly [RegExp, Make]> = [
  [/No space left on device|Disk quota exceeded/, as('no-space')],
  [
    /^make(?:\[\d+\])?: \*\*\* .*\] Killed$|Killed signal terminated program (\S+)|\bKilled\s+(?:\S*\/)?(?:cc1|ld|gcc|objtool)|virtual memory exhausted|Cannot allocate memory|out of memory/,
    as('killed'),
  ],
  [
    /unrecognized command[- ]line option '([^']+)'|unknown argument:? '([^']+)'/,
    (a, b, line) => ({ class: 'compiler', text: line, subject: a || b }),
  ],
  [/(?:gcc|clang).*(?:cannot load plugin|incompatible gcc\/plugin versions)|Compiler lacks asm-goto/, as('compiler')],
  [
    /^make(?:\[\d+\])?: \*\*\* (\/(?:usr\/)?lib\/modules\/([^/]+)\/build\S*): No such file or directory/,
    (file, release, line, { kernel }) =>
      release === kernel
        ? { class: 'missing-header', text: line, subject: file }
        : { class: 'wrong-kernel', text: line, subject: release },
  ],
  [
    /ERROR: modpost: "([^"]+)" \[[^\]]*\] undefined!/,
    (symbol, _, line) => ({ class: 'symbol-not-exported', text: line, subject: symbol, change: apiChange(symbol) }),
  ],
  [/GPL-incompatible module \S+ uses GPL-only symbol '([^']+)'/, as('gpl-only')],
  [/modpost: module \S+ uses symbol (\S+) from namespace/, as('symbol-not-exported')],
  [
    /^(?:FAILED: load BTF|BTF: .*[Ff]ail|libbpf: .*BTF|.*\bpahole\b.*(?:[Ee]rror|not (?:found|available))|.*resolve_btfids.*(?:ERROR|not found))/,
    as('objtool'),
  ],
  [/(?:^|\s)(?:error: objtool|objtool: .*(?:error|failed)|.*objtool: (?:not found|No such file))/i, as('objtool')],
  [
    /cannot find -l(\S+?)(?::|$)/,
    (library, _, line) => ({ class: 'missing-package', text: line, subject: `lib${library}` }),
  ],
  [
    /^Package '?([^\s',]+)'? was not found in the pkg-config|^No package '([^']+)' found/,
    (a, b, line) => ({ class: 'missing-package', text: line, subject: a || b }),
  ],
  [
    /^configure: error: (.*)/,
    (text, _, line) => ({
      class: /not found|missing|install|required|cannot find/i.test(text) ? 'missing-package' : 'unknown',
      text: line,
      subject: /(\S+) (?:not found|is missing|is required)/.exec(text)?.[1],
    }),
  ],
  [
    /Kernel configuration is invalid|(include\/generated\/autoconf\.h|include\/config\/auto\.conf).*(?:missing|No such file)/,
    as('missing-header'),
  ],
  [/^(?:\/bin\/)?(?:ba|da)?sh: (?:line )?\d+: (\S+): (?:command )?not found/, noProgram],
  // make complains about getcwd when somebody has removed its working folder.
  [/^make(?:\[\d+\])?: (?!getcwd:)(\S+): (?:No such file or directory|Command not found)/, noProgram],
  [
    /^make(?:\[\d+\])?: (\S+): Permission denied|^(?:.*: )?(\S+): Permission denied/,
    (a, b, line) => ({ class: 'permission', text: line, subject: a || b }),
  ],
  [
    /No rule to make target '([^']+)'/,
    (target, _, line) => ({
      class: /tools\/(?:objtool|bpf)|scripts\//.test(target) ? 'missing-tool' : 'source',
      text: line,
      subject: target,
    }),
  ],
  [/undefined reference to '([^']+)'/, as('source')],
  [/^make(?:\[\d+\])?: \*\*\* .*(?:Error \d+|Stop\.)/, as('unknown')],
];
