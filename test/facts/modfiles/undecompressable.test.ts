import { execFileSync } from 'node:child_process';
import t from 'tap';
import { ERRNO } from '../../../agent/base/errno.ts';
import { decompress } from '../../../agent/facts/modfiles/decompress.ts';
import { windowSize } from '../../../agent/facts/modfiles/undecompressable.ts';
import { needCommands } from '../../fixtures/commands.ts';

const tools = await needCommands(['xz', 'zstd']);
const skip = tools.kind === 'missing' ? tools.sentence : false;
const MIB = 1 << 20;
const input = Buffer.alloc(4096, 'module ');

const packed = (program: string, ...options: string[]) => execFileSync(program, ['-c', ...options], { input });

t.test('the windows of real headers', { skip }, (t) => {
  const rows: ReadonlyArray<readonly [compression: 'xz' | 'zstd', options: readonly string[], mib: number]> = [
    ['xz', ['-6'], 8],
    ['xz', ['-9'], 64],
    ['xz', ['--x86', '--lzma2=dict=1MiB'], 1],
    ['xz', ['--lzma2=preset=6,dict=96MiB'], 96],
    ['xz', ['--lzma2=preset=6,dict=192MiB'], 192],
    ['zstd', ['--no-content-size', '--long=27'], 128],
    ['zstd', ['--no-content-size', '--long=31'], 2048],
  ];
  for (const [compression, options, mib] of rows)
    t.equal(windowSize(compression, packed(compression, ...options)), mib * MIB, `${compression} ${options.join(' ')}`);
  t.end();
});

t.test('what is too large is named', { skip }, (t) => {
  const failure = (compression: 'xz' | 'zstd', ...options: string[]) => {
    const answer = decompress(compression, packed(compression, ...options));
    return answer.kind === 'image' ? 'image' : `${answer.errno} ${answer.why}`;
  };
  t.equal(
    failure('xz', '--lzma2=preset=6,dict=192MiB'),
    `${ERRNO.ENOMEM} the xz data needs a window of 192 MiB, and plugd allows 160`,
  );
  t.equal(
    failure('zstd', '--no-content-size', '--long=31'),
    `${ERRNO.ENOMEM} the zstd data needs a window of 2048 MiB, and plugd allows 128`,
  );
  t.equal(failure('xz', '--lzma2=preset=6,dict=96MiB'), 'image');
  t.equal(failure('zstd', '--no-content-size', '--long=27'), 'image');
  const damaged = packed('zstd', '--no-content-size', '--long=31');
  const cut = packed('xz', '-6').subarray(0, 60);
  t.match(decompress('xz', cut), { errno: ERRNO.EBADMSG, why: 'damaged or truncated xz data' });
  t.match(decompress('zstd', damaged.subarray(0, 8)), { errno: ERRNO.ENOMEM });
  t.end();
});

t.test('headers that tell nothing', (t) => {
  t.equal(windowSize('gzip', Buffer.from([0x1f, 0x8b, 8])), undefined);
  t.equal(windowSize('xz', Buffer.alloc(0)), undefined);
  t.equal(windowSize('xz', Buffer.alloc(64, 0xff)), undefined);
  t.equal(windowSize('zstd', Buffer.from('28b52ffd20', 'hex')), undefined, 'one segment, cut off');
  t.end();
});

t.test('a frame in one segment needs its contents as its window', (t) => {
  const rows: ReadonlyArray<readonly [header: string, size: number]> = [
    ['20ff', 255],
    ['600000', 256],
    ['60ffff', 65_791],
    ['a000000010', 256 * MIB],
    ['e00000000001000000', 2 ** 32],
    ['2107ff', 255],
    ['2207070a', 10],
    ['230707070709', 9],
  ];
  for (const [header, size] of rows) t.equal(windowSize('zstd', Buffer.from(`28b52ffd${header}`, 'hex')), size, header);
  // 256 MiB of contents, of which nothing follows.
  t.match(decompress('zstd', Buffer.from('28b52ffda000000010', 'hex')), {
    errno: ERRNO.ENOMEM,
    why: 'the zstd data needs a window of 256 MiB, and plugd allows 128',
  });
  t.end();
});
