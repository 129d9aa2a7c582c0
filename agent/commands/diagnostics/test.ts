/** `plugd test`: explains a device or a module file. Inserts nothing without --insert. */
import { PlugdError } from '../../base/error.ts';
import type { Host } from '../../base/host.ts';
import { isServed } from '../../diagnosis/verdict.ts';
import type { Replay } from '../../records/replay.ts';
import { problemLine } from '../../report/problem-line.ts';
import { EXIT, HOST_OPTIONS, hostOf, OPTION, parse, type Arguments, type Command, type Option } from '../command.ts';
import { machineWords } from '../machine-words.ts';
import { print, printBytes, printJson, say, SCHEMA_VERSION, terminalAt } from '../output.ts';
import type { Replays } from '../../report/ci/junit.ts';
import { writeWhole } from '../whole-file.ts';

const INSERT: Option = { long: 'insert', help: 'insert the modules, and explain what happened' };
const REPLAY: Option = {
  long: 'replay',
  value: 'FILE',
  multiple: true,
  help: "check recordings (plugd devices --record; a folder of them, '-': standard input) against this tree",
};
const DEVICE: Option = {
  long: 'device',
  value: 'GLOB',
  help: 'of a recording, only devices with this name, path, MODALIAS, driver or ID',
};
const JUNIT: Option = { long: 'junit', value: 'FILE', help: 'of recordings: also write JUnit XML for a CI server' };
const MARKDOWN: Option = { long: 'markdown', value: 'FILE', help: 'of recordings: also write Markdown, for a summary' };

/** `plugd test`. */
export const command: Command = {
  name: 'test',
  usage:
    '[OPTION…] DEVICE\n       plugd test [OPTION…] FILE.ko [PARAMETER=VALUE…]\n       plugd test [OPTION…] --replay FILE…',
  options: [INSERT, REPLAY, DEVICE, JUNIT, MARKDOWN, OPTION.json, OPTION.verbose, OPTION.quiet, ...HOST_OPTIONS],
  notes: `
DEVICE is a path (/sys/…, /devices/…), a node (/dev/sda), an address on a bus
(0000:00:02.0, 02:00.0, 1-1.2), the ID of a PCI or USB device (8086:10d3), a
network interface (eth0), a MODALIAS, the name of a module or alias, or a module
file (x.ko, as insmod takes it). Without --insert it changes nothing.
-v also shows the searches that found no rule.
Exit status: 0 the device has a driver, or would get one; 1 it would not. With
--replay 0 every recorded driver would be there; 1 a device would lose its
driver or firmware, or get another driver; 3 none would, but for some it cannot
be told, or one of several recordings could not be read.`,
  async run(args) {
    const parsed = parse(command, args);
    const json = parsed.has(OPTION.json);
    if (parsed.has(REPLAY)) return testReplay(parsed);
    for (const { long } of [DEVICE, JUNIT, MARKDOWN].filter((option) => parsed.has(option)))
      throw new PlugdError('usage', `--${long} is about the devices of a recording (--replay)`);
    const host = hostOf(parsed, true);
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

/** Recordings: one by itself, or several with one summary. */
async function testReplay(parsed: Arguments): Promise<number> {
  if (parsed.has(INSERT)) throw new PlugdError('usage', 'test --replay inserts nothing');
  const host = hostOf(parsed, 'recorded');
  const { recordingFiles } = await import('../../facts/devices/recording-file.ts');
  const words = [...parsed.values(REPLAY), ...parsed.words];
  const files = words.flatMap(recordingFiles);
  const word = parsed.value(DEVICE);
  const selects =
    word === undefined ? undefined : (await import('./device-glob.ts')).deviceGlob(machineWords([word])[0] ?? word);
  const { replayEnd } = await import('../../records/replay.ts');
  const { fleetText, machineText, replayText } = await import('../../report/replay-text.ts');
  const [terminal, verbose, quiet] = [terminalAt(1), parsed.has(OPTION.verbose), parsed.has(OPTION.quiet)];
  const json = parsed.has(OPTION.json);
  const [file] = files;
  if (file !== undefined && files.length === 1 && words[0] === file) {
    const { Replayer } = await import('../../explain/replay/replayed-devices.ts');
    const run = new Replayer(host).file(file, selects);
    await writeReports(parsed, { kernel: run.kernel, machines: [run], unread: [] });
    if (json) printJson(run, 1);
    else if (quiet) printBytes(lostPaths(run));
    else print(replayText(run, terminal, verbose));
    return STATUS[replayEnd(run)];
  }
  const { replayFleet } = await import('../../explain/replay/fleet.ts');
  const fleet = replayFleet(host, files, selects, (run) => {
    if (json) return;
    if (quiet) printBytes(lostPaths(run));
    else print(machineText(run, terminal, verbose));
  });
  await writeReports(parsed, fleet);
  if (json)
    printJson({ ...fleet, machines: fleet.machines.map((run) => ({ schemaVersion: SCHEMA_VERSION, ...run })) }, 1);
  else if (!quiet) print(fleetText(fleet, terminal));
  const end = replayEnd(fleet);
  return end === 'kept' && fleet.unread.length > 0 ? EXIT.untold : STATUS[end];
}

/** Writes the files of --junit and --markdown. Errors: `system`. */
async function writeReports(parsed: Arguments, replays: Replays): Promise<void> {
  const [xml, text] = [parsed.value(JUNIT), parsed.value(MARKDOWN)];
  if (xml !== undefined) writeWhole(JUNIT, xml, (await import('../../report/ci/junit.ts')).junit(replays));
  if (text !== undefined) writeWhole(MARKDOWN, text, (await import('../../report/ci/markdown.ts')).markdown(replays));
}

const STATUS = { kept: EXIT.done, lost: EXIT.negative, untold: EXIT.untold } as const;

/** The devices that would lose their driver or firmware or get another driver, a path on each line. */
function lostPaths({ devices }: Replay): string {
  return devices
    .filter(({ fate }) => fate === 'lost' || fate === 'replaced' || fate === 'no-firmware')
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
