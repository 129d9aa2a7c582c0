import { existsSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import t from 'tap';
import { openCommandLog, openMakeLog } from '../../../agent/dkms/build/make-log.ts';

const HEAD = { module: 'm', version: '1.0', kernel: '6.1.0', arch: 'x86_64', date: 'Sat Nov 28 11:21:41 UTC 2026' };

t.test("the log's form is dkms's", async (t) => {
  const path = `${t.testdir()}/make.log`;
  const log = openMakeLog(path, HEAD);
  log.begin('Building module(s)', 'make all');
  writeSync(log.fd, 'CC [M] m.o\n');
  log.end(2, 3661.9);
  const text = log.bytes().toString();
  log.close();
  t.equal(
    text,
    `DKMS (dkms-3.4.3) make.log for m/1.0 for kernel 6.1.0 (x86_64)
Sat Nov 28 11:21:41 UTC 2026

Building module(s)
# command: make all
CC [M] m.o

# exit code: 2
# elapsed time: 01:01:01
----------------------------------------------------------------
`,
  );
  t.equal(readFileSync(path, 'utf8'), text);
});

for (const [rule, put] of [
  ['a file is replaced', (path: string) => writeFileSync(path, 'old')],
  ['a link is replaced, not followed', (path: string) => symlinkSync(`${path}.elsewhere`, path)],
] as const) {
  t.test(rule, async (t) => {
    const path = `${t.testdir()}/make.log`;
    put(path);
    const log = openCommandLog(path);
    log.begin('x', 'y');
    log.close();
    t.equal(readFileSync(path, 'utf8'), '\nx\n# command: y\n');
    t.notOk(existsSync(`${path}.elsewhere`));
  });
}
