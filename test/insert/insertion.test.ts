import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { moduleName } from '../../agent/base/names.ts';
import { imageSource, parseElf, section } from '../../agent/facts/modfiles/elf.ts';
import { forcedImage } from '../../agent/insert/forced-image.ts';
import { insertModule, type Insertion, type InsertionRequest } from '../../agent/insert/insertion.ts';
import { removeModule, type Removal, type RemovalRequest } from '../../agent/insert/removal.ts';
import { elfImage } from '../fixtures/elf-image.ts';
import { KernelDouble } from '../fixtures/kernel-double.ts';

const agent = join(import.meta.dirname, '../../agent');
const kernel = new KernelDouble(t.testdir({}));

interface Case {
  readonly name: string;
  readonly answers: readonly number[];
  readonly call: string;
}

/** Runs functions of the insert room, one after the other, in one child whose kernel answers each as its case says. */
async function run<Result>(folder: string, cases: readonly Case[]): Promise<readonly Result[]> {
  const steps = cases.map(
    ({ name, answers, call }) =>
      `Object.assign(process.env, ${JSON.stringify(kernel.variables(name, answers))}); results.push(await ${call});`,
  );
  const file = join(folder, 'run.mjs');
  const script = `
    import { insertModule } from '${agent}/insert/insertion.js';
    import { removeModule } from '${agent}/insert/removal.js';
    const results = [];
    // Time passes only while somebody waits.
    const clock = () => {
      let ms = 0;
      return { now: () => ms, pause: async (wait) => void (ms += wait) };
    };
    ${steps.join('\n')}
    process.stdout.write(JSON.stringify(results, (_, value) => typeof value === 'bigint' ? Number(value) : value));`;
  writeFileSync(file, script);
  const child = spawn(process.execPath, [file], {
    env: kernel.environment('', [0]),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => {
    child.once('close', resolve);
  });
  return JSON.parse(text) as readonly Result[];
}

const modinfo = 'license=GPL\0vermagic=6.1.0 SMP \0name=x\0';
const image = elfImage({ sections: { '.modinfo': modinfo, __versions: Buffer.alloc(64, 'x') } });

t.test('which call a file leads to, and what its answers mean', async (t) => {
  const dir = t.testdir({});
  const xz = Buffer.from(
    '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jMAQACYWJjAAAAAAAA', // only its magic counts: the kernel gets it, or it is damaged
    'base64',
  );
  const files: Readonly<Record<string, Buffer>> = {
    'plain.ko': image,
    'x.ko.gz': gzipSync(image),
    'misnamed.ko': gzipSync(image),
    'broken.ko.xz': xz,
    'tiny.ko': Buffer.from('ab'),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  mkdirSync(join(dir, 'folder.ko'));

  const rows: ReadonlyArray<{
    name: string;
    file: string;
    answers?: readonly number[];
    request?: Partial<InsertionRequest>;
    calls: readonly string[];
    expect: Record<string, unknown>;
  }> = [
    {
      name: 'plain',
      file: 'plain.ko',
      request: { params: 'a=1 b="x y"' },
      calls: ['finit_module FILE flags=0 params=a=1 b="x y"'],
      expect: { kind: 'inserted', call: { name: 'finit_module' } },
    },
    {
      name: 'name-says-xz',
      file: 'plain.ko',
      request: { kernelCompression: 'xz' },
      calls: ['finit_module FILE flags=0 params='],
      expect: { kind: 'inserted' },
    },
    {
      name: 'exists',
      file: 'plain.ko',
      answers: [17],
      calls: ['finit_module FILE flags=0 params='],
      expect: { kind: 'already-loaded' },
    },
    {
      name: 'refused',
      file: 'plain.ko',
      answers: [129],
      calls: ['finit_module FILE flags=0 params='],
      expect: { kind: 'refused', errno: 129, during: 'insert' },
    },
    {
      name: 'einval-of-init',
      file: 'plain.ko',
      answers: [22],
      calls: ['finit_module FILE flags=0 params='],
      expect: { kind: 'refused', errno: 22 },
    },
    {
      name: 'tiny',
      file: 'tiny.ko',
      answers: [8],
      calls: ['finit_module FILE flags=0 params='],
      expect: { kind: 'refused', errno: 8 },
    },
    {
      name: 'kernel-without-finit',
      file: 'plain.ko',
      answers: [38, 0],
      request: { params: 'p=1' },
      calls: ['finit_module FILE flags=0 params=p=1', `init_module ${image.length} bytes params=p=1`],
      expect: { kind: 'inserted', call: { name: 'init_module' } },
    },
    {
      name: 'kernel-decompresses',
      file: 'x.ko.gz',
      request: { kernelCompression: 'gzip' },
      calls: ['finit_module FILE flags=4 params='],
      expect: { kind: 'inserted', call: { decompressedBy: 'kernel' } },
    },
    {
      name: 'kernel-knows-another',
      file: 'x.ko.gz',
      request: { kernelCompression: 'xz' },
      calls: [`init_module ${image.length} bytes params=`],
      expect: { kind: 'inserted', call: { decompressedBy: 'plugd' } },
    },
    {
      name: 'kernel-knows-none',
      file: 'x.ko.gz',
      calls: [`init_module ${image.length} bytes params=`],
      expect: { kind: 'inserted' },
    },
    {
      name: 'kernel-cannot-after-all',
      file: 'x.ko.gz',
      answers: [22, 0],
      request: { kernelCompression: 'gzip' },
      calls: ['finit_module FILE flags=4 params=', `init_module ${image.length} bytes params=`],
      expect: { kind: 'inserted', call: { decompressedBy: 'plugd' } },
    },
    {
      name: 'kernel-built-without',
      file: 'x.ko.gz',
      answers: [95, 17],
      request: { kernelCompression: 'gzip' },
      calls: ['finit_module FILE flags=4 params=', `init_module ${image.length} bytes params=`],
      expect: { kind: 'already-loaded' },
    },
    {
      name: 'compressed-and-refused',
      file: 'x.ko.gz',
      answers: [19],
      request: { kernelCompression: 'gzip' },
      calls: ['finit_module FILE flags=4 params='],
      expect: { kind: 'refused', errno: 19 },
    },
    {
      name: 'damaged',
      file: 'broken.ko.xz',
      calls: [],
      expect: { kind: 'refused', errno: 74, during: 'decompress', why: 'damaged or truncated xz data' },
    },
    {
      name: 'force',
      file: 'plain.ko',
      request: { force: { modversions: true, vermagic: true } },
      calls: ['finit_module FILE flags=3 params='],
      expect: { kind: 'inserted' },
    },
    {
      name: 'force-vermagic',
      file: 'plain.ko',
      request: { force: { modversions: false, vermagic: true } },
      calls: ['finit_module FILE flags=2 params='],
      expect: { kind: 'inserted' },
    },
    {
      name: 'force-image',
      file: 'x.ko.gz',
      request: { force: { modversions: true, vermagic: false } },
      calls: [`init_module ${image.length} bytes params=`],
      expect: { kind: 'inserted' },
    },
    { name: 'missing', file: 'missing.ko', calls: [], expect: { kind: 'refused', errno: 2, during: 'open' } },
    {
      name: 'folder',
      file: 'folder.ko',
      answers: [22],
      calls: ['finit_module FILE flags=0 params='],
      expect: { kind: 'refused', errno: 21, during: 'open' },
    },
    {
      name: 'compressed-under-a-plain-name',
      file: 'misnamed.ko',
      answers: [8, 0],
      calls: ['finit_module FILE flags=0 params=', `init_module ${image.length} bytes params=`],
      expect: { kind: 'inserted', call: { decompressedBy: 'plugd' } },
    },
  ];
  const results = await run<Insertion>(
    dir,
    rows.map((row) => {
      const request = { root: '', path: join(dir, row.file), params: '', ...row.request };
      return { name: row.name, answers: row.answers ?? [0], call: `insertModule(${JSON.stringify(request)})` };
    }),
  );
  for (const [i, row] of rows.entries()) {
    t.same(
      kernel.calls(row.name),
      row.calls.map((text) => text.replace('FILE', join(dir, row.file))),
      row.name,
    );
    t.match(results[i], row.expect, `${row.name}: answer`);
  }
  t.same(kernel.image('kernel-knows-none'), image, 'the decompressed image, as it is');
  t.same(kernel.image('force-image'), forcedImage(image, { modversions: true, vermagic: false }), 'the forced image');
});

t.test('what this kernel answers itself', async (t) => {
  const file = join(t.testdir({ 'x.ko': image }), 'x.ko');
  const insertion = await insertModule({ root: '', path: file, params: '', kernelCompression: undefined });
  t.match(insertion, { kind: 'refused', during: 'insert' });
  const removal = await removeModule({ module: moduleName('no-such-module') });
  t.match(removal, { kind: 'refused' });
});

t.test('forced images', (t) => {
  for (const [bits, littleEndian] of [
    [64, true],
    [64, false],
    [32, true],
    [32, false],
  ] as const) {
    const plain = elfImage({
      bits,
      littleEndian,
      sections: { '.modinfo': modinfo, __versions: Buffer.alloc(64, 'x') },
    });
    const name = `${bits} bit, ${littleEndian ? 'little' : 'big'}-endian`;
    t.same(forcedImage(plain, { modversions: false, vermagic: false }), plain, `${name}: nothing forced`);

    const forced = forcedImage(plain, { modversions: true, vermagic: true });
    t.not(forced, plain, `${name}: a copy`);
    const elf = parseElf(imageSource(forced));
    if (elf.kind !== 'elf') throw new Error(elf.why);
    const info = section(elf, '.modinfo');
    const versions = section(elf, '__versions');
    if (info === undefined || versions === undefined) throw new Error('no sections');
    t.equal(
      forced.toString('latin1', info.offset, info.offset + info.size),
      `license=GPL\0${'\0'.repeat('vermagic=6.1.0 SMP '.length)}\0name=x\0`,
      `${name}: vermagic blanked`,
    );
    const changed = [...plain.keys()].filter(
      (at) => plain[at] !== forced[at] && (at < info.offset || at >= info.offset + info.size),
    );
    t.equal(changed.length, 1, `${name}: and one bit more`);
    const flagsAt = versions.headerOffset + 8;
    t.ok((changed[0] ?? 0) >= flagsAt && (changed[0] ?? 0) < flagsAt + bits / 8, `${name}: in the flags of __versions`);
  }
  const first = elfImage({ sections: { '.modinfo': 'vermagic=v\0x=1\0' } });
  t.ok(
    forcedImage(first, { modversions: true, vermagic: true }).includes('\0\0\0x=1\0'),
    'vermagic as the first string',
  );
  const none = elfImage({ sections: { '.modinfo': 'xvermagic=v\0x=1\0' } });
  t.same(forcedImage(none, { modversions: true, vermagic: true }), none, 'no vermagic, no versions');
  t.same(forcedImage(Buffer.from('not ELF'), { modversions: true, vermagic: true }), Buffer.from('not ELF'));
  t.end();
});

t.test('removal', async (t) => {
  const dir = t.testdir({});
  const rows: ReadonlyArray<
    readonly [
      name: string,
      answers: readonly number[],
      request: Partial<RemovalRequest>,
      calls: readonly string[],
      expect: Removal,
    ]
  > = [
    ['removed', [0], {}, ['delete_module snd_hda flags=4000'], { kind: 'removed' }],
    ['forced', [0], { force: true }, ['delete_module snd_hda flags=5000'], { kind: 'removed' }],
    ['in-use', [11], {}, ['delete_module snd_hda flags=4000'], { kind: 'refused', errno: 11 }],
    [
      'in-use-for-a-while',
      [11, 11, 11, 0],
      { waitMs: 60_000 },
      Array.from({ length: 4 }, () => 'delete_module snd_hda flags=4000'),
      { kind: 'removed' },
    ],
    [
      'in-use-for-long',
      [11],
      { waitMs: 20 },
      Array.from({ length: 5 }, () => 'delete_module snd_hda flags=4000'),
      { kind: 'refused', errno: 11 },
    ],
    ['not-loaded', [2], { waitMs: 60_000 }, ['delete_module snd_hda flags=4000'], { kind: 'refused', errno: 2 }],
  ];
  const results = await run<Removal>(
    dir,
    rows.map(([name, answers, request]) => ({
      name,
      answers,
      call: `removeModule({ ...${JSON.stringify({ module: 'snd_hda', ...request })}, ...clock() })`,
    })),
  );
  for (const [i, [name, , , calls, expected]] of rows.entries()) {
    t.same(results[i], expected, name);
    t.same(kernel.calls(name), calls, `${name}: calls`);
  }
});
