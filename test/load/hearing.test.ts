/** What the watchdog asks of the uevent socket. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { Hearing } from '../../agent/load/hearing.ts';

t.test('a socket that is gone, or that nobody empties, is a fault', (t) => {
  const folder = t.testdir({ proc: { net: {} }, sys: { kernel: { uevent_seqnum: '7\n' } } });
  const file = join(folder, 'proc/net/netlink');
  const host = openHost({ root: folder, kernel: '0', sysfs: join(folder, 'sys'), proc: join(folder, 'proc') });
  const hearing = new Hearing(host, 65_536, { uevent: () => {}, overrun: () => {} });
  t.teardown(() => hearing.close());
  const real = readFileSync('/proc/self/net/netlink', 'latin1').split('\n');
  const own = real.find((line) => {
    const [, protocol, port] = line.split(/ +/);
    return protocol === '15' && (Number(port) & 0x3fffff) === process.pid;
  });
  t.not(own, undefined, 'the kernel lists it');
  const queued = (bytes: number) => {
    const fields = (own ?? '').trim().split(/ +/);
    writeFileSync(file, `${real[0]}\n${fields.with(4, String(bytes)).join(' ')}\n`);
  };
  t.equal(hearing.fault(), undefined, 'a kernel that does not list sockets');
  mkdirSync(join(folder, 'proc/net'), { recursive: true });
  queued(0);
  t.equal(hearing.fault(), undefined, 'empty');
  queued(4096);
  t.equal(hearing.fault(), undefined, 'it has just come');
  t.match(hearing.fault(), /not received any more/, 'it is still there');
  queued(0);
  t.equal(hearing.fault(), undefined, 'it was taken out after all');
  queued(1024);
  t.equal(hearing.fault(), undefined, 'something else has come');
  writeFileSync(file, `${real[0]}\n`);
  t.match(hearing.fault(), /the uevent socket is gone/);
  rmSync(file);
  t.equal(hearing.fault(), undefined);
  t.end();
});
