/**
 * Replays as JUnit XML, which CI servers show: a suite for each recording, a case for each device that had a driver. What is lost is a
 * failure, what cannot be told is skipped, and a recording that could not be read is an error. Builds text only.
 *
 * Source: the schema of Jenkins's xUnit plugin (junit-10.xsd), which GitLab, GitHub's actions and others read, too.
 */
import { verdictText } from '../../diagnosis/verdict.ts';
import { toMachineText } from '../../base/machine-text.ts';
import type { Fate, Replay, ReplayedDevice, UnreadRecording } from '../../records/replay.ts';
import { xmlText } from './xml-text.ts';

/** What is reported: one recording's replay is a fleet of one. */
export interface Replays {
  readonly kernel: string;
  readonly machines: readonly Replay[];
  readonly unread: readonly UnreadRecording[];
}

/** Fates that fail a case; `unknown` skips it, and a device that had no driver is no case. */
const FAILS: ReadonlySet<Fate> = new Set<Fate>(['lost', 'replaced', 'no-firmware']);

/** The whole document. */
export function junit({ kernel, machines, unread }: Replays): string {
  const suites = machines.map((machine) => suiteOf(machine));
  const sum = (of: (suite: Suite) => number) => suites.reduce((total, suite) => total + of(suite), 0);
  const counts = attributes({
    tests: sum(({ tests }) => tests) + unread.length,
    failures: sum(({ failures }) => failures),
    errors: unread.length,
    time: 0,
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xmlText(`plugd test --replay, Linux ${kernel}`)}"${counts}>`,
    ...suites.map(({ text }) => text),
    ...unread.map(unreadSuite),
    '</testsuites>\n',
  ].join('\n');
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly text: string;
}

function suiteOf({ file, machine, devices }: Replay): Suite {
  const cases = devices.filter(({ fate }) => fate !== 'none');
  const failures = cases.filter(({ fate }) => FAILS.has(fate)).length;
  const skipped = cases.filter(({ fate }) => fate === 'unknown').length;
  const name = `${toMachineText(file)}${machine === undefined ? '' : ` (${machine})`}`;
  const counts = attributes({ tests: cases.length, failures, errors: 0, skipped, time: 0 });
  const text = [
    `  <testsuite name="${xmlText(name)}"${counts}>`,
    ...cases.map((device) => caseOf(device, toMachineText(file))),
    '  </testsuite>',
  ].join('\n');
  return { tests: cases.length, failures, text };
}

/** Class names have dots between their parts, so those of a file's name are none. */
function caseOf(device: ReplayedDevice, file: string): string {
  const { devpath, subsystem, driver = '', fate, because, remedy, modaliases } = device;
  const suite = (file.split('/').pop() ?? file).replace(/\.\w+$/, '').replaceAll('.', '_');
  const head = `    <testcase classname="${xmlText(`${suite}.${subsystem === '' ? 'other' : subsystem}`)}" name="${xmlText(`${devpath} ${driver}`)}" time="0"`;
  if (fate === 'kept') return `${head}/>`;
  const message = `${fate}: ${driver}: ${because ?? device.reason}`;
  if (!FAILS.has(fate)) return `${head}>\n      <skipped message="${xmlText(message)}"/>\n    </testcase>`;
  const lines = [
    `verdict ${verdictText(device)}: ${device.reason}`,
    ...modaliases.map((modalias) => `modalias ${modalias}`),
    ...(because === undefined ? [] : [`because ${because}`]),
    ...(remedy === undefined ? [] : [`remedy ${remedy}`]),
  ].map(xmlText);
  return `${head}>\n      <failure type="${fate}" message="${xmlText(message)}">${lines.join('\n')}</failure>\n    </testcase>`;
}

function unreadSuite({ file, code, message }: UnreadRecording): string {
  const name = xmlText(toMachineText(file));
  const counts = attributes({ tests: 1, failures: 0, errors: 1, skipped: 0, time: 0 });
  return `  <testsuite name="${name}"${counts}>\n    <testcase classname="recording" name="${name}" time="0">\n      <error type="${code}" message="${xmlText(toMachineText(message))}"/>\n    </testcase>\n  </testsuite>`;
}

function attributes(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('');
}
