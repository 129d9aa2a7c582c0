import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import t from 'tap';
import { addon, type FirstPart } from '../../agent/base/addon.ts';
import { errnoName } from '../../agent/base/errno.ts';

const root = join(import.meta.dirname, '../../..');
const addonFile = join(root, 'native/build/Release/plugd.node');

interface Answer {
  readonly result: number;
  readonly started: bigint;
  readonly ended: bigint;
}

function answer(start: (done: (result: number, started: bigint, ended: bigint) => void) => void): Promise<Answer> {
  return new Promise((resolve) => {
    start((result, started, ended) => resolve({ result, started, ended }));
  });
}

t.test('module calls answer the errno that the kernel gave', async (t) => {
  const file = join(t.testdir({ 'x.ko': 'not an ELF file' }), 'x.ko');
  const fd = openSync(file, 'r');
  const before = process.hrtime.bigint();
  const answers = await Promise.all([
    answer((done) => addon().finitModule(fd, 'a=1 b="\xe9"', 0, done)),
    answer((done) => addon().initModule(Buffer.from('not an ELF file'), '', done)),
    answer((done) => addon().deleteModule('no_such_module', 0o4000, done)),
  ]);
  const after = process.hrtime.bigint();
  closeSync(fd);
  for (const { result, started, ended } of answers) {
    // Without module support ENOSYS, without CAP_SYS_MODULE EPERM; else what it thinks of the file and the name.
    t.match(errnoName(-result), /^(ENOSYS|EPERM|ENOEXEC|ENOENT)$/);
    t.ok(before <= started && started <= ended && ended <= after, 'times are on the clock of process.hrtime');
  }
});

t.test('a bad descriptor is an answer, whatever its number', async (t) => {
  for (const fd of [-1, 0x7fffffff]) {
    const { result } = await answer((done) => addon().finitModule(fd, '', 0, done));
    t.match(errnoName(-result), /^(ENOSYS|EPERM|EBADF|ENOEXEC)$/, `fd ${fd}`);
  }
});

t.test('a hundred calls at once each get their answer', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => answer((done) => addon().deleteModule('no_such_module', 0o4000, done))),
  );
  t.equal(new Set(answers.map(({ result }) => result)).size, 1);
});

t.test('misuse is a TypeError', (t) => {
  const loose = addon() as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of Object.keys(loose)) t.throws(() => loose[name]?.('x', {}), TypeError, name);
  t.throws(() => loose['decompress']?.('xz', Buffer.alloc(3), Number.NaN), TypeError);
  t.throws(() => loose['decompress']?.('xz', Buffer.alloc(3), -1), TypeError);
  t.end();
});

// A module's init that hangs, as the addon sees it: a finit_module that never returns. The C library's syscall() is
// replaced by one that leaves its process id in a file, with what it can see. Once there is a file `.ask` it makes one `.answer`,
// which shows that it still goes on.
const HANGING_CALL = `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <dirent.h>
  #include <signal.h>
  #include <stdarg.h>
  #include <stdio.h>
  #include <stdlib.h>
  #include <sys/syscall.h>
  #include <unistd.h>
  long syscall(long number, ...) {
    va_list list; va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
    long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (number == SYS_finit_module) {
      int open = 0; char path[4096];
      for (int fd = 0; fd < 64; fd++) { snprintf(path, sizeof path, "/proc/self/fd/%d", fd); open += access(path, F_OK) == 0; }
      FILE *out = fopen(getenv("HANG_FILE"), "w");
      fprintf(out, "%d %d\\n", getpid(), open);
      fclose(out);
      snprintf(path, sizeof path, "%s.ask", getenv("HANG_FILE"));
      while (access(path, F_OK) != 0) usleep(2000);
      snprintf(path, sizeof path, "%s.answer", getenv("HANG_FILE"));
      fclose(fopen(path, "w"));
      for (;;) sleep(1000);
    }
    static long (*real)(long, ...);
    if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return real(number, a, b, c, d, e, f);
  }`;

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

t.test('plugd ends while an init hangs, and the init is not disturbed', async (t) => {
  const dir = t.testdir({ 'hang.c': HANGING_CALL });
  const library = join(dir, 'hang.so');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-o', library, join(dir, 'hang.c'), '-ldl'], { encoding: 'utf8' });
  t.equal(built.status, 0, built.stderr);

  const ends: ReadonlyArray<readonly [name: string, end: string, expect: number | NodeJS.Signals]> = [
    ['process.exit', 'process.exit(7)', 7],
    ['kill -9', 'process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
    ['SIGINT to the whole group', 'process.kill(-process.pid, "SIGINT")', 'SIGINT'],
    ['an exception', 'setImmediate(() => { throw new Error("x") })', 1],
  ];
  for (const [name, end, expected] of ends) {
    const hangFile = join(dir, name.replaceAll(/\W/g, '_'));
    const script = `
      const { existsSync, readFileSync } = require('node:fs');
      require(${JSON.stringify(addonFile)}).finitModule(0, '', 0, () => {});
      const timer = setInterval(() => {
        if (!existsSync(process.env.HANG_FILE) || !readFileSync(process.env.HANG_FILE, 'latin1').includes('\\n')) return;
        clearInterval(timer);
        ${end};
      }, 5);`;
    const child = spawn(process.execPath, ['-e', script], {
      // npm run test:asan: the addon needs its sanitizer before everything else.
      env: { ...process.env, LD_PRELOAD: `${process.env['ASAN_LIBRARY'] ?? ''} ${library}`, HANG_FILE: hangFile },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    // 'close' and not 'exit': standard output, which others may read to its end, must be closed too.
    const status = await new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
    t.equal(status, expected, `${name}: plugd ends as it was told to`);
    const [pid = 0, open = 0] = readFileSync(hangFile, 'latin1').split(' ').map(Number);
    t.ok(pid > 0);
    writeFileSync(`${hangFile}.ask`, '');
    while (alive(pid) && !existsSync(`${hangFile}.answer`)) await delay(5);
    t.ok(existsSync(`${hangFile}.answer`), `${name}: the call goes on`);
    t.equal(open, 1, `${name}: it holds no descriptor but the module's`);
    process.kill(pid, 'SIGKILL');
  }
});

t.test('the descriptor of a uevent socket is found by its port, and set up', (t) => {
  const socket = new RawNetlinkSocket(15, {
    messagePeeking: false,
    msgBufferSize: 8192,
    recvBufferSize: 0,
    sendBufferSize: 0,
  });
  t.teardown(() => socket.close());
  const { port } = socket.address();
  const fd = addon().netlinkDescriptor(port);
  t.ok(fd > 2, `descriptor ${fd}`);
  t.match(readFileSync('/proc/self/net/netlink', 'latin1'), new RegExp(`^\\S+ 15 +${port} `, 'm'));

  const other = new RawNetlinkSocket(0);
  t.equal(addon().netlinkDescriptor(other.address().port), -2, 'another protocol has its own port numbers');
  other.close();
  t.equal(addon().netlinkDescriptor(port + 1), -2);

  const got = addon().setReceiveBuffer(fd, 1 << 20);
  t.ok(got > 0 && got <= 2 << 20, `a buffer of ${got} bytes`);
  t.equal(socket.getRecvBufferSize(), got, 'the same socket');
  t.equal(addon().setNoEnobufs(fd), 0);
  t.end();
});

t.test('socket options on what is no netlink socket answer an errno', (t) => {
  const fd = openSync('/dev/null', 'r');
  t.equal(errnoName(-addon().setReceiveBuffer(fd, 4096)), 'errno 88'); // ENOTSOCK
  t.equal(errnoName(-addon().setNoEnobufs(fd)), 'errno 88');
  closeSync(fd);
  t.equal(errnoName(-addon().setNoEnobufs(-1)), 'EBADF');
  t.end();
});

t.test('notify sends one datagram', async (t) => {
  // Not t.testdir: the name of a socket has at most 107 bytes, and this tree may lie deep.
  const dir = mkdtempSync(join(tmpdir(), 'plugd-notify-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  // Node has no unix datagram sockets: python3, which building the addon needs anyway, receives.
  for (const name of [join(dir, 'notify'), `@plugd-test-${process.pid}`]) {
    const script = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1][0] == '@' else sys.argv[1])
print('bound', flush=True)
sys.stdout.buffer.write(s.recv(4096))`;
    const receiver = spawn('python3', ['-c', script, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    receiver.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (text === '') t.equal(addon().notify(name, 'READY=1\nSTATUS=läuft'), 0);
      text += chunk;
    });
    await new Promise((resolve) => receiver.once('close', resolve));
    t.equal(text, 'bound\nREADY=1\nSTATUS=läuft');
  }
  t.equal(errnoName(-addon().notify(join(dir, 'nobody'), 'x')), 'ENOENT');
  t.equal(errnoName(-addon().notify('@plugd-nobody', 'x')), 'ECONNREFUSED');
  t.equal(errnoName(-addon().notify('relative', 'x')), 'errno 97'); // EAFNOSUPPORT
  t.equal(errnoName(-addon().notify(`/${'x'.repeat(200)}`, 'x')), 'ENAMETOOLONG');
  t.end();
});

// "line 0 of plugd\n" … "line 199 of plugd\n", as xz and zstd pack it.
const TEXT = Buffer.from(Array.from({ length: 200 }, (_, i) => `line ${i} of plugd\n`).join(''));
const PACKED = {
  crc32:
    '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4A2hAN5dADYaSh8IoCYDTQad9vbe0catrsofe/t94wEDriFPl4M4Gk25KJCkDaY2CV0TElbUIy1cHkaceZz3jqNidpB5XdtmKuJ0wXCJYQcgsFeylG0/PBfPVuVcBSQZyOqof07W6N7ieKZnYLn8EJR6DNgOm9mqzGAOp/DrFm0QyeA+XjbzuZQUUDLC/fXoXnjMbZHLJUS8xVR0MrNm9sRfu21qhnYHSaoulJ09UK1l5AoKRSSP3Aj/eNBbFUDwZKiUJFiD93TDaZTG6I77KA+Egci/nMUPt7SkRY00iKNsqcOMAAAAANB7DxMAAfYBohsAAHaa78o+MA2LAgAAAAABWVo=',
  multiBlockCrc64:
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4APnAHBdADYaSh8IoCYDTQad9vbe0catrsofe/t94wEDriFPl4M4Gk25KJCkDaY2CV0TElbUIy1cHkaceZz3jqNidpB5XdtmKuJ0wXCJYQcgsFeylG0/PBfPVuVcBSQZyOqof07W6N7ieKZnYLn8EImxJ/WsrQAAJKychuWMdt0CACEBFgAAAHQv5aPgA+cAcl0AEBvIwgM12ANuRp85n7VMPdthgbkRIyo7lvkjJJZX3t+R5KTJbxtXXiMEDmD+YsNYGFDJeG8ixJUXCVnWCZXevFKEjOg2i10ERLc5HzOhOThBnhlD3fSBf7xFKn+NcNJ8HMyH76zHzwJ0977KZoVkUy4UAAAAGJC9EUvkDzgCACEBFgAAAHQv5aPgA+cAbl0AEAxsbiE3CAdJFdh+c9ZZEW6bz00iJ+74b4XeYzUaP1zI9oQ4T5AarPL4GH3vTWE/wPLGVSTusAFEWgrYW1L7iEiAIJp80qIfeODF/nleio9unZ0sV8knqr19W7dwNyiwqJoC1xooIdJNWGs8OScAAADcrwXulBkgjAIAIQEWAAAAdC/lo+AB6QBJXQA6mciuU5Vm6XmJcPr8gUJzBj+XVUFBmOz9bEu1eDdW1lhZal9OoHA/XUcbgb6FzLD2/ozeTduZckfkQUbuzQtb9w8gAPEhKazOAAAAAHZGCRPbHQbgAASMAegHjgHoB4oB6Adl6gMAAABbUt33CfRi5gUAAAAABFla',
  sha256AndX86:
    '/Td6WFoAAArh+wyhAgEEACEBFgANhjUf4A2hAN5dADYaSh8IoCYDTQad9vbe0catrsofe/t94wEDriFPl4M4Gk25KJCkDaY2CV0TElbUIy1cHkaceZz3jqNidpB5XdtmKuJ0wXCJYQcgsFeylG0/PBfPVuVcBSQZyOqof07W6N7ieKZnYLn8EJR6DNgOm9mqzGAOp/DrFm0QyeA+XjbzuZQUUDLC/fXoXnjMbZHLJUS8xVR0MrNm9sRfu21qhnYHSaoulJ09UK1l5AoKRSSP3Aj/eNBbFUDwZKiUJFiD93TDaZTG6I77KA+Egci/nMUPt7SkRY00iKNsqcOMAAAAALZ+E1h3WPPK0lZdKh9RqscFIBKFPc/HUWgCQZgVbTiNAAGSAqIbAADqrSoetunfHAIAAAAAClla',
  zstd: 'KLUv/QRojQkAll89FpAnxRy7iBJ8xGdmot3dvaUcs64/OAE/ADcAMABBNzY1NDMyHc4Tc2JSQjIiUqEsIVdrlTqVtuyNHo1F4lBYkjN42zU9y51/fFY0Ug4QQJBQQBgGDoYYBAwKCgHPy/f5f/zFFldM8cQSN2Z8HPGdXR3dnFyP98WdmZWRjYnVaFvYlVUV1ZRUi3VFHRkVEQ0JlUhTc800zyxzZ87PMZ9scskkjyxyZcrLIV+3Xp36dOnt7Pfox40XJz5ceDn5PPi9fT0dd9tdN91zy92b93fcZ5tdNtlji12b9nbYV1tdNdVTS92a9XXURxtdNNFDC12a9HTQN1uAyKgRQHR+vwPg5xASYUSYD43K3/77r//+57//9e9/+Vr3f/9933+/99/f/ffrlLaALbC1I2BAqgKOY40A',
} as const;

const LIMIT = 1 << 20;
/** Every damage is tried; every 16th under AddressSanitizer, where liblzma's 64 MiB of dictionary take 100 ms a call. */
const STEP = process.env['ASAN_LIBRARY'] === undefined ? 1 : 16;
const unxz = (image: Uint8Array, limit = LIMIT) => addon().decompress('xz', image, limit);
const unzstd = (image: Uint8Array, limit = LIMIT) => addon().decompress('zstd', image, limit);
const errnoOf = (result: Buffer | number) =>
  typeof result === 'number' ? errnoName(-result) : `${result.length} bytes`;

for (const [name, unpack] of [
  ['crc32', unxz],
  ['multiBlockCrc64', unxz],
  ['sha256AndX86', unxz],
  ['zstd', unzstd],
] as const) {
  t.test(`decompression of ${name}`, (t) => {
    const image = Buffer.from(PACKED[name], 'base64');
    t.same(unpack(image), TEXT, 'the whole image');
    t.same(unpack(Buffer.concat([Buffer.alloc(5), image]).subarray(5)), TEXT, 'a view into a larger buffer');
    t.same(unpack(Buffer.concat([image, image])), Buffer.concat([TEXT, TEXT]), 'two streams in one file');
    for (let length = 0; length < image.length; length += STEP) {
      if (errnoOf(unpack(image.subarray(0, length))) !== 'EBADMSG') t.fail(`truncated to ${length} bytes`);
    }
    for (let at = 0; at < image.length; at += STEP) {
      const flipped = Buffer.from(image);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at);
      const result = unpack(flipped);
      // A flip in a field that no check covers (a dictionary size, say) may leave the text as it was.
      if (typeof result !== 'number' && !result.equals(TEXT)) t.fail(`wrong text after a flip at byte ${at}`);
    }
    for (const garbage of ['x', 'garbage\n', '\0\0\0']) {
      t.equal(
        errnoOf(unpack(Buffer.concat([image, Buffer.from(garbage)]))),
        'EBADMSG',
        `${garbage.length} bytes too many`,
      );
    }
    t.same(unpack(image, TEXT.length), TEXT, 'a limit just large enough');
    t.equal(errnoOf(unpack(image, TEXT.length - 1)), 'EFBIG');
    t.equal(errnoOf(unpack(image, 0)), 'EFBIG');
    t.equal(errnoOf(unpack(Buffer.from('\x7fELF'))), 'EBADMSG', 'something else');
    t.end();
  });
}

t.test('decompression on the pool', async (t) => {
  const later = async (format: 'xz' | 'zstd', image: Uint8Array, limit = LIMIT) =>
    new Promise<Buffer | number>((resolve) => {
      addon().decompressAsync(format, image, limit, resolve);
    });
  const image = Buffer.from(PACKED.crc32, 'base64');
  const results = await Promise.all([
    ...Array.from({ length: 50 }, async () => later('xz', image)),
    later('zstd', Buffer.from(PACKED.zstd, 'base64')),
  ]);
  for (const result of results) if (typeof result === 'number' || !result.equals(TEXT)) t.fail(errnoOf(result));
  t.equal(errnoOf(await later('zstd', image)), 'EBADMSG');
  t.equal(errnoOf(await later('xz', image, 5)), 'EFBIG');
  t.throws(() => addon().decompressAsync('lz4', image, 5, () => {}), TypeError);
});

t.test('the first stream or frame on the pool, with something behind it', async (t) => {
  const first = async (format: 'xz' | 'zstd', image: Uint8Array, limit = LIMIT) =>
    new Promise<FirstPart | number>((resolve) => {
      addon().decompressFirstAsync(format, image, limit, resolve);
    });
  for (const [format, packed] of [
    ['xz', PACKED.crc32],
    ['zstd', PACKED.zstd],
  ] as const) {
    const image = Buffer.from(packed, 'base64');
    const more = Buffer.concat([image, image, Buffer.from('and more')]);
    t.same(await first(format, more), { image: TEXT, consumed: image.length });
    t.same(await first(format, more), addon().decompressFirst(format, more, LIMIT), 'as at once');
    t.equal(await first(format, image.subarray(0, -9)), -74, 'EBADMSG');
    t.same(await first(format, image, TEXT.length - 1), addon().decompressFirst(format, image, TEXT.length - 1));
  }
  t.throws(() => addon().decompressFirstAsync('lz4', TEXT, 5, () => {}), TypeError);
});

t.test('a large image that shrinks a thousandfold', (t) => {
  // 4 MiB of zeros by xz, whose 700 bytes make the output grow many times.
  const made = spawnSync('xz', ['-9', '-c'], { input: Buffer.alloc(4 << 20), maxBuffer: 1 << 20 });
  if (made.status !== 0) {
    t.comment('no xz here');
    t.end();
    return;
  }
  t.same(unxz(made.stdout, 8 << 20), Buffer.alloc(4 << 20));
  t.equal(errnoOf(unxz(made.stdout, (4 << 20) - 1)), 'EFBIG');
  const file = join(t.testdir({}), 'zeros.xz');
  writeFileSync(file, made.stdout);
  t.same(unxz(readFileSync(file), 4 << 20), Buffer.alloc(4 << 20));
  t.end();
});

t.test("a keyring's keys are those that the kernel counts in it", (t) => {
  const text = existsSync('/proc/keys') ? readFileSync('/proc/keys', 'latin1') : '';
  // 33d55ae2 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: empty
  const rings = [...text.matchAll(/^([0-9a-f]{8}) .* keyring +(\.builtin_trusted_keys|\.blacklist): (empty|\d+)/gm)];
  for (const [, id, name, count] of rings) {
    const keys = addon().readKeyring(Number.parseInt(id ?? '', 16) | 0);
    if (typeof keys === 'number') t.equal(errnoName(-keys), 'EACCES', `${name} is not for this user`);
    else t.equal(keys.length, count === 'empty' ? 0 : Number(count), name ?? '');
  }
  const none = addon().readKeyring(1);
  t.match(errnoName(-(none as number)), /^(ENOKEY|ENOSYS|EPERM)$/, 'no such keyring');
  t.end();
});
