import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import t, { type Test } from 'tap';
import { indexBytes } from '../fixtures/index.ts';

const CLI = join(import.meta.dirname, '../../agent/cli.js');
const KERNEL = '6.1.0-test';
const INDEXES = {
  'modules.dep.bin': indexBytes([
    ['snd_hda', 'kernel/snd-hda.ko:', 0],
    ['xhci_pci', 'kernel/xhci-pci.ko:', 1],
  ]),
  'modules.alias.bin': indexBytes([
    ['pci:v00008086d*sv*sd*bc*sc*i*', 'xhci_pci', 1],
    ['pci:v*d*sv*sd*bc04sc03i00*', 'snd_hda', 0],
    ['dmi:bvn?ell "x"*', 'snd_hda', 0],
  ]),
  'modules.symbols.bin': indexBytes([]),
  'modules.builtin.bin': indexBytes([['unix', '', 0]]),
  'modules.builtin.alias.bin': indexBytes([['net_pf_1', 'unix', 0]]),
};

/** A root with a small module tree and modprobe.d. */
function rootOf(t: Test, files: Readonly<Record<string, Buffer | string>> = INDEXES, conf = ''): string {
  const root = t.testdir({ lib: { modules: { [KERNEL]: {} } }, etc: { 'modprobe.d': { 'a.conf': conf } } });
  for (const [name, content] of Object.entries(files)) writeFileSync(`${root}/lib/modules/${KERNEL}/${name}`, content);
  return root;
}

function lookup(
  root: string,
  args: readonly string[],
  input?: string,
): { status: number | null; out: string; err: string } {
  const ended = spawnSync(process.execPath, [CLI, 'lookup', '--root', root, ...args], {
    input: Buffer.from(input ?? '', 'latin1'),
    encoding: 'latin1',
  });
  return { status: ended.status, out: ended.stdout, err: ended.stderr };
}

const INTEL = 'pci:v00008086d00001E20sv0sd0bc04sc03i00';

t.test("one line for each name, modules in kmod's order", (t) => {
  const root = rootOf(t);
  t.same(lookup(root, [INTEL, 'net-pf-1']), {
    status: 0,
    out: `${INTEL}\tsnd_hda,xhci_pci\nnet-pf-1\tunix\n`,
    err: '',
  });
  t.same(lookup(root, ['snd-hda', 'nothing', 'unix']), {
    status: 1,
    out: 'snd-hda\tsnd_hda\nnothing\t\nunix\tunix\n',
    err: '',
  });
  t.same(lookup(root, ['x[y']), {
    status: 1,
    out: 'x[y\t\n',
    err: "plugd: x[y: the '[' at byte 2 has no ']' after it\n",
  });
  t.end();
});

t.test('names with quotes, blanks and bytes that are not UTF-8 come out as they went in', (t) => {
  const root = rootOf(t);
  const quoted = 'dmi:bvnDell "x": y';
  t.same(lookup(root, [quoted]), { status: 0, out: `${quoted}\tsnd_hda\n`, err: '' });
  const raw = 'dmi:bvn\xffell "x"\xe9 \x7f';
  t.same(lookup(root, ['-'], `${raw}\n`), { status: 0, out: `${raw}\tsnd_hda\n`, err: '' });
  // As an argument: a shell is needed, since node's own arguments are text.
  const shell = spawnSync(
    'sh',
    ['-c', `exec "$@" "$(printf 'dmi:bvn\\377ell "x"')"`, 'sh', process.execPath, CLI, 'lookup', '--root', root],
    { encoding: 'latin1' },
  );
  t.equal(shell.stdout, 'dmi:bvn\xffell "x"\tsnd_hda\n');
  t.equal(shell.status, 0);
  t.end();
});

t.test('standard input: every line in turn, empty ones and the last without a newline too', (t) => {
  const root = rootOf(t);
  t.same(lookup(root, ['-'], `unix\n\n${INTEL}\nnothing`), {
    status: 0,
    out: `unix\tunix\n\t\n${INTEL}\tsnd_hda,xhci_pci\nnothing\t\n`,
    err: '',
  });
  t.same(lookup(root, ['-'], ''), { status: 0, out: '', err: '' });
  const long = 'y'.repeat(200_000);
  const { out } = lookup(root, ['-'], `${long}\nunix\n${'z'.repeat(70_000)}`);
  t.same(
    out.split('\n').map((line) => line.length),
    [65_537, 9, 65_537, 0],
    'a line is cut at 64 KiB',
  );
  t.end();
});

t.test('--json: one object a line, with how each was found', (t) => {
  const root = rootOf(t, INDEXES, 'alias my-* snd-hda\n');
  const { out, status } = lookup(root, ['--json', 'my-disk', INTEL, 'a]', 'caf\u00e9']);
  t.equal(status, 1);
  const objects = Buffer.from(out, 'latin1')
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const answers = [
    {
      modalias: 'my-disk',
      modules: ['snd_hda'],
      candidates: [
        {
          module: 'snd_hda',
          source: 'config-alias',
          pattern: 'my_*',
          priority: 0,
          place: { file: `${root}/etc/modprobe.d/a.conf`, line: 1 },
        },
      ],
    },
    {
      modalias: INTEL,
      modules: ['snd_hda', 'xhci_pci'],
      candidates: [
        { module: 'snd_hda', source: 'modules.alias', pattern: 'pci:v*d*sv*sd*bc04sc03i00*', priority: 0 },
        { module: 'xhci_pci', source: 'modules.alias', pattern: 'pci:v00008086d*sv*sd*bc*sc*i*', priority: 1 },
      ],
    },
    { modalias: 'a]', modules: [], candidates: [], malformed: "the ']' at byte 2 has no '[' before it" },
    { modalias: 'caf\u00c3\u00a9', modules: [], candidates: [] },
  ];
  t.same(
    objects,
    answers.map((answer) => ({ schemaVersion: 1, ...answer })),
  );
  t.end();
});

t.test("alias lines count, from the root's modprobe.d or from --config", (t) => {
  const root = rootOf(t, INDEXES, 'alias unix snd-hda\nblacklist snd-hda\nalias broken\n');
  t.match(lookup(root, ['unix']), { status: 0, out: 'unix\tsnd_hda\n', err: /a\.conf:3:13: a word is missing/ });
  t.same(lookup(root, ['-q', 'unix']), { status: 0, out: 'unix\tsnd_hda\n', err: '' });
  t.same(lookup(root, ['-C', '/dev/null', 'unix']), { status: 0, out: 'unix\tunix\n', err: '' });
  mkdirSync(`${root}/other`);
  writeFileSync(`${root}/other/x.conf`, 'alias unix xhci-pci\n');
  t.same(lookup(root, ['--config', `${root}/other`, 'unix']), { status: 0, out: 'unix\txhci_pci\n', err: '' });
  t.end();
});

t.test('a damaged index is reported once, and all other names are answered', (t) => {
  const root = rootOf(t, { ...INDEXES, 'modules.alias.bin': INDEXES['modules.alias.bin'].subarray(0, -9) });
  const { status, out, err } = lookup(root, ['-'], `unix\n${INTEL}\nsnd_hda\n${INTEL}\n`);
  t.equal(status, 0);
  t.equal(out, `unix\tunix\n${INTEL}\t\nsnd_hda\tsnd_hda\n${INTEL}\t\n`);
  t.match(err, /^plugd: .*modules\.alias\.bin: offset 0x[0-9A-F]+: .*; what it holds is not found\n$/);
  t.end();
});

t.test('what it cannot do', (t) => {
  const root = rootOf(t);
  t.match(lookup(root, []), { status: 64, out: '', err: /no modalias given/ });
  t.match(lookup(root, ['-', 'unix']), { status: 64, err: /'-' stands alone/ });
  t.match(lookup(root, ['--nonsense']), { status: 64, err: /--nonsense/ });
  t.match(lookup(root, ['--kernel', '9.9', 'unix']), {
    status: 1,
    out: '',
    err: /there are no modules for kernel 9\.9.*\n.*6\.1\.0-test/,
  });
  t.end();
});

t.test('a reader that goes away ends it quietly', async (t) => {
  const root = rootOf(t);
  const child = spawn(process.execPath, [CLI, 'lookup', '--root', root, '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  // Its standard input breaks too when it ends.
  child.stdin.on('error', () => {});
  child.stdout.once('data', () => child.stdout.destroy());
  const lines = 'unix\n'.repeat(10_000);
  const feed = (): void => {
    while (child.exitCode === null && child.signalCode === null && child.stdin.write(lines));
  };
  child.stdin.on('drain', feed);
  feed();
  const status = await new Promise((resolve) => {
    child.once('close', resolve);
  });
  t.not(status, null, 'it ended by itself');
  t.equal(err, '');
});

t.test('200,000 lines, in order and in bounded memory', async (t) => {
  const root = rootOf(t);
  const file = `${root}/names`;
  const names = createWriteStream(file);
  const count = 200_000;
  for (let i = 0; i < count; i += 1000) {
    names.write(
      Array.from({ length: 1000 }, (_, k) =>
        k % 3 === 0 ? `unix${i + k}\n` : `pci:v00008086d${i + k}sv0sd0bc04sc03i00\n`,
      ).join(''),
    );
  }
  names.end();
  await finished(names);
  const output = `${root}/out`;
  const ended = spawnSync(process.execPath, ['--max-old-space-size=48', CLI, 'lookup', '--root', root, '-'], {
    stdio: [openSync(file, 'r'), openSync(output, 'w'), 'pipe'],
    encoding: 'utf8',
  });
  t.equal(ended.status, 0);
  t.equal(ended.stderr, '');
  const lines = readFileSync(output, 'latin1').split('\n');
  t.equal(lines.length, count + 1);
  const wrong = lines.findIndex(
    (line, i) =>
      line !==
      (i === count
        ? ''
        : (i % 1000) % 3 === 0
          ? `unix${i}\t`
          : `pci:v00008086d${i}sv0sd0bc04sc03i00\tsnd_hda,xhci_pci`),
  );
  t.equal(wrong, -1, 'every line is the answer to its own');
});
