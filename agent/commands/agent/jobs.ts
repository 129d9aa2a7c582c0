/** The option --jobs. */
import { defaultJobs } from '../../insert/scheduler.ts';
import { wholeNumber, type Arguments, type Option } from '../command.ts';

/** How many insertions run at the same time; coldplug and agent take this option. */
export const JOBS: Option = {
  long: 'jobs',
  short: 'j',
  value: 'N',
  help: 'insert N modules at a time (default: 2 for each CPU, and 10)',
};

/** The value of --jobs. Errors: `usage`. */
export function jobsOf(parsed: Arguments): number {
  const jobs = parsed.value(JOBS);
  return jobs === undefined ? defaultJobs() : wholeNumber(JOBS, jobs, 1, 1024);
}
