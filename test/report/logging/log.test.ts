import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isJournal, openLog } from '../../../agent/report/logging/log.ts';

const folder = mkdtempSync(join(tmpdir(), 'plugd-log-'));

function written(
  name: string,
  level: 'debug' | 'info',
  journald: boolean,
  work: (log: ReturnType<typeof openLog>) => void,
) {
  const file = join(folder, name);
  const fd = openSync(file, 'w');
  work(openLog({ fd, level, journald }));
  closeSync(fd);
  return readFileSync(file, 'utf8');
}

t.test('a line is one JSON object, its fields in order, undefined ones left out', (t) => {
  const text = written('plain', 'info', false, (log) => {
    log.line('info', 'inserted x', { event: 'inserted', module: 'x', cause: undefined, ms: 1.5 });
    log.line('debug', 'not written');
    t.equal(log.debugging, false);
  });
  t.match(
    text,
    /^\{"level":"info","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","event":"inserted","module":"x","ms":1.5,"msg":"inserted x"\}\n$/,
  );
  t.end();
});

t.test('under journald each line has its priority', (t) => {
  const text = written('journal', 'debug', true, (log) => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log.line(level, 'a\nb');
    t.equal(log.debugging, true);
  });
  t.same(
    text.split('\n').map((line) => line.slice(0, 4)),
    ['<7>{', '<6>{', '<4>{', '<3>{', ''],
  );
  t.end();
});

t.test("journald gets an entry with the line's fields; what it does not take goes to its other socket", (t) => {
  const file = join(folder, 'entries');
  const fd = openSync(file, 'w');
  const entries: string[] = [];
  let takes = true;
  const sendEntry = (datagram: string) => {
    if (takes) entries.push(datagram);
    return takes;
  };
  const log = openLog({ fd, level: 'info', journald: true, sendEntry });
  log.line('info', 'inserted x', { event: 'inserted', module: 'x' });
  log.line('warn', 'no fields');
  takes = false;
  log.line('warn', 'y: refused', { module: 'y' });
  takes = true;
  log.line('error', 'z');
  closeSync(fd);
  t.equal(entries.length, 3);
  t.match(
    entries[0],
    /^MESSAGE=\{"level":"info".*"msg":"inserted x"\}\nPRIORITY=6\n(.*\n)*PLUGD_EVENT=inserted\nPLUGD_MODULE=x\n$/,
  );
  t.match(entries[1], /\nPRIORITY=4\n/);
  t.notMatch(entries[1], /PLUGD_/, "another line's fields are not kept");
  t.match(entries[2], /\nPRIORITY=3\n/);
  t.match(readFileSync(file, 'utf8'), /^<4>\{.*"module":"y".*\}\n$/);
  t.end();
});

t.test('only journald gets entries', (t) => {
  const file = join(folder, 'no-entries');
  const fd = openSync(file, 'w');
  const sendEntry = (): boolean => t.fail('sent');
  openLog({ fd, level: 'info', journald: false, sendEntry }).line('info', 'x');
  closeSync(fd);
  t.match(readFileSync(file, 'utf8'), /^\{.*\}\n$/);
  t.end();
});

t.test('text of devices cannot break out of its line', (t) => {
  const text = written('hostile', 'info', false, (log) =>
    log.line('info', 'x\n{"level":"error"}', { modalias: '\u0000\n"\u2028\ud800' }),
  );
  t.equal(text.split('\n').length, 2);
  t.same((JSON.parse(text) as { msg: string }).msg, 'x\n{"level":"error"}');
  t.end();
});

t.test('isJournal compares with JOURNAL_STREAM', (t) => {
  const { dev, ino } = fstatSync(1);
  t.equal(isJournal(1, { JOURNAL_STREAM: `${dev}:${ino}` }), true);
  t.equal(isJournal(1, { JOURNAL_STREAM: `${dev}:${ino + 1}` }), false);
  t.equal(isJournal(1, { JOURNAL_STREAM: 'x' }), false);
  t.equal(isJournal(1, {}), false);
  t.equal(isJournal(9999, { JOURNAL_STREAM: '1:1' }), false);
  t.end();
});

t.test('a reader that goes away does not end the writer', async (t) => {
  const log = new URL('../../../agent/report/logging/log.js', import.meta.url).href;
  const program = `import { openLog } from '${log}';
    const log = openLog({ fd: 1, level: 'info', journald: false });
    process.stdin.once('data', () => {
      for (let i = 0; i < 100; i++) log.line('info', 'line');
      // Whatever error the writes are to bring, they bring before this.
      setImmediate(() => setImmediate(() => { process.stderr.write('alive'); process.exit(0); }));
    });
    log.line('info', 'ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.destroy();
  child.stdin.write('go\n');
  const status = await new Promise((resolve) => child.once('close', resolve));
  t.equal(said, 'alive');
  t.equal(status, 0);
});
