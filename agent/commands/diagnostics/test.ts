/** `plugd test`: explains a device or a module file. Inserts nothing without --insert. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import type { Replay } from '../../records/replay.ts';
import { problemLine } from '../../report/problem-line.ts';
import { EXIT, HOST_OPTIONS, OPTION, parse, type Command, type Option } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print, printBytes, printJson, say, terminalAt } from '../output.ts';
import { offlineHost } from './offline-host.ts';

const INSERT: Option = { long: 'insert', help: 'insert the modules, and explain what happened' };
const REPLAY: Option = {
  long: 'replay',
  value: 'FILE',
  help: "check a recording (plugd devices --record) against this tree ('-': standard input)",
};

/** `plugd test`. */
export const command: Command = {
  name: 'test',
  usage:
    '[OPTION…] DEVICE\n       plugd test [OPTION…] FILE.ko [PARAMETER=VALUE…]\n       plugd test [OPTION…] --replay FILE',
  options: [INSERT, REPLAY, OPTION.json, OPTION.verbose, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
DEVICE is a path (/sys/…, /devices/…), a node (/dev/sda), an address on a bus
(0000:00:02.0, 02:00.0, 1-1.2), the ID of a PCI or USB device (8086:10d3), a
network interface (eth0), a MODALIAS, the name of a module or alias, or a module
file (x.ko, as insmod takes it). Without --insert it changes nothing.
-v also shows the searches that found no rule.
Exit status: 0 the device has a driver, or would get one; 1 it would not. With
--replay 0 every recorded driver would be there; 1 a device would lose its
driver, or get another one; 3 none would, but for some it cannot be told.`,
  async run(args) {
    const parsed = parse(command, args);
    const file = parsed.value(REPLAY);
    const host = offlineHost(parsed, file !== undefined);
    const json = parsed.has(OPTION.json);
    if (file !== undefined) {
      if (parsed.words.length > 0 || parsed.has(INSERT))
        throw new PlugdError('usage', 'test --replay takes no device and inserts nothing');
      const { replay } = await import('../../explain/replay/replayed-devices.ts');
      const { replayText } = await import('../../report/replay-text.ts');
      const run = replay(host, file);
      if (json) printJson(run, 1);
      else if (parsed.has(OPTION.quiet)) printBytes(lostPaths(run));
      else print(replayText(run, terminalAt(1), parsed.has(OPTION.verbose)));
      return run.lost + run.replaced > 0 ? EXIT.negative : run.unknown > 0 ? EXIT.untold : EXIT.done;
    }
    const [word, ...params] = machineWords(parsed.words);
    if (word === undefined || !params.every((param) => /^[\w-]+(=|$)/.test(param)))
      throw new PlugdError('usage', 'test takes one device', { remedy: 'see plugd test --help' });
    return testOne(host, word, params.join(' '), {
      insert: parsed.has(INSERT),
      json,
      verbose: parsed.has(OPTION.verbose),
      quiet: parsed.has(OPTION.quiet),
    });
  },
};

/** The devices that would lose their driver or get another one, a path on each line. */
function lostPaths({ devices }: Replay): string {
  return devices
    .filter(({ fate }) => fate === 'lost' || fate === 'replaced')
    .map(({ devpath }) => `${devpath}\n`)
    .join('');
}

async function testOne(
  host: Host,
  word: string,
  params: string,
  { insert, json, verbose, quiet }: { insert: boolean; json: boolean; verbose: boolean; quiet: boolean },
): Promise<number> {
  const { testDevice } = await import('../../explain/device-test.ts');
  const tested = testDevice(host, word, params);
  let { investigation } = tested;
  if (insert && tested.sources !== undefined) {
    if (host.root !== '')
      throw new PlugdError('usage', 'test --insert inserts into the running kernel: it takes no --root');
    const { testInserted } = await import('../../explain/device-test.ts');
    investigation = await testInserted(host, tested);
  }
  if (!quiet && verbose) {
    for (const problem of tested.sources?.problems() ?? []) say(`plugd: ${problemLine(problem)}\n`);
  }
  if (json) printJson(investigation, 1);
  else if (quiet) print(`${investigation.verdict}\n`);
  else {
    const { investigationText } = await import('../../report/investigation-text.ts');
    print(investigationText(investigation, terminalAt(1), verbose));
  }
  return isServed(investigation.verdict) ? EXIT.done : EXIT.negative;
}
