/** The command that builds, as dkms makes it of dkms.conf's text. Pure. */

/** What decides how make is called. */
export interface MakeOptions {
  readonly release: string;
  /** 0: `-j`. Undefined: no `-j` at all, because a jobserver hands out jobs. */
  readonly jobs: number | undefined;
  /** The kernel was built with clang. */
  readonly llvm: boolean;
}

/**
 * dkms.conf's MAKE as it is run: a text that begins with the word `make` gets the number of jobs and the kernel there, once. Drivers
 * write `'make'` to avoid it. LLVM=1 goes to the end of the whole text.
 *
 *     makeCommand('make -C src', { release: '6.1.0', jobs: 8, llvm: false })  // 'make -j8 KERNELRELEASE=6.1.0 -C src'
 */
export function makeCommand(text: string, { release, jobs, llvm }: MakeOptions): string {
  const option = jobs === undefined ? '' : ` -j${jobs === 0 ? '' : jobs}`;
  // A function, since a release may hold `$&`.
  const command = text.replace(/^make(?![^\s;&|])/, () => `make${option} KERNELRELEASE=${release}`);
  return llvm ? `${command} LLVM=1` : command;
}

/** The command of a script: its folder, then the script with its arguments, as dkms has it in make.log. */
export function scriptCommand(folder: string, script: string): string {
  return `cd ${folder}/ && ${folder}/${script}`;
}
