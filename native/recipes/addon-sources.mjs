/** The addon's sources, below native/: binding.gyp and prebuilt.mjs take them from here. Run as a program, prints them. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(import.meta.url);

/** Paths from native/: `addon.cc`, `core/lock.c`. */
export const ADDON_SOURCES = readdirSync(join(dirname(file), '..'), { recursive: true })
  .map(String)
  .filter((name) => /^((compression\/)?[a-z0-9_]+\.cc|core\/[a-z0-9_]+\.c)$/.test(name));

if (argv[1] === file) console.log(ADDON_SOURCES.join(' '));
