import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ERRNO } from '../../agent/base/errno.ts';
import { writeNowTo } from '../../agent/base/write-now.ts';

const PIECE = Buffer.alloc(4096, 'x');

/** Writes until it answers something else than a count. */
function fill(write: (bytes: Uint8Array) => number): { readonly bytes: number; readonly last: number } {
  for (let bytes = 0; ;) {
    const result = write(PIECE);
    if (result < 0) return { bytes, last: result };
    bytes += result;
  }
}

function fifo(t: Test): { readonly reader: number; readonly writer: number } {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  return { reader, writer };
}

/** Whether reads and writes of an open file wait. */
function waits(fd: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '';
  return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) === 0;
}

t.test('a fifo that nobody reads: EAGAIN when it is full, and those who share it still wait', (t) => {
  const { reader, writer } = fifo(t);
  const write = writeNowTo(writer);
  const { bytes, last } = fill(write);
  t.equal(last, -ERRNO.EAGAIN);
  t.ok(bytes > 0);
  t.equal(waits(writer), true);
  readSync(reader, Buffer.alloc(8192));
  t.equal(write(PIECE), PIECE.length, 'there is room again');
  closeSync(reader);
  t.equal(write(PIECE), -ERRNO.EPIPE, 'the reader has gone');
  closeSync(writer);
  t.end();
});

t.test('a fifo that cannot be opened again, since nobody reads it now, does not wait either', (t) => {
  const { reader, writer } = fifo(t);
  closeSync(reader);
  const write = writeNowTo(writer);
  t.equal(write(PIECE), -ERRNO.EPIPE);
  const late = openSync(`/proc/self/fd/${writer}`, constants.O_RDONLY | constants.O_NONBLOCK);
  t.equal(fill(write).last, -ERRNO.EAGAIN);
  closeSync(late);
  closeSync(writer);
  t.end();
});

t.test('a unix stream socket whose peer does not read: EAGAIN, and those who share it still wait', (t) => {
  // Node makes the pipes of a child of unix sockets; this one's reader, which is this process, is stopped.
  const module = new URL('../../agent/base/write-now.js', import.meta.url).href;
  const program = `import { writeNowTo } from '${module}';
    import { readFileSync, writeSync } from 'node:fs';
    const flags = () => /flags:\\s*(\\d+)/.exec(readFileSync('/proc/self/fdinfo/1', 'latin1'))[1];
    const before = flags();
    const write = writeNowTo(1);
    let last = 0;
    for (let i = 0; last >= 0 && i < 10_000; i++) last = write(Buffer.alloc(4096));
    writeSync(2, last + ' ' + before + ' ' + flags());
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pause();
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += String(data)));
  child.once('exit', () => child.stdout.resume());
  child.once('close', () => {
    const [last, before, after] = said.split(' ');
    t.equal(Number(last), -ERRNO.EAGAIN);
    t.equal(after, before, 'its flags are as they were');
    t.end();
  });
});

t.test('a file, /dev/null, and a descriptor that is none', (t) => {
  const path = join(t.testdir({}), 'file');
  const file = openSync(path, 'w');
  t.equal(writeNowTo(file)(Buffer.from('text')), 4);
  closeSync(file);
  t.equal(readFileSync(path, 'utf8'), 'text');
  const nothing = openSync('/dev/null', 'w');
  t.equal(writeNowTo(nothing)(PIECE), PIECE.length);
  closeSync(nothing);
  const full = openSync('/dev/full', 'w');
  t.equal(writeNowTo(full)(PIECE), -ERRNO.ENOSPC);
  closeSync(full);
  t.equal(writeNowTo(9999)(PIECE), -ERRNO.EBADF);
  t.end();
});
