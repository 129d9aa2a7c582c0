/** modinfo, insmod, rmmod and lsmod against Debian's kmod: output, messages, status, and the system calls that are made. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { commandPath, needCommands, runProgram, type Ended } from '../fixtures/commands.ts';
import { debianTree } from '../fixtures/debian.ts';
import { elfImage, moduleImage } from '../fixtures/elf-image.ts';
import { KernelDouble } from '../fixtures/kernel-double.ts';
import { judgedPrograms, type Judged } from '../native/plugd-lite.ts';
import { share } from '../share.ts';
import { refusesStandIns, runWithStandIns } from '../fixtures/confinement/own-mounts.ts';

const cli = join(import.meta.dirname, '../../agent/cli.js');
const readiness = await needCommands(['modinfo', 'insmod', 'rmmod', 'lsmod', 'depmod', 'openssl', 'xz']);
const skip = readiness.kind === 'missing' ? readiness.sentence : false;
const noNamespace = (await refusesStandIns()) ?? false;

const PROGRAMS = await judgedPrograms([process.execPath, cli], (text) => t.comment(text));

async function run({ words: [file = '', ...words] }: Judged, command: string, args: readonly string[], cwd?: string) {
  return runProgram(file, [...words, command, ...args], cwd === undefined ? {} : { cwd });
}

/**
 * What may differ, taken away: today's kmod shows the build id; plugd says in brackets why a file is no module; getopt
 * names its whole path, kmod's library itself, at that as the version of the day.
 */
function agreed({ status, stdout, stderr }: Ended): Ended {
  return {
    status,
    stdout: stdout
      // kmod 30 puts blanks behind a key of more than 15 characters.
      .replaceAll(/^(\w{16,}:) +/gm, '$1')
      .replaceAll(/^build-id: .*\n/gm, '')
      .replaceAll(/build-id=[^\0]*\0/g, ''),
    stderr: stderr
      .replaceAll(/^(\w+: ERROR: could not (?:get modinfo from|insert module) .*: [A-Z][a-z ]+) \(.*\)$/gm, '$1')
      .replaceAll(/^\/\S*\/(\w+): /gm, '$1: ')
      .replaceAll(/^libkmod: ERROR .*\n/gm, '')
      .replaceAll(/^(\w+: ERROR): \.\.\/\S+ \w+\(\) /gm, '$1: '),
  };
}

/** plugd-lite builds no indexes. */
const COMMANDS_OF = (program: Judged) => [
  'modprobe',
  'insmod',
  'rmmod',
  'lsmod',
  'modinfo',
  ...(program.name === 'plugd' ? ['depmod'] : []),
];

for (const program of PROGRAMS) {
  t.test(`${program.name}: modinfo of every module of Debian's amd64 tree`, { skip }, async (t) => {
    const tree = await debianTree('amd64');
    if (tree.kind === 'missing') {
      t.comment(tree.sentence);
      return;
    }
    const moduleDir = join(tree.root, 'lib/modules', tree.kernel);
    const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/\..*/s, '');
    const lines = (file: string) =>
      readFileSync(join(moduleDir, file), 'latin1')
        .split('\n')
        .filter((line) => line !== '');
    const names = [
      ...lines('modules.dep').map((line) => nameOf(line.replace(/:.*/, ''))),
      ...lines('modules.builtin').map(nameOf),
    ];
    const files = share(lines('modules.dep'), 6).map((line) => join(moduleDir, line.replace(/:.*/, '')));
    t.ok(names.length > 3000);
    const compare = async (options: readonly string[], operands: readonly string[]) => {
      for (let i = 0; i < operands.length; i += 1000) {
        const args = [...options, '-b', tree.root, '-k', tree.kernel, ...operands.slice(i, i + 1000)];
        const kmod = agreed(await runProgram('modinfo', args));
        const own = agreed(await run(program, 'modinfo', args));
        if (own.stdout !== kmod.stdout) {
          const [a, b] = [own, kmod].map(({ stdout }) => stdout.split(/[\n\0]/));
          const at = a?.findIndex((line, j) => line !== b?.[j]) ?? 0;
          t.fail(`modinfo ${options.join(' ')}: "${a?.[at]}" where kmod has "${b?.[at]}"`);
        }
        t.strictSame([own.status, own.stderr], [kmod.status, kmod.stderr], `${options.join(' ')} ${i}`);
      }
    };
    await compare([], share(names, 6));
    await compare([], files);
    for (const options of [['-F', 'alias'], ['-F', 'parm'], ['-m'], ['-n'], ['-F', 'signature', '-0']]) {
      await compare(
        options,
        share(
          names.filter((_, i) => i % 8 === 0),
          4,
        ),
      );
    }
  });

  t.test(`${program.name}: every option of kmod's help`, { skip }, async (t) => {
    // Since kmod 30.
    const later: Readonly<Record<string, readonly string[]>> = {
      modprobe: ['--wait', '--remove-holders'],
      depmod: ['-o', '--outdir', '-m', '--moduledir'],
      insmod: ['-f', '--force', '--force-modversion', '--force-vermagic', '-s', '-v'],
      lsmod: ['-s', '--syslog', '-v', '--verbose', '-V', '--version', '-h', '--help'],
    };
    // Today's kmod warns of these.
    const deprecated = new Set(['--resolve-alias', '--showconfig', '--dump-modversions', '--remove-dependencies']);
    for (const command of COMMANDS_OF(program)) {
      const options = (help: string) =>
        [...help.matchAll(/^\s+(-.*?)(?: {2}|$)/gm)].flatMap(
          ([, names = '']) => names.match(/(?<![\w-])--?[\w-]+/g) ?? [],
        );
      const [kmod, own] = [await runProgram(command, ['--help']), await run(program, command, ['--help'])];
      const wanted = [...new Set([...options(kmod.stdout), ...(later[command] ?? [])])];
      t.ok(wanted.length > 5, `${command}: ${wanted.join(' ')}`);
      const named = new Set(options(own.stdout));
      t.same(
        wanted.filter((option) => !named.has(option) && !deprecated.has(option)),
        [],
        `${command} -h names them all`,
      );
      // The word behind each is its argument, if it takes one. A word that is wrong comes before all else.
      const all = wanted.flatMap((option) => [option, '/nonexistent/plugd']);
      t.notMatch((await run(program, command, [...all, '-h'])).stderr, /option/, `${command} takes them all`);
    }
  });

  t.test(`${program.name}: modinfo of odd files and names`, { skip }, async (t) => {
    const base = t.testdir({});
    const moduleDir = join(base, 'lib/modules/6.1.0');
    const put = (path: string, bytes: Buffer | string) => {
      mkdirSync(dirname(join(moduleDir, path)), { recursive: true });
      writeFileSync(join(moduleDir, path), bytes);
    };
    const odd = moduleImage({
      modinfo: [
        'alias=odd-alias',
        'key=',
        '=value',
        'novalue',
        'a_key_longer_than_fifteen=x',
        'key=again',
        'parm=a:first',
        'parm=b:second (x)',
        'parmtype=b:int',
        'parmtype=c:charp',
        'parm=a:first again',
        'parm=nocolon',
        'parm=:',
        'parmtype=a:uint',
        'author=M\xfcller',
      ],
    });
    put('kernel/odd.ko', odd);
    put('kernel/text.ko', 'hello, world');
    put('kernel/short.ko', 'x');
    put('kernel/empty.ko', '');
    put('kernel/cut.ko', odd.subarray(0, odd.length - 1));
    put('kernel/no-modinfo.ko', elfImage({ symbols: [{ name: 'x' }] }));
    put('kernel/bad.ko.xz', Buffer.from('fd377a585a0000', 'hex'));
    put('kernel/plain.ko.xz', odd);
    put('kernel/packed.ko.xz', execFileSync('xz', ['-c'], { input: odd }));
    put('kernel/named.txt', odd);
    put('modules.order', '');
    put('modules.builtin', 'kernel/in.ko\nkernel/with-dash.ko\nkernel/untold.ko\n');
    put(
      'modules.builtin.modinfo',
      'in.license=GPL\0in.alias=in-alias\0in.parm=p:text\0in.parmtype=p:int\0with_dash.alias=other-alias\0',
    );
    execFileSync('depmod', ['-b', base, '6.1.0'], { stdio: 'ignore' });
    const names = [
      'odd',
      'text',
      'short',
      'empty',
      'cut',
      'no-modinfo',
      'bad',
      'plain',
      'packed',
      'in',
      'with-dash',
      'with_dash',
      'untold',
      'odd-alias',
      'odd_alias',
      'in-alias',
      'none',
      '',
      'a[b',
      'symbol:x',
      'none:x',
    ];
    for (const options of [
      [],
      ['-0'],
      ['-p'],
      ['-F', 'parmtype'],
      ['-F', 'name'],
      ['-n'],
      ['-F', 'KEY'],
      ['-F', 'nothing'],
      ['-a', '-l'],
      ['-m'],
      ['-m', '-F', 'alias'],
    ]) {
      const args = [...options, '-b', base, '-k', '6.1.0', ...names];
      t.strictSame(
        agreed(await run(program, 'modinfo', args)),
        agreed(await runProgram('modinfo', args)),
        options.join(' '),
      );
    }
    const cwd = join(moduleDir, 'kernel');
    for (const args of [
      ['./odd.ko'],
      ['odd.ko', '../kernel/odd.ko'],
      ['named.txt'],
      ['missing.ko'],
      ['packed.ko.xz', 'plain.ko.xz'],
      ['-b', '../../../..', '-k', '6.1.0', 'odd'],
      ['-b', '../../../../', '-k', '6.1.0', 'in', 'odd'],
      ['-k', '1.0', 'odd'],
      [],
      ['-x'],
      ['-F'],
      ['--fi', 'odd.ko'],
      ['--field=author', 'odd.ko'],
      ['-nodd.ko'],
    ]) {
      const kmod = await runProgram('modinfo', args, { cwd });
      t.strictSame(
        agreed(await run(program, 'modinfo', args, cwd)),
        agreed(kmod),
        `in the directory: ${args.join(' ')}`,
      );
    }
  });

  t.test(`${program.name}: modinfo of signatures`, { skip }, async (t) => {
    const dir = t.testdir({});
    const image = moduleImage({ modinfo: ['license=GPL'] });
    const mark = Buffer.from('~Module signature appended~\n');
    const info = (type: number, lengths: { signer?: number; key?: number; value: number }, algorithm = 0, hash = 0) => {
      const bytes = Buffer.alloc(12);
      bytes.set([algorithm, hash, type, lengths.signer ?? 0, lengths.key ?? 0]);
      bytes.writeUInt32BE(lengths.value, 8);
      return bytes;
    };
    const files: Record<string, Buffer> = {
      'x509.ko': Buffer.concat([
        image,
        Buffer.from('The Signer'),
        Buffer.from('0102fe', 'hex'),
        Buffer.alloc(45, 7),
        info(1, { signer: 10, key: 3, value: 45 }, 1, 4),
        mark,
      ]),
      'mark-only.ko': Buffer.concat([image, mark]),
      'too-long.ko': Buffer.concat([image, info(2, { value: 1 << 30 }), mark]),
      'no-der.ko': Buffer.concat([image, Buffer.alloc(50, 0x30), info(2, { value: 50 }), mark]),
    };
    const keys: Readonly<Record<string, readonly string[]>> = {
      rsa: ['-newkey', 'rsa:1024', '-sha256'],
      'rsa-sha512': ['-newkey', 'rsa:1024', '-sha512'],
      'long-serial': ['-newkey', 'rsa:1024', '-sha1', '-set_serial', '0xfedcba98765432100123456789abcdef'],
      ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-sha384'],
      'no-name': ['-newkey', 'rsa:1024', '-sha256', '-subj', '/O=An organisation'],
    };
    for (const [name, options] of Object.entries(keys)) {
      const [key, certificate] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
      const hash = options.find((option) => option.startsWith('-sha'))?.slice(1) ?? '';
      const subject = options.includes('-subj') ? [] : ['-subj', `/O=Org/CN=Key of ${name}`];
      execFileSync(
        'openssl',
        ['req', '-new', '-x509', '-nodes', '-days', '30', '-keyout', key, '-out', certificate, ...options, ...subject],
        { stdio: 'ignore' },
      );
      for (const [kind, extra] of [
        ['', []],
        ['-keyid', ['-keyid']],
      ] as const) {
        const signed = spawnSync(
          'openssl',
          [
            'cms',
            '-sign',
            '-binary',
            '-noattr',
            '-nocerts',
            '-nosmimecap',
            '-md',
            hash,
            '-signer',
            certificate,
            '-inkey',
            key,
            '-outform',
            'DER',
            ...extra,
          ],
          { input: image },
        );
        t.equal(signed.status, 0, signed.stderr.toString());
        files[`${name}${kind}.ko`] = Buffer.concat([
          image,
          signed.stdout,
          info(2, { value: signed.stdout.length }),
          mark,
        ]);
      }
    }
    for (const [name, bytes] of Object.entries(files)) {
      const file = join(dir, name);
      writeFileSync(file, bytes);
      const kmod = agreed(await runProgram('modinfo', [file]));
      const own = agreed(await run(program, 'modinfo', [file]));
      if (!name.endsWith('-keyid.ko')) {
        t.strictSame(own, kmod, `${name}: ${/^sig_hashalgo.*/m.exec(kmod.stdout)?.[0] ?? 'no signature'}`);
        continue;
      }
      // A signer named by its key, as sign-file -k does it: kmod cannot read that and shows nothing.
      t.notMatch(kmod.stdout, /^sig/m);
      t.match(
        own.stdout,
        /^sig_id: +PKCS#7\nsigner: +\nsig_key: +([0-9A-F]{2}:){19}[0-9A-F]{2}\nsig_hashalgo: +sha\d+\nsignature: /m,
        name,
      );
    }
  });

  t.test(`${program.name}: lsmod`, { skip: skip === false ? noNamespace : skip }, async (t) => {
    const base = t.testdir({});
    const [proc, sys] = [join(base, 'proc'), join(base, 'sys')];
    mkdirSync(proc);
    const modules: Readonly<Record<string, { core?: string; refcnt?: string; holders: readonly string[] }>> = {
      e1000e: { core: '315392', refcnt: '0', holders: [] },
      mii: { core: '16384', refcnt: '3', holders: ['zeta', 'e1000e', 'a_long_name_of_a_module', 'b', 'r8169'] },
      a_name_longer_than_nineteen: { core: '123456789', refcnt: '12', holders: ['mii'] },
      without_coresize: { refcnt: '1', holders: [] },
      without_refcnt: { core: '4096', holders: [] },
    };
    for (const [name, { core, refcnt, holders }] of Object.entries(modules)) {
      const directory = join(sys, 'module', name);
      mkdirSync(join(directory, 'holders'), { recursive: true });
      if (core !== undefined) writeFileSync(join(directory, 'coresize'), `${core}\n`);
      if (refcnt !== undefined) writeFileSync(join(directory, 'refcnt'), `${refcnt}\n`);
      for (const holder of holders) symlinkSync(`../../${holder}`, join(directory, 'holders', holder));
    }
    const line = (name: string) => `${name} 20480 7 - Live 0x0000000000000000\n`;
    writeFileSync(join(proc, 'modules'), Object.keys(modules).map(line).join(''));
    const kmod = await runWithStandIns({ '/proc': proc, '/sys': sys }, ['lsmod']);
    const own = await run(program, 'lsmod', ['--proc', proc, '--sysfs', sys]);
    t.strictSame(own, kmod);
    t.match(kmod.stdout, /^mii +16384 {2}3 \S+,\S+$/m);

    // A module that has gone meanwhile: kmod says "-2  -2" (its issue 41).
    writeFileSync(join(proc, 'modules'), line('gone') + line('mii'));
    const after = await run(program, 'lsmod', ['--proc', proc, '--sysfs', sys]);
    t.match(after.stdout, /^Module {18}Size {2}Used by\nmii .*\n$/);

    const none = await run(program, 'lsmod', ['--proc', sys]);
    t.equal(none.status, 1);
    t.equal(
      none.stderr,
      `lsmod: ERROR: could not open ${sys}/modules: No such file or directory\nlsmod: ERROR: could not get list of modules: No such file or directory\n`,
    );
    t.strictSame(await run(program, 'lsmod', ['x']), {
      status: 1,
      stdout: '',
      stderr: 'lsmod: ERROR: too many arguments provided.\n',
    });
  });
}

t.test('insmod', { skip: skip === false ? noNamespace : skip }, async (t) => {
  const dir = t.testdir({ sys: { module: { compression: 'xz\n' } } });
  const kernel = new KernelDouble(dir);
  const image = moduleImage({ modinfo: ['license=GPL', 'vermagic=6.1.0 SMP '], needs: { x: 1 } });
  writeFileSync(join(dir, 'a.ko'), image);
  writeFileSync(join(dir, 'a.ko.xz'), execFileSync('xz', ['-c', '--check=crc32'], { input: image }));
  writeFileSync(join(dir, 'a.ko.zst'), execFileSync('zstd', ['-cq'], { input: image }));
  writeFileSync(join(dir, 'a.ko.gz'), gzipSync(image));
  writeFileSync(join(dir, 'short.ko'), 'abc');
  writeFileSync(join(dir, 'broken.ko.zst'), Buffer.from('28b52ffd00000000', 'hex'));
  const command = { kmod: [commandPath('insmod') ?? 'insmod'], own: [process.execPath, cli, 'insmod'] };
  const rows: ReadonlyArray<readonly [args: string, answers: readonly number[]]> = [
    ['a.ko', [0]],
    ['a.ko p=1 q="x" r', [0]],
    ['a.ko p=1 -f', [0]],
    ['-f a.ko.zst', [0]],
    ['-- a.ko -f', [0]],
    ['./a.ko', [17]],
    ['a.ko', [8]],
    ['a.ko', [2]],
    ['a.ko', [3]],
    ['a.ko', [22]],
    ['a.ko', [1]],
    ['a.ko', [126]],
    ['a.ko', [129]],
    ['a.ko', [16]],
    ['a.ko', [38, 0]],
    ['-f a.ko', [38, 0]],
    ['a.ko.zst', [0]],
    ['a.ko.zst', [17]],
    ['short.ko', [0]],
    ['missing.ko', [0]],
    ['.', [0]],
    ['-', [0]],
    ['', [0]],
    ['-x a.ko', [0]],
  ];
  for (const [i, [text, answers]] of rows.entries()) {
    const args =
      text === ''
        ? []
        : text.split(' ').map((word) => (/^(\.|[\w.]+\.(ko|xz|zst|gz))$/.test(word) ? join(dir, word) : word));
    const run = async (who: 'kmod' | 'own') => {
      const name = `insmod-${i}-${who}`;
      const ended = await runWithStandIns(
        { '/sys': join(dir, 'sys') },
        [...command[who], ...args],
        kernel.environment(name, answers),
      );
      const calls = kernel.calls(name);
      return {
        ...agreed(ended),
        calls,
        image: calls.some((call) => call.startsWith('init_module')) ? kernel.image(name).toString('latin1') : '',
      };
    };
    t.strictSame(await run('own'), await run('kmod'), `insmod ${text} → ${answers.join(', ')}`);
  }

  // Since kmod 31 a kernel that knows the compression gets the file as it is.
  const compressed: ReadonlyArray<readonly [answers: readonly number[], calls: readonly string[], stderr: RegExp]> = [
    [[0], ['finit_module FILE flags=4 params='], /^$/],
    [[8], ['finit_module FILE flags=4 params='], /: Invalid module format\n$/],
    [[38, 0], ['finit_module FILE flags=4 params=', `init_module ${image.length} bytes params=`], /^$/],
  ];
  for (const [answers, calls, stderr] of compressed) {
    const name = `insmod-xz-${answers.join('-')}`;
    const file = join(dir, 'a.ko.xz');
    const ended = await runWithStandIns(
      { '/sys': join(dir, 'sys') },
      [...command.own, file],
      kernel.environment(name, answers),
    );
    t.match(ended.stderr, stderr, name);
    t.same(
      kernel.calls(name),
      calls.map((call) => call.replace('FILE', file)),
      `${name}: calls`,
    );
  }

  // What kmod gives up on: a kernel that cannot decompress the file after all.
  const name = 'insmod-retry';
  const ended = await runWithStandIns(
    { '/sys': join(dir, 'sys') },
    [...command.own, join(dir, 'a.ko.xz')],
    kernel.environment(name, [22, 0]),
  );
  t.equal(ended.status, 0);
  t.same(kernel.calls(name), [
    `finit_module ${dir}/a.ko.xz flags=4 params=`,
    `init_module ${image.length} bytes params=`,
  ]);
  const gz = await runWithStandIns(
    { '/sys': join(dir, 'sys') },
    [...command.own, join(dir, 'a.ko.gz'), 'a=1', 'b=x y', 'c="x y"'],
    kernel.environment('gz', [0]),
  );
  t.equal(gz.status, 0);
  t.same(kernel.calls('gz'), [`init_module ${image.length} bytes params=a=1 b="x y" c="x y"`]);
  const broken = await runWithStandIns(
    { '/sys': join(dir, 'sys') },
    [...command.own, join(dir, 'broken.ko.zst')],
    kernel.environment('broken', [0]),
  );
  t.match(broken.stderr, /could not insert module .*: Bad message \(damaged or truncated zstd data\)/);
});

t.test('rmmod', { skip: skip === false ? noNamespace : skip }, async (t) => {
  const loaded = (refcnt: string, ...holders: string[]) => ({
    initstate: 'live\n',
    refcnt: `${refcnt}\n`,
    holders: Object.fromEntries(holders.map((name) => [name, ''])),
  });
  const dir = t.testdir({
    sys: {
      module: {
        free: loaded('0'),
        with_dash: loaded('0'),
        busy: loaded('2'),
        held: loaded('1', 'one_holder'),
        coming: { refcnt: '1\n', holders: {} },
        no_refcnt: { initstate: 'live\n', holders: {} },
      },
    },
    'free.ko': '',
  });
  const kernel = new KernelDouble(dir);
  const command = { kmod: [commandPath('rmmod') ?? 'rmmod'], own: [process.execPath, cli, 'rmmod'] };
  const rows: ReadonlyArray<readonly [args: string, answers: readonly number[]]> = [
    ['free', [0]],
    ['with-dash', [0]],
    ['busy', [0]],
    ['held', [0]],
    ['coming', [0]],
    ['no_refcnt', [0]],
    ['absent', [0]],
    ['-f busy absent', [0, 2]],
    ['busy free held with_dash', [0]],
    ['free with_dash', [11, 16]],
    ['FILE', [0]],
    ['--force free', [1]],
    ['', [0]],
    ['-z', [0]],
  ];
  for (const [i, [text, answers]] of rows.entries()) {
    const args = text === '' ? [] : text.replace('FILE', join(dir, 'free.ko')).split(' ');
    const run = async (who: 'kmod' | 'own') => {
      const name = `rmmod-${i}-${who}`;
      const ended = await runWithStandIns(
        { '/sys': join(dir, 'sys') },
        [...command[who], ...args],
        kernel.environment(name, answers),
      );
      return { ...agreed(ended), calls: kernel.calls(name) };
    };
    t.strictSame(await run('own'), await run('kmod'), `rmmod ${text} → ${answers.join(', ')}`);
  }
});
