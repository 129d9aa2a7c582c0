/**
 * The programs that the command of an `install` or `remove` line runs, as far as a look at it tells: `sh -c` runs it, and
 * this is no shell.
 */

/** What separates simple commands, outside quotes. */
const SEPARATORS = /&&|\|\||[;|&\n]/;
/** Words that the shell knows itself, and those that begin something larger. */
const SHELL_WORDS = new Set(
  (
    '! { } ( ) [ [[ : . alias bg break case cd command continue do done echo elif else esac eval exec exit export false fg fi ' +
    'for function getopts hash if in jobs kill local printf pwd read readonly return set shift source test then times trap ' +
    'true type ulimit umask unalias unset until wait while'
  ).split(' '),
);

/**
 * `modprobe -i a && /sbin/x` → `modprobe`, `/sbin/x`. Words of the shell are left out, and so is what only the shell can tell:
 * variables, substitutions. With quotes only the first program is known for certain. Empty when none is.
 */
export function programsOf(command: string): readonly string[] {
  const parts = command.replace(/(^|\s)#.*$/, '').split(SEPARATORS);
  const certain = /["'`\\]|\$\(/.test(command) ? parts.slice(0, 1) : parts;
  return certain.flatMap((part) => {
    // Redirections and NAME=VALUE may stand before the program.
    const words = part.split(/[ \t]+/).filter((word) => word !== '');
    const program = words.find((word) => !/^\d*[<>]/.test(word) && !/^[A-Za-z_]\w*=/.test(word));
    if (program === undefined || SHELL_WORDS.has(program) || !/^[\w./+-]+$/.test(program)) return [];
    return [program];
  });
}
