/** `plugd strip-signature`: takes the signatures off module files. */
import { PlugdError } from '../../base/error.ts';
import { counted } from '../../base/words.ts';
import { stripSignature } from '../../trust/module-signature.ts';
import { rewriteModule } from '../../trust/rewritten-module.ts';
import { EXIT, OPTION, parse, type Command } from '../command.ts';
import { print, say } from '../output.ts';

/** `plugd strip-signature`. */
export const command: Command = {
  name: 'strip-signature',
  usage: '[OPTION…] MODULE…',
  options: [OPTION.quiet],
  notes: `
Takes all signatures off each module, which stays compressed if it is, and keeps
everything else. A module without a signature is not written.
Exit status: 0 done; 1 some could not be changed.`,
  async run(args) {
    const parsed = parse(command, args);
    if (parsed.words.length === 0)
      throw new PlugdError('usage', 'no module given', { remedy: 'see plugd strip-signature --help' });
    let [stripped, bare, failures] = [0, 0, 0];
    for (const module of parsed.words) {
      const done = rewriteModule(module, (image) => {
        const { image: rest, signatures, damaged } = stripSignature(image);
        if (damaged !== undefined) return { why: `its signature is damaged: ${damaged}` };
        return signatures === 0 ? undefined : rest;
      });
      if (done.kind === 'written') stripped++;
      else if (done.kind === 'kept') bare++;
      else {
        failures++;
        say(`plugd: ${done.why}\n`);
      }
    }
    const parts = [
      ...(stripped > 0 ? [`stripped ${counted(stripped, 'module')}`] : []),
      ...(bare > 0 ? [`${counted(bare, 'module')} had no signature`] : []),
    ];
    if (!parsed.has(OPTION.quiet) && parts.length > 0) print(`${parts.join('; ')}\n`);
    return failures === 0 ? EXIT.done : EXIT.negative;
  },
};
