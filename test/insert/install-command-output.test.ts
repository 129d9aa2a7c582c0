/** Install commands of a program whose standard error has a reader that is stuck, or is a file. */
import { execFileSync, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const SOURCE = join(import.meta.dirname, '../../agent/insert/install-command.js');
/** More than any pipe or socket holds. */
const MUCH = 'head -c 4000000 /dev/zero >&2; head -c 4000000 /dev/zero';

/** What the program says of a command; `error` is its standard error. */
async function ended(command: string, error: 'pipe' | number): Promise<string> {
  const script = `const { runCommand } = await import(${JSON.stringify(SOURCE)});
process.stdout.write(JSON.stringify(await runCommand(${JSON.stringify(command)}, 'foo')));`;
  const stdio: StdioOptions = ['ignore', 'pipe', error];
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.once('exit', resolve));
  child.stderr?.destroy();
  return text;
}

const DONE = JSON.stringify({ kind: 'command' });

t.test('a unix stream whose peer does not read', async (t) => {
  t.equal(await ended(MUCH, 'pipe'), DONE);
});

t.test('a fifo that nobody reads', async (t) => {
  const fifo = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, constants.O_RDWR);
  t.equal(await ended(MUCH, fd), DONE);
  closeSync(fd);
});

t.test('what the reader takes arrives, also the last line, and the status counts', async (t) => {
  const fifo = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  t.match(await ended('echo one; echo two >&2; exit 3', fd), /"code":3/);
  const bytes = Buffer.alloc(4096);
  const text = bytes.toString('utf8', 0, readSync(fd, bytes));
  t.same(text.split('\n').toSorted(), ['', 'one', 'two']);
  closeSync(fd);
});

t.test('a file is written by the command itself, in order', async (t) => {
  const file = join(t.testdir({}), 'log');
  const fd = openSync(file, 'w');
  t.equal(await ended('echo one; echo two >&2; echo three', fd), DONE);
  t.equal(readFileSync(file, 'utf8'), 'one\ntwo\nthree\n');
  closeSync(fd);
});

t.test('what a command leaves in the background keeps nobody waiting', async (t) => {
  const fifo = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [fifo]);
  // Open for writing, so `cat` waits until it is closed.
  const fd = openSync(fifo, constants.O_RDWR);
  t.equal(await ended(`cat '${fifo}' >&2 &`, 'pipe'), DONE);
  closeSync(fd);
});

t.test('what a command leaves in the background still writes after the end of its program', async (t) => {
  const dir = t.testdir({});
  const [fifo, go] = [join(dir, 'fifo'), join(dir, 'go')];
  execFileSync('mkfifo', [fifo, go]);
  const fd = openSync(fifo, constants.O_RDWR);
  const background = `(read line < '${go}'; echo one; echo two >&2; echo three) &`;
  t.equal(await ended(`echo zero; ${background}`, fd), DONE);
  writeFileSync(go, 'now\n');
  const lines: string[] = [];
  const bytes = Buffer.alloc(4096);
  // A read of a fifo waits for the next lines.
  while (lines.length < 4) {
    const text = bytes.toString('utf8', 0, readSync(fd, bytes));
    lines.push(...text.split('\n').filter((line) => line !== ''));
  }
  t.same(lines.toSorted(), ['one', 'three', 'two', 'zero']);
  closeSync(fd);
});
