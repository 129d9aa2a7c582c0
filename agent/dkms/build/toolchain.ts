/** The compiler and linker that a kernel was built with, which its modules need, too. */
import { closeSync, existsSync, fstatSync, openSync } from 'node:fs';
import { parseElf, sectionBytes } from '../../facts/modfiles/elf.ts';
import { FileSource } from '../../facts/modfiles/file-source.ts';
import { readTextIn } from '../../facts/regular-file.ts';
import { hasProgram, runProgram } from './process/program.ts';

/** What to build with. */
export interface Toolchain {
  /** LLVM=1 belongs to the command, and llvm-strip to the modules. */
  readonly llvm: boolean;
  /** Variables for the environment: CC, KERNEL_CC, LD, KERNEL_LD; those that are known. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Debian's headers name their compiler here. */
const KERNEL_VARIABLES = '.kernelvariables';

/**
 * The toolchain of a kernel: its compiler from `.kernelvariables` of the headers, else from CONFIG_CC_VERSION_TEXT if there is such
 * a program; clang and ld.lld where the configuration or vmlinux say so. `path` is where programs are looked for.
 */
export async function findToolchain(
  { sourceDir, config }: { readonly sourceDir: string; readonly config: string | undefined },
  path: string | undefined,
): Promise<Toolchain> {
  const text = config === undefined ? '' : (readTextIn('', config) ?? '');
  const clang = /^CONFIG_CC_IS_CLANG=y$/m.test(text);
  const named = await debianCompiler(sourceDir);
  const version = /^CONFIG_CC_VERSION_TEXT="([^\s"]+)/m.exec(text)?.[1];
  const recorded = version !== undefined && hasProgram(version, path) ? version : undefined;
  const cc = named ?? (clang ? 'clang' : recorded);
  const ld = /^CONFIG_LD_IS_LLD=y$/m.test(text) ? 'ld.lld' : undefined;
  return {
    llvm: clang || isClangs(`${sourceDir}/vmlinux`),
    variables: {
      ...(cc === undefined ? {} : { CC: cc, KERNEL_CC: cc }),
      ...(ld === undefined ? {} : { LD: ld, KERNEL_LD: ld }),
    },
  };
}

/** What make takes CC to be after `.kernelvariables`; undefined without such a file. */
async function debianCompiler(sourceDir: string): Promise<string | undefined> {
  const file = `${sourceDir}/${KERNEL_VARIABLES}`;
  if (!existsSync(file)) return undefined;
  const makefile = `include ${file}\nplugd-cc:\n\t@echo $(CC)\n`;
  const { status, output } = await runProgram(['make', '-s', '-f', '-', 'plugd-cc'], {
    env: { PATH: process.env['PATH'] },
    input: makefile,
  });
  const cc = output.trim();
  return status === 0 && cc !== '' ? cc : undefined;
}

/** Whether the compilers that made a vmlinux say clang in `.comment`. */
function isClangs(vmlinux: string): boolean {
  let fd: number;
  try {
    fd = openSync(vmlinux, 'r');
  } catch {
    return false; // Headers seldom have one.
  }
  try {
    const source = new FileSource(vmlinux, fd, fstatSync(fd).size);
    const elf = parseElf(source);
    if (elf.kind === 'not-elf') return false;
    return sectionBytes(source, elf, '.comment')?.includes('clang') ?? false;
  } finally {
    closeSync(fd);
  }
}
