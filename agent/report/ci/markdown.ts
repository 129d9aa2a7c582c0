/** Replays as Markdown (GitHub's), for the summary of a CI run or a comment: counts, what is lost, machine by machine. Builds text only. */
import { toMachineText } from '../../base/machine-text.ts';
import { counted } from '../../base/words.ts';
import type { FateCounts, ReplayedDevice } from '../../records/replay.ts';
import { readable } from '../terminal.ts';
import type { Replays } from './junit.ts';

/** Rows of a table; a summary may have one mebibyte. */
const MOST_ROWS = 400;

const WORDS: Readonly<Partial<Record<ReplayedDevice['fate'], string>>> = {
  lost: '❌ lost',
  'no-firmware': '❌ no firmware',
  replaced: '⚠️ another driver',
  unknown: '❔ cannot be told',
};

/** The whole text. */
export function markdown({ kernel, machines, unread }: Replays): string {
  const sum = (of: (counts: FateCounts) => number) => machines.reduce((total, machine) => total + of(machine), 0);
  const lost = sum((machine) => machine.lost + machine.replaced + machine.withoutFirmware);
  const kept = sum((machine) => machine.kept);
  const untold = sum((machine) => machine.unknown);
  const head =
    lost === 0
      ? 'no device loses what it had'
      : `${counted(lost, 'device')} would lose what ${lost === 1 ? 'it' : 'they'} had`;
  const rest = untold === 0 ? '' : `, ${untold} cannot be told`;
  const lines = [
    `## plugd: ${head}`,
    '',
    `${counted(machines.length, 'machine')} with Linux ${markdownText(kernel)}: ${kept} of ${counted(kept + lost + untold, 'device')} would have their driver${rest}.`,
  ];
  const rows = machines.flatMap(({ file, machine, devices }) =>
    devices.flatMap((device) => {
      const word = WORDS[device.fate];
      if (word === undefined) return [];
      const which = machine ?? toMachineText(file);
      return [
        [
          word,
          which,
          `${device.subsystem} ${device.name}`,
          device.driver ?? '',
          device.because ?? device.reason,
          device.remedy ?? '',
        ],
      ];
    }),
  );
  if (rows.length > 0) {
    lines.push('', ...tableOf(['', 'Machine', 'Device', 'Driver', 'Because', 'Remedy'], rows.slice(0, MOST_ROWS)));
    if (rows.length > MOST_ROWS) lines.push('', `And ${counted(rows.length - MOST_ROWS, 'device')} more.`);
  }
  if (machines.length > 1) {
    const counts = machines.map(({ file, machine, kept: its, lost: gone, replaced, withoutFirmware, unknown }) => [
      machine ?? toMachineText(file),
      ...[its, gone, replaced, withoutFirmware, unknown].map(String),
    ]);
    const titles = ['Machine', 'Kept', 'Lost', 'Another driver', 'No firmware', 'Cannot be told'];
    lines.push('', ...tableOf(titles, counts));
  }
  for (const { message } of unread) lines.push('', `❌ Not read: ${markdownText(toMachineText(message))}`);
  return `${lines.join('\n')}\n`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function tableOf(titles: readonly string[], rows: ReadonlyArray<readonly string[]>): readonly string[] {
  return [
    line(titles),
    line(titles.map(() => '---')),
    ...rows.map((row) => line(row.map((cell) => (WORD.has(cell) ? cell : markdownText(cell))))),
  ];
}

const WORD: ReadonlySet<string> = new Set(Object.values(WORDS));

/**
 * Machine text that Markdown takes as text: no markup, no HTML, no mention and no link.
 *
 *     markdownText('a|b <i> @c')   // 'a\\|b &lt;i&gt; &#64;c'
 */
export function markdownText(text: string): string {
  return readable(text)
    .replaceAll(/[\\`*_[\]|~#!]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll('www.', 'www&#46;');
}
