/** node:zlib's decompression, by the program's own. */
import { ERRNO } from '../../../agent/base/errno.ts';
import { host } from '../host.ts';
import { Bytes } from './bytes.ts';

interface Options {
  readonly maxOutputLength: number;
}

/** The whole of a gzip file. Errors: `ERR_BUFFER_TOO_LARGE` over the limit; anything else is damaged. */
export function gunzipSync(file: Uint8Array, { maxOutputLength }: Options): Bytes {
  const answer = host.decompress('gzip', file, maxOutputLength, false);
  if (typeof answer !== 'number') return new Bytes(answer[0]);
  const code = answer === -ERRNO.EFBIG ? 'ERR_BUFFER_TOO_LARGE' : 'Z_DATA_ERROR';
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
