/**
 * The commands over files that are no modules, in the way of one that is: each bad file is named with what is wrong with it, the
 * good one is still processed, and memory stays bounded whatever a file claims to be.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { imageSource, parseElf } from '../../agent/facts/modfiles/elf.ts';
import { needCommands } from '../fixtures/commands.ts';
import { moduleImage } from '../fixtures/elf-image.ts';
import { Random } from '../fixtures/random.ts';

const bundle = join(import.meta.dirname, '../../plugd.cjs');
const KERNEL = '6.1.0-test';
const MARK = '~Module signature appended~\n';

const image = moduleImage({
  modinfo: ['license=GPL', 'alias=pci:v00001234d*', 'parm=a:text', 'parmtype=a:int', 'vermagic=6.1.0 SMP '],
  exports: { provided: 0x1234 },
  needs: { printk: 1, missing: undefined },
});

/** The image up to the begin, middle and end of every section, of the section headers and of the file's own header. */
function cuttings(): ReadonlyMap<string, Buffer> {
  const elf = parseElf(imageSource(image));
  if (elf.kind !== 'elf') throw new Error(elf.why);
  const ends = new Set([0, 1, 4, 16, 63, 64, image.length - 1]);
  for (const { offset, size, headerOffset } of elf.sections) {
    for (const at of [offset, offset + (size >> 1), offset + size, headerOffset, headerOffset + 32]) ends.add(at);
  }
  const lengths = [...ends].filter((length) => length < image.length);
  return new Map(lengths.map((length) => [`cut${length}.ko`, image.subarray(0, length)]));
}

/** How a run ended, and the most memory it had, in MiB. */
interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly peak: number;
}

let runs = 0;

/** Runs a command in the bundle, before its words those of `through` (setpriv …). */
function plugd(t: Test, words: readonly string[], through: readonly string[] = []): Run {
  const peakFile = join(t.testdirName, `peak${runs++}`);
  const note = `data:text/javascript,import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync('${peakFile}',String(process.resourceUsage().maxRSS)))`;
  const [file = '', ...rest] = [...through, process.execPath, '--import', note, bundle, ...words];
  const { status, stdout, stderr } = spawnSync(file, rest, {
    encoding: 'latin1',
    timeout: 300_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, NODE_OPTIONS: '', NODE_EXTRA_CA_CERTS: '' },
  });
  return { status: status ?? -1, stdout, stderr, peak: Number(readFileSync(peakFile, 'utf8')) / 1024 };
}

/** A tree of files below `kernel/`, with a module `good` and one that needs it. */
function makeTree(base: string, files: Iterable<readonly [name: string, content: Buffer]>): string {
  const moduleDir = join(base, 'lib/modules', KERNEL);
  mkdirSync(join(moduleDir, 'kernel'), { recursive: true });
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
    writeFileSync(join(moduleDir, name), '');
  for (const [name, content] of files) writeFileSync(join(moduleDir, 'kernel', name), content);
  writeFileSync(join(moduleDir, 'kernel/good.ko'), image);
  writeFileSync(
    join(moduleDir, 'kernel/user.ko'),
    moduleImage({ modinfo: ['alias=user'], needs: { provided: 0x1234 } }),
  );
  return moduleDir;
}

/** depmod over a tree: the two modules are processed, and each message names a file of the tree. */
function checkDepmod(t: Test, base: string, limit: number): Run {
  const moduleDir = join(base, 'lib/modules', KERNEL);
  const run = plugd(t, ['depmod', '-b', base, KERNEL]);
  t.equal(run.status, 0, run.stderr);
  const dep = readFileSync(join(moduleDir, 'modules.dep'), 'latin1');
  t.match(dep, /^kernel\/good\.ko:$/m);
  t.match(dep, /^kernel\/user\.ko: kernel\/good\.ko$/m);
  t.match(readFileSync(join(moduleDir, 'modules.alias'), 'latin1'), /^alias pci:v00001234d\* good$/m);
  for (const line of run.stderr.split('\n').slice(0, -1)) {
    if (!line.startsWith('depmod: ERROR: ') || !line.includes(`${moduleDir}/kernel/`)) t.fail(`unclear: ${line}`);
  }
  t.ok(run.peak < limit, `depmod: at most ${run.peak.toFixed(0)} MiB`);
  return run;
}

t.test('truncated at every boundary of a section', (t) => {
  const base = t.testdir({});
  const files = cuttings();
  const moduleDir = makeTree(base, files);
  t.ok(files.size > 20, `${files.size} files`);
  const depmod = checkDepmod(t, base, 150);
  for (const name of files.keys()) {
    const complaints = depmod.stderr.split('\n').filter((line) => line.includes(`/${name}: `));
    t.match(
      complaints,
      [/^depmod: ERROR: failed to load symbols from \S+: (Invalid argument|Exec format error) \(.{8,}\)$/],
      name,
    );
    t.equal(complaints.length, 1);
  }
  const paths = [...files.keys(), 'good.ko'].map((name) => join(moduleDir, 'kernel', name));
  const modinfo = plugd(t, ['modinfo', ...paths]);
  t.equal(modinfo.status, 1);
  t.match(modinfo.stdout, /\/good\.ko\nlicense: {8}GPL\n/);
  for (const name of files.keys())
    t.match(modinfo.stderr, `could not get modinfo from '${name.replace('.ko', '')}': `, name);
  t.equal(modinfo.stderr.split('\n').length - 1, files.size);
  for (const option of ['--show-modversions', '--show-exports']) {
    const cut = plugd(t, ['modprobe', option, paths[0] ?? '']);
    t.equal(cut.status, 1);
    t.match(cut.stderr, /could not get \w+ of \S+\/cut0\.ko: /, option);
  }
  t.end();
});

t.test('bytes changed at random, in the file and in its signature (seeded)', (t) => {
  const base = t.testdir({});
  const random = new Random(7);
  // Exports nothing that could pass for the good one's.
  const other = moduleImage({ modinfo: ['license=GPL', 'parm=b:text'], exports: { other: 7 }, needs: { printk: 1 } });
  const files = new Map<string, Buffer>();
  for (let i = 0; i < 150; i++) {
    const bytes = Buffer.from(other);
    for (let changes = 1 + random.below(12); changes > 0; changes--)
      bytes[random.below(bytes.length)] = random.below(256);
    files.set(`elf${i}.ko`, bytes);
  }
  // A PKCS#7 trailer: random bytes, or DER values in each other with lengths that lie.
  for (let i = 0; i < 150; i++) {
    const der = Buffer.alloc(4 + random.below(400));
    for (let at = 0; at < der.length; at++) {
      der[at] =
        i % 2 === 0 ? random.below(256) : random.of([0x30, 0x31, 0xa0, 0x06, 0x02, 0x04, 0x80, 0x84, 1, 9, 0xff]);
    }
    const info = Buffer.from([0, 0, random.below(20) === 0 ? random.below(256) : 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    info.writeUInt32BE(random.below(8) === 0 ? random.below(2 ** 32) : der.length, 8);
    files.set(`sig${i}.ko`, Buffer.concat([other, der, info, Buffer.from(MARK)]));
  }
  const moduleDir = makeTree(base, files);
  checkDepmod(t, base, 150);
  const paths = [...files.keys(), 'good.ko'].map((name) => join(moduleDir, 'kernel', name));
  const modinfo = plugd(t, ['modinfo', ...paths]);
  t.match(modinfo.stdout, /\/good\.ko\nlicense: {8}GPL\n[^]*parm: +a:text \(int\)\n$/, 'the last one is read');
  t.equal(modinfo.stdout.match(/^filename:/gm)?.length, paths.length, 'each is shown or complained of');
  for (const line of modinfo.stderr.split('\n').slice(0, -1))
    t.match(line, /^modinfo: ERROR: (.*'elf\d+'|Found invalid "parm)/);
  t.ok(modinfo.peak < 150, `modinfo: at most ${modinfo.peak.toFixed(0)} MiB`);
  const json = JSON.parse(plugd(t, ['modinfo', '--json', ...paths]).stdout) as unknown[];
  t.equal(json.length, paths.length);
  t.end();
});

t.test('files that claim to be large', (t) => {
  const base = t.testdir({});
  // Members behind each other: each MiB of zeros is a kilobyte.
  const member = gzipSync(Buffer.alloc(1 << 20));
  const bomb = Buffer.concat(Array.from({ length: 600 }, () => member));
  const moduleDir = makeTree(
    base,
    Array.from({ length: 3 }, (_, i) => [`bomb${i}.ko.gz`, bomb]),
  );
  const sparse = ['sparse.ko', 'sparse2.ko.gz', 'sparse3.ko.xz'];
  for (const [i, name] of sparse.entries()) {
    writeFileSync(join(moduleDir, 'kernel', name), i === 0 ? '\x7fELF' : '');
    truncateSync(join(moduleDir, 'kernel', name), 100 << 20);
  }
  const depmod = checkDepmod(t, base, 900);
  for (let i = 0; i < 3; i++) {
    t.match(depmod.stderr, `bomb${i}.ko.gz: File too large (more than 512 MiB when decompressed)`);
  }
  for (const name of sparse) t.match(depmod.stderr, `/${name}: `, name);
  const at = (name: string) => join(moduleDir, 'kernel', name);
  const modinfo = plugd(t, ['modinfo', ...sparse.map(at), at('good.ko')]);
  t.equal(modinfo.stderr.split('\n').length - 1, 3, modinfo.stderr);
  t.match(modinfo.stdout, /license: {8}GPL/);
  t.ok(modinfo.peak < 150, `modinfo: at most ${modinfo.peak.toFixed(0)} MiB`);
  for (const words of [
    ['modinfo', at('bomb0.ko.gz')],
    ['insmod', at('bomb0.ko.gz')],
    ['modprobe', at('bomb0.ko.gz')],
  ]) {
    const run = plugd(t, words);
    t.equal(run.status, 1, `${words[0]}: ${run.stderr}`);
    t.match(run.stderr, /bomb0.*(File too large|more than 512 MiB when decompressed)/);
    t.ok(run.peak < 900, `${words[0]}: at most ${run.peak.toFixed(0)} MiB`);
  }
  t.end();
});

const tools = await needCommands(['setpriv']);

t.test(
  'links in cycles, and directories that may not be read',
  { skip: tools.kind === 'missing' && tools.sentence },
  (t) => {
    const base = t.testdir({});
    const moduleDir = makeTree(base, []);
    for (const name of ['a', 'b', 'closed', 'open']) mkdirSync(join(moduleDir, 'kernel', name));
    symlinkSync('../b', join(moduleDir, 'kernel/a/to-b'));
    symlinkSync('../a', join(moduleDir, 'kernel/b/to-a'));
    symlinkSync('.', join(moduleDir, 'kernel/a/here'));
    symlinkSync('self', join(moduleDir, 'kernel/self'));
    symlinkSync('self.ko', join(moduleDir, 'kernel/self.ko'));
    writeFileSync(join(moduleDir, 'kernel/b/in-b.ko'), image);
    writeFileSync(join(moduleDir, 'kernel/closed/hidden.ko'), image);
    writeFileSync(join(moduleDir, 'kernel/open/secret.ko'), image);
    chmodSync(join(moduleDir, 'kernel/closed'), 0);
    chmodSync(join(moduleDir, 'kernel/open/secret.ko'), 0);
    const out = join(base, 'out');
    mkdirSync(out);
    // root without the right to pass over permissions: another user might not come as far as here.
    const rights = '-dac_override,-dac_read_search';
    const through = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', rights, '--inh-caps', rights] : [];
    const run = plugd(t, ['depmod', '-b', base, '-o', out, KERNEL], through);
    t.equal(run.status, 0, run.stderr);
    t.match(run.stderr, /openat\(\d+, closed, O_RDONLY\): Permission denied\n/);
    t.match(run.stderr, /failed to load symbols from \S+\/open\/secret\.ko: Permission denied/);
    t.match(run.stderr, /fstatat\(\d+, self\.ko\): Too many levels of symbolic links\n/);
    t.match(run.stderr, /\/a\/here: a symbolic link to a directory above it\n/);
    const dep = readFileSync(join(out, 'lib/modules', KERNEL, 'modules.dep'), 'latin1');
    t.match(dep, /^kernel\/good\.ko:$/m);
    t.match(dep, /^kernel\/(a\/to-b|b)\/in-b\.ko:$/m);
    t.notMatch(dep, /hidden/);
    t.equal(readdirSync(join(out, 'lib/modules', KERNEL)).filter((name) => name.startsWith('.')).length, 0);
    const modinfo = plugd(
      t,
      ['modinfo', join(moduleDir, 'kernel/open/secret.ko'), join(moduleDir, 'kernel/good.ko')],
      through,
    );
    chmodSync(join(moduleDir, 'kernel/closed'), 0o755);
    t.match(modinfo.stderr, /could not get modinfo from 'secret': Permission denied/);
    t.match(modinfo.stdout, /license: {8}GPL/);
    t.ok(run.peak < 150, `depmod: at most ${run.peak.toFixed(0)} MiB`);
    t.end();
  },
);

t.test('names that are not ASCII come out byte for byte', (t) => {
  const base = t.testdir({});
  const moduleDir = Buffer.from(makeTree(base, [['m\u00f6dul.ko', image]]));
  const raw = Buffer.concat([moduleDir, Buffer.from('/kernel/\xff\xe9.ko', 'latin1')]);
  writeFileSync(raw, Buffer.from('no module'));
  const utf8 = Buffer.from('m\u00f6dul', 'utf8').toString('latin1');
  const depmod = plugd(t, ['depmod', '-b', base, KERNEL]);
  t.match(depmod.stderr, `/kernel/\xff\xe9.ko: Exec format error (not an ELF file)`);
  t.match(readFileSync(join(base, 'lib/modules', KERNEL, 'modules.dep'), 'latin1'), `kernel/${utf8}.ko:\n`);
  const named = join(base, 'lib/modules', KERNEL, 'kernel/m\u00f6dul.ko');
  t.match(plugd(t, ['modinfo', named]).stdout, `/kernel/${utf8}.ko\nlicense:        GPL\n`);
  t.match(plugd(t, ['modinfo', '-F', 'signer', `${named}.gone`]).stderr, `Module ${base}`);
  t.match(
    plugd(t, ['insmod', `${named}.gone`]).stderr,
    `could not load module ${base}/lib/modules/${KERNEL}/kernel/${utf8}.ko.gone: No such file`,
  );
  t.match(plugd(t, ['modprobe', `${named}.gone`]).stderr, `/kernel/${utf8}.ko.gone: No such file or directory`);
  t.end();
});

t.test('modules in folders whose names are not ASCII are found and opened', (t) => {
  const base = t.testdir({});
  const moduleDir = makeTree(base, []);
  const files = { utf: 'gr\xc3\xb6\xc3\x9fe/utf.ko', raw: '\xff\xe9/raw.ko' };
  for (const file of Object.values(files)) {
    const path = `${moduleDir}/kernel/${file}`;
    mkdirSync(Buffer.from(path.slice(0, path.lastIndexOf('/')), 'latin1'));
    writeFileSync(Buffer.from(path, 'latin1'), image);
  }
  t.equal(plugd(t, ['depmod', '-b', base, KERNEL]).status, 0);
  for (const [module, file] of Object.entries(files)) {
    const path = `${moduleDir}/kernel/${file}`;
    t.equal(plugd(t, ['modprobe', '-d', base, '-S', KERNEL, '-D', module]).stdout, `insmod ${path} \n`);
    t.match(plugd(t, ['modinfo', '-b', base, '-k', KERNEL, module]).stdout, `${path}\nlicense:        GPL\n`);
    t.match(plugd(t, ['modprobe', '-d', base, '-S', KERNEL, '--show-exports', module]).stdout, '\tprovided\n');
  }
  t.match(plugd(t, ['why', '--root', base, '--kernel', KERNEL, 'utf']).stdout, `${moduleDir}/kernel/${files.utf}`);
  t.end();
});
