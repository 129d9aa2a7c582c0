/** Finds files that plugd ships, from a bundle, from dist/ or from the sources. Never looks outside the package. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readText } from '../attribute.ts';
import type { ConfigText } from './config-text.ts';
import { moduleUrl, NATIVE_FOLDERS } from '../../base/own-place.ts';

// Beside the bundle (dist/), beside the ESM files (dist/agent/facts/config/), and from the TypeScript sources (agent/facts/config/).
const PLACES = ['../', '../../../../', '../../../'];

function ownUrl(): string {
  return moduleUrl(import.meta.url, 'facts/config/shipped-file.js');
}

/** A file that plugd ships, by its path in the package (`rules/80-drivers.rules`); undefined when the package lacks it. */
export function readShippedFile(path: string): ConfigText | undefined {
  for (const place of PLACES) {
    const file = fileURLToPath(new URL(place + path, ownUrl()));
    const text = readText(file);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}

/** The name of the program that the kernel runs instead of modprobe (native/request-helper.c). */
export const REQUEST_HELPER = 'plugd-request';

/** Where the package has that program, absolute; undefined when it was not built. */
export function requestHelper(): string | undefined {
  return NATIVE_FOLDERS.flatMap((folder) => PLACES.map((place) => `${place}${folder}/${REQUEST_HELPER}`))
    .map((path) => fileURLToPath(new URL(path, ownUrl())))
    .find((file) => existsSync(file));
}
