/**
 * Runs in plugd-lite's engine: reads a file of inputs of one kind, each behind its number and its length as u32, by the kind's own reader. It
 * writes `at NUMBER` before an input, and `FAILED NUMBER …` for one that fails.
 */
import { onUncaught } from '../../../native/lite/globals.ts';
import { Bytes } from './buffer-writes.ts';
import { PlugdError } from '../../../agent/base/error.ts';
import { host } from '../../../native/lite/host.ts';
import { liteProcess } from '../../../native/lite/process.ts';
import type { FuzzKind } from '../kind.ts';
import { kind as controlRequests } from '../kinds/control-requests.ts';
import { kind as der } from '../kinds/der.ts';
import { kind as globs } from '../kinds/globs.ts';
import { kind as indexes } from '../kinds/indexes.ts';
import { kind as keyLists } from '../kinds/key-lists.ts';
import { kind as modprobeConf } from '../kinds/modprobe-conf.ts';
import { kind as modules } from '../kinds/modules.ts';
import { kind as policy } from '../kinds/policy.ts';
import { kind as recordings } from '../kinds/recordings.ts';
import { kind as textIndexes } from '../kinds/text-indexes.ts';
import { kind as udevRules } from '../kinds/udev-rules.ts';
import { kind as uevents } from '../kinds/uevents.ts';

const BY_NAME: Readonly<Record<string, FuzzKind>> = {
  indexes,
  'text-indexes': textIndexes,
  modules,
  der,
  'key-lists': keyLists,
  'modprobe-conf': modprobeConf,
  policy,
  'udev-rules': udevRules,
  uevents,
  recordings,
  globs,
  'control-requests': controlRequests,
};

function say(text: string): void {
  const bytes = new Uint8Array(host.encodeUtf8(text));
  host.write(1, bytes, 0, bytes.length, -1);
}

function failureOf(kind: FuzzKind, input: Buffer): string | undefined {
  try {
    kind.read(input);
    return undefined;
  } catch (error) {
    if (error instanceof PlugdError) return undefined;
    return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error);
  }
}

/** argv: the program, the kind, the file. Ends with status 0 when all inputs were read. */
function start([, name = '', path = '']: readonly string[]): void {
  const kind = BY_NAME[name];
  const file = host.readWhole(path);
  if (kind === undefined || typeof file === 'number') return host.exit(64);
  const all = Bytes.from(file);
  for (let at = 0; at < all.length;) {
    const [number, length] = [all.readUInt32LE(at), all.readUInt32LE(at + 4)];
    say(`at ${number}\n`);
    // A copy of its own: what reads past its end is seen.
    const input = Bytes.from(all.subarray(at + 8, at + 8 + length));
    const failure = failureOf(kind, input as unknown as Buffer);
    if (failure !== undefined) say(`FAILED ${number} ${failure.replaceAll('\n', ' | ')}\n`);
    at += 8 + length;
  }
  host.exit(0);
}

onUncaught((error) => say(`FAILED 0 uncaught: ${String(error)}\n`));
Object.assign(globalThis, {
  __start: (argv: readonly string[]) => {
    liteProcess.begin(argv);
    start(argv);
  },
});
