// Builds the indexes of a module tree into another directory, as `depmod -b` with `-o` does, and looks something up in them.
//
//     node examples/build-indexes.mjs /mnt/image/lib/modules/6.1.0-56-amd64 /tmp/indexes
import { basename } from 'node:path';
import { buildIndexes, publishIndexes } from 'plugd';

const [tree, directory] = process.argv.slice(2);
if (tree === undefined || directory === undefined) {
  console.error('usage: node examples/build-indexes.mjs TREE DIRECTORY');
  process.exit(64);
}
const build = await buildIndexes({ moduleDir: tree, kernel: basename(tree) });
for (const { level, text } of build.messages) console.error(`${level}: ${text}`);
if (build.kind === 'built') {
  const written = publishIndexes(directory, build.files);
  if (written.kind === 'unpublished') throw new Error(written.why);
  for (const [name, bytes] of build.files) console.log(`${name.padEnd(26)} ${String(bytes.length).padStart(9)} bytes`);
} else if (build.kind === 'circular') {
  for (const cycle of build.cycles) console.error(`these need each other: ${cycle.join(' -> ')}`);
  process.exitCode = 1;
} else {
  console.error(build.why);
  process.exitCode = 1;
}
