/** The options of commands that give figures in Prometheus' text format, and where these go. */
import { replaceFile } from '../base/new-file.ts';
import { PlugdError, reason } from '../base/error.ts';
import type { Arguments, Option } from './command.ts';
import { printData } from './output.ts';

/** Asks for figures. */
export const METRICS: Option = { long: 'metrics', help: "the figures in Prometheus' text format" };
/** Where they go. */
export const OUTPUT: Option = {
  long: 'output',
  value: 'FILE',
  help: "with --metrics: replace FILE at once (node_exporter's textfile collector)",
};

/** Errors: `usage` for --output alone. */
export function checkMetrics(parsed: Arguments): void {
  if (parsed.has(OUTPUT) && !parsed.has(METRICS)) throw new PlugdError('usage', '--output goes with --metrics');
}

/** Prints figures, or makes them the file that --output names: whole, or not at all. Errors: `system`. */
export function giveMetrics(parsed: Arguments, text: string): void {
  const file = parsed.value(OUTPUT);
  if (file === undefined) {
    printData(text);
    return;
  }
  try {
    replaceFile(file, text);
  } catch (error) {
    throw new PlugdError('system', `--output ${file}: ${reason(error)}`, { cause: error });
  }
}
