/** The addon's sources, below native/: binding.gyp and prebuilt.mjs take them from here. Run as a program, prints them. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(import.meta.url);

/** Paths from native/: `addon.cc`, `core/lock.c`. */
export const ADDON_SOURCES = [
  ['', /\.cc$/],
  ['compression/', /\.cc$/],
  ['core/', /\.c$/],
].flatMap(([folder, ending]) =>
  readdirSync(join(dirname(file), '..', folder))
    .filter((name) => ending.test(name))
    .map((name) => `${folder}${name}`),
);

if (argv[1] === file) console.log(ADDON_SOURCES.join(' '));
