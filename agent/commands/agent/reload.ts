/** `plugd reload`: asks the agent to read its files again. */
import type { RenewalResult } from '../../daemon/renewal.ts';
import { EXIT, noArguments, OPTION, parse, type Command } from '../command.ts';
import { print, printJson, say } from '../output.ts';
import { openAgent, RUN_DIR_OPTION } from './run-dir.ts';

/** `plugd reload`. */
export const command: Command = {
  name: 'reload',
  usage: '[OPTION…]',
  options: [OPTION.json, OPTION.quiet, RUN_DIR_OPTION],
  notes: `
The agent notices changed files without it.
Exit status: 0 done; 1 the new files are unusable, and the old ones still count.`,
  async run(args) {
    const parsed = parse(command, args);
    noArguments(command, parsed);
    const agent = await openAgent(parsed);
    const result = (await agent.ask('reload', {})) as RenewalResult;
    agent.close();
    if (parsed.has(OPTION.json)) printJson(result);
    else {
      for (const problem of result.problems) say(`plugd: ${problem}\n`);
      if (!parsed.has(OPTION.quiet)) print(`generation ${result.generation}\n`);
    }
    return result.changed ? EXIT.done : EXIT.negative;
  },
};
