/** node:zlib's decompression, by the program gzip. */
import { fsCode } from '../../../agent/base/error.ts';
import { Bytes } from './bytes.ts';
import { spawnSync } from './child_process.ts';

interface Options {
  readonly maxOutputLength: number;
}

/** gzip's exit status when something follows the file's members, which it leaves out. */
const WITH_REST = 2;

/** The whole of a gzip file. Errors: `ERR_BUFFER_TOO_LARGE` over the limit, `ENOENT` without the program; anything else is damaged. */
export function gunzipSync(file: Uint8Array, { maxOutputLength }: Options): Bytes {
  const { status, stdout, error } = spawnSync('gzip', ['-dcq'], { input: file, maxBuffer: maxOutputLength });
  const failure = fsCode(error);
  if (failure !== 'ENOBUFS' && failure !== 'ENOENT' && (status === 0 || status === WITH_REST)) return stdout;
  const code = failure === 'ENOENT' ? 'ENOENT' : failure === 'ENOBUFS' ? 'ERR_BUFFER_TOO_LARGE' : 'Z_DATA_ERROR';
  throw Object.assign(new Error(code), { code });
}

/** The same, told later. */
export function gunzip(file: Uint8Array, options: Options, done: (error: Error | null, image: Bytes) => void): void {
  queueMicrotask(() => {
    try {
      done(null, gunzipSync(file, options));
    } catch (error) {
      done(error as Error, Bytes.alloc(0));
    }
  });
}

/** Parts of images are read by Node's plugd only. */
export function inflateRawSync(): never {
  throw Object.assign(new Error('not in plugd-lite'), { code: 'Z_DATA_ERROR' });
}
