/** The texts of `plugd coldplug`. Builds text only. */
import { counted, placeText } from '../base/words.ts';
import {
  withoutDevice,
  type BlockedRecord,
  type ColdplugRun,
  type ModuleRecord,
  type Requester,
} from '../records/coldplug-run.ts';
import { cell, labelled } from './layout.ts';
import { duration, fit, paint, readable, type Style, type Terminal } from './terminal.ts';
import { failureText, STEP_WHY, waitingTexts } from './loading-text.ts';
import { problemLine } from './problem-line.ts';

const SLOWEST = 5;

/** The table that ends `plugd coldplug`. */
export function summarize(run: ColdplugRun, terminal: Terminal): string {
  const by = (result: ModuleRecord['result']) => run.modules.filter((record) => record.result === result);
  const inserted = by('inserted');
  const absent = withoutDevice(run.modules);
  const unloaded = [...by('failed'), ...by('skipped'), ...by('unfinished')];
  const failed = unloaded.filter(({ module }) => !absent.has(module));
  const noDevice = unloaded.filter(({ module }) => absent.has(module));
  const builtin = run.modaliases.filter((record) => record.verdict === 'builtin').length;
  const unmatched = run.modaliases.filter((record) => record.verdict === 'no-match').length;
  const malformed = run.modaliases.filter((record) => record.verdict === 'malformed').length;
  const matched = run.modaliases.filter((record) => record.verdict === 'matched').length;
  const there = run.present.length + by('already-loaded').length;
  const lines: string[] = [];
  const row = (label: string, count: number, text: string, style?: Style) => {
    const left = `  ${label.padEnd(16)}${String(count).padStart(6)}   `;
    const cut = fit(text, terminal.width - left.length);
    lines.push((style === undefined || count === 0 ? left : paint(terminal, style, left)) + cut);
  };
  const head = run.dryRun
    ? `${counted(by('planned').length, 'module')} would be inserted (nothing was changed)`
    : `${counted(inserted.length, 'module')} inserted in ${duration(run.wallMs)}`;
  lines.push(paint(terminal, 'bold', `Linux ${run.kernel}: ${head}`));
  row('devices', run.devices, `with ${counted(run.modaliases.length, 'distinct modalias', 'distinct modaliases')}`);
  row(
    'matched',
    matched,
    `modaliases; ${builtin} built in, ${unmatched} no match${malformed === 0 ? '' : `, ${malformed} malformed`}`,
  );
  if (run.dryRun) {
    row('to insert', by('planned').length, '');
  } else {
    const busy = inserted.reduce((sum, record) => sum + spent(record), 0);
    const first = run.firstInsertMs === undefined ? '' : `, first at ${duration(run.firstInsertMs)}`;
    row('inserted', inserted.length, `${duration(busy)} of inserting, ${run.jobs} at a time${first}`, 'green');
  }
  row('already there', there, '');
  const asked = run.kernelRequests;
  if (asked !== undefined && asked.received > 0) {
    const named = `${asked.found + asked.failed} of them for a module, ${asked.notFound} for none`;
    row('kernel requests', asked.received, named);
  }
  const commands = by('command');
  if (commands.length > 0)
    row('install commands', commands.length, commands.map((record) => readable(record.module)).join(' '));
  row('blocked', run.blocked.length, '', 'yellow');
  for (const record of run.blocked) lines.push(...detail(terminal, record, blockedText(record)));
  row('failed', failed.length, '', 'red');
  for (const record of failed)
    lines.push(...detail(terminal, record, readable(failureText(record))), ...explanation(record, terminal));
  if (noDevice.length > 0) row('no device', noDevice.length, '');
  for (const record of noDevice) lines.push(...detail(terminal, record, readable(failureText(record))));
  const slow = inserted.toSorted((a, b) => spent(b) - spent(a)).slice(0, SLOWEST);
  if (slow.length > 0) {
    lines.push(`  slowest inits`);
    for (const record of slow)
      lines.push(
        fit(
          `    ${cell(readable(record.module), 22)}${duration(spent(record)).padStart(8)}   ${from(record.requester)}`,
          terminal.width,
        ),
      );
  }
  for (const problem of run.problems) lines.push(problemLine(problem));
  if (run.uevents.gaps > 0)
    lines.push(
      `  ${counted(run.uevents.gaps, 'gap')} in the uevents, answered by ${counted(run.uevents.rescans, 'rescan')} of sysfs`,
    );
  if (run.unsettled !== undefined) {
    lines.push(paint(terminal, 'red', `not settled; still waiting for: ${readable(waitingTexts(run.unsettled))}`));
  }
  return `${lines.join('\n')}\n`;
}

/** A longer name pushes its own line only. */
const WIDEST_STEP = 40;

/** The plan of a dry run: every step in order with what asks for it. */
export function planText(run: ColdplugRun, terminal: Terminal): string {
  const steps = run.modules.map((record) => {
    const needs = record.for === undefined ? '' : `, ${STEP_WHY[record.why]} ${readable(record.for)}`;
    const state = record.result === 'planned' ? '' : ` [${record.cause ?? record.result}]`;
    return {
      what: readable(record.module) + (record.params === '' ? '' : ` ${readable(record.params)}`),
      who: `${from(record.requester)}${needs}${state}`,
    };
  });
  const widest = steps.reduce((most, { what }) => Math.max(most, what.length), 0) + 2;
  const lines = steps.map(({ what, who }) =>
    fit(`${cell(what, Math.min(widest, WIDEST_STEP))}${who}`, Math.max(terminal.width, 80)),
  );
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** One line about one module's end, for a live view; `absent`: as withoutDevice() has it, no failure. */
export function endLine(record: ModuleRecord, terminal: Terminal, absent = false): string {
  const isFailed = !absent && (record.result === 'failed' || record.result === 'skipped');
  const style = record.result === 'inserted' ? 'green' : isFailed ? 'red' : 'dim';
  const time = record.startedMs === undefined ? '' : duration(spent(record));
  const words =
    record.result === 'failed' || record.result === 'skipped' ? readable(failureText(record)) : from(record.requester);
  const left = `${stamp(record.endedMs ?? 0)} ${record.result.padEnd(9)} `;
  return fit(`${left}${cell(readable(record.module), 21)}${time.padStart(7)}  ${words}`, terminal.width).replace(
    left,
    paint(terminal, style, left),
  );
}

/** One line about a module that a rule keeps out, for a live view. */
export function blockedLine(record: BlockedRecord, nowMs: number, terminal: Terminal): string {
  const left = `${stamp(nowMs)} ${'blocked'.padEnd(9)} `;
  return fit(`${left}${cell(readable(record.module), 21)}${blockedText(record)}`, terminal.width).replace(
    left,
    paint(terminal, 'yellow', left),
  );
}

function stamp(ms: number): string {
  return (ms / 1000).toFixed(3).padStart(7);
}

function spent(record: ModuleRecord): number {
  return record.startedMs === undefined || record.endedMs === undefined ? 0 : record.endedMs - record.startedMs;
}

function blockedText(record: BlockedRecord): string {
  const reason = readable(record.reason);
  return record.place === undefined ? reason : `${reason}  ${readable(placeText(record.place))}`;
}

/** `pci 0000:00:02.0`, or what else asked. */
function from(requester: Requester): string {
  if (requester.by === 'boot-list' && requester.rule !== undefined)
    return `${readable(requester.name)}  ${readable(placeText(requester.rule))}`;
  if (requester.by === 'kernel') return `the kernel: ${readable(requester.name)}`;
  const name = requester.devpath.slice(requester.devpath.lastIndexOf('/') + 1);
  return `${readable(requester.subsystem)} ${readable(name)}`;
}

/** The facts behind a failure, and what to do. */
function explanation({ evidence = [], remedy }: ModuleRecord, terminal: Terminal): readonly string[] {
  const lines = evidence.flatMap((fact) => labelled('', readable(fact), terminal, 6));
  return remedy === undefined ? lines : [...lines, ...labelled('    →', readable(remedy), terminal, 6)];
}

function detail(terminal: Terminal, { module, requester }: ModuleRecord | BlockedRecord, words: string): string[] {
  const text = `    ${cell(readable(module), DETAIL - 4)}${words}`;
  const tail = `   ${from(requester)}`;
  if (text.length + tail.length <= terminal.width) return [text + tail];
  // Which module or line it was stands at the end: such words are broken, and never cut.
  const left = `    ${readable(module)} `;
  return [...labelled(left, words, terminal, DETAIL), ...labelled('', `for ${from(requester)}`, terminal, DETAIL)];
}

/** Where the words of a detail begin. */
const DETAIL = 26;
