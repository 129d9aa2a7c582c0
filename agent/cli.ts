import { VERSION } from './base/version.ts';

if (process.argv.includes('--version') || process.argv.includes('--warm-up'))
  process.stdout.write(`plugd ${VERSION}\n`);
