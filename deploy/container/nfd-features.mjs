#!/usr/bin/env node
/**
 * A feature file for Kubernetes' Node Feature Discovery of what plugd says about this machine's devices:
 *
 *     plugd devices --metrics | node nfd-features.mjs FILE     plugd.ready=false, plugd.attention=1, plugd.pci.0000-02-00.0=no-match
 *     node nfd-features.mjs FILE --every 60                    asks plugd itself, again and again
 *
 * NFD's local source makes labels of the lines: feature.node.kubernetes.io/plugd.ready=true. FILE is replaced at once and begins without a
 * dot; those with one NFD passes over. A device that needs no attention has no line.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

/** A node takes no more labels than it has to: the first devices stand for the others. */
const MOST_DEVICES = 20;

/** Names and values of labels: letters, digits, `-`, `_` and `.`, at most 63, with a letter or digit at each end. */
function labelText(text) {
  return text
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

/** `plugd_device_attention{subsystem="pci",device="0000:02:00.0",verdict="failed",…} 1`: plugd decides what needs attention. */
const ATTENTION = /^plugd_device_attention\{subsystem="([^"]*)",device="([^"]*)",verdict="([^"]*)"/gm;

/** The lines of a feature file, from what `plugd devices --metrics` prints. */
export function featureLines(metrics) {
  const devices = [...metrics.matchAll(ATTENTION)];
  return [
    `plugd.ready=${devices.length === 0}`,
    `plugd.attention=${devices.length}`,
    ...devices
      .slice(0, MOST_DEVICES)
      .map(([, subsystem, name, verdict]) => `${labelText(`plugd.${subsystem}.${name}`)}=${labelText(verdict)}`),
  ];
}

function replace(file, text) {
  const half = join(dirname(file), `.${basename(file)}.new`);
  writeFileSync(half, text);
  renameSync(half, file);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({ options: { every: { type: 'string' } }, allowPositionals: true });
  const [file] = positionals;
  const seconds = values.every === undefined ? undefined : Number(values.every);
  if (file === undefined || (seconds !== undefined && !(seconds >= 1))) {
    process.stderr.write(
      'usage: plugd devices --metrics | nfd-features.mjs FILE\n       nfd-features.mjs FILE --every SECONDS\n',
    );
    process.exit(64);
  }
  const write = (metrics) => replace(file, `${featureLines(metrics).join('\n')}\n`);
  if (seconds === undefined) write(readFileSync(0, 'utf8'));
  else {
    const again = () => {
      try {
        write(execFileSync('plugd', ['devices', '--metrics', '--quiet'], { encoding: 'utf8' }));
      } catch (error) {
        process.stderr.write(`nfd-features: ${error.message}\n`);
      }
      setTimeout(again, seconds * 1000);
    };
    again();
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
  }
}
