/** `plugd completion`: prints a shell's completions. Changes nothing. */
import { PlugdError } from '../../base/error.ts';
import { EXIT, parse, type Command } from '../command.ts';
import { printData } from '../output.ts';
import { bashCompletion } from './bash.ts';
import { completable, SHELLS, type CompletableCommand, type Shell } from './completable.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const WRITERS: Readonly<Record<Shell, (commands: readonly CompletableCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `plugd completion`. */
export const command: Command = {
  name: 'completion',
  usage: 'SHELL',
  notes: `
SHELL is bash, zsh or fish. Commands and options complete, and the names of this
machine's devices, buses, modules and kernels. For the running shell:
  bash, zsh   source <(plugd completion bash)
  fish        plugd completion fish | source
For good, write it to /usr/share/bash-completion/completions/plugd,
/usr/share/zsh/vendor-completions/_plugd or
/usr/share/fish/vendor_completions.d/plugd.fish.`,
  async run(args, all) {
    const [word, ...more] = parse(command, args).words;
    const shell = SHELLS.find((each) => each === word);
    if (shell === undefined || more.length > 0)
      throw new PlugdError('usage', `completion takes one shell: ${SHELLS.join(', ')}`);
    printData(WRITERS[shell](completable((await all?.()) ?? [])));
    return EXIT.done;
  },
};
