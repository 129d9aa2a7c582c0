import t from 'tap';
import { moduleName } from '../../agent/base/names.ts';
import type { Candidate, ConfiguredNames } from '../../agent/match/candidate.ts';
import { createMatcher, parseDepLine, type MatchIndexes } from '../../agent/match/matcher.ts';
import { indexOf } from '../fixtures/index.ts';

const place = (line: number) => ({ file: '/etc/modprobe.d/a.conf', line });
const names: ConfiguredNames = {
  aliases: [
    { pattern: 'my_*', module: moduleName('mine'), place: place(1) },
    { pattern: 'hidden', module: moduleName('instead'), place: place(2) },
    { pattern: 'my_disk', module: moduleName('disk'), place: place(3) },
    { pattern: 'pci:v0000DEAD*', module: moduleName('dead'), place: place(4) },
    { pattern: '*_disk', module: moduleName('mine'), place: place(5) },
  ],
  commands: [
    { module: moduleName('only_a_command'), place: place(7) },
    { module: moduleName('ext4'), place: place(8) },
    { module: moduleName('only_a_command'), place: place(9) },
    { module: moduleName('wild*'), place: place(10) },
  ],
};
const indexes: MatchIndexes = {
  dep: indexOf([
    ['ext4', 'kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko', 0],
    ['hidden', 'kernel/hidden.ko:', 1],
    ['snd_hda_intel', 'kernel/sound/snd-hda-intel.ko.xz:', 2],
    ['symbol:odd', 'kernel/never.ko:', 3],
  ]),
  symbols: indexOf([
    ['symbol:crc32c_impl', 'libcrc32c', 5],
    ['symbol:shared', 'second', 9],
    ['symbol:shared', 'first', 2],
  ]),
  aliases: indexOf([
    ['pci:v00008086d*sv*sd*bc*sc*i*', 'i915', 20],
    ['pci:v*d*sv*sd*bc03sc*i*', 'vga', 10],
    ['pci:v*d*sv*sd*bc*sc00i*', 'i915', 20],
    ['fs_ext4', 'ext4', 0],
    ['ext4', 'never_asked', 0],
    ['acpi*:PNP0[C]0A:*', 'battery', 1],
    ['x[a-c]y', 'dash', 3],
    ['vmlinux', 'from_alias', 3],
  ]),
  builtin: indexOf([
    ['vmlinux', '', 0],
    ['unix', '', 0],
  ]),
  builtinAliases: indexOf([
    ['net_pf_1', 'unix', 0],
    ['net_pf_*', 'later', 0],
    ['unix', 'never', 0],
  ]),
};
const matcher = createMatcher(indexes, names);

const brief = ({ module, source, pattern }: Candidate) => `${module} ${source} ${pattern}`;
const ROWS: ReadonlyArray<readonly [rule: string, text: string, expected: readonly string[]]> = [
  ['an alias line hides a module of the same name', 'hidden', ['instead config-alias hidden']],
  [
    'all alias lines that match count, in file order, each module once',
    'my-disk',
    ['mine config-alias my_*', 'disk config-alias my_disk'],
  ],
  ['an alias line comes before the indexes', 'pci:v0000DEADd00', ['dead config-alias pci:v0000DEAD*']],
  ['a module by its name', 'ext4', ['ext4 modules.dep ext4']],
  ["'-' and '_' are the same in names", 'snd-hda_intel', ['snd_hda_intel modules.dep snd_hda_intel']],
  ['a symbol is not asked of modules.dep', 'symbol:odd', []],
  ['a symbol', 'symbol:crc32c_impl', ['libcrc32c modules.symbols symbol:crc32c_impl']],
  [
    'symbols of two modules, by priority',
    'symbol:shared',
    ['first modules.symbols symbol:shared', 'second modules.symbols symbol:shared'],
  ],
  [
    'a name that only a command line defines, its first line',
    'only-a-command',
    ['only_a_command config-command only_a_command'],
  ],
  ['the name of a command is not a wildcard here', 'wilder', []],
  ['but is itself', 'wild*', ['wild* config-command wild*']],
  [
    'all patterns, ascending by priority, each module once',
    'pci:v00008086d00001912sv1sd1bc03sc00i00',
    ['vga modules.alias pci:v*d*sv*sd*bc03sc*i*', 'i915 modules.alias pci:v00008086d*sv*sd*bc*sc*i*'],
  ],
  ['an alias comes before a builtin module', 'vmlinux', ['from_alias modules.alias vmlinux']],
  ['a builtin module by its name', 'unix', ['unix modules.builtin unix']],
  [
    'aliases of builtin modules, the later found first',
    'net-pf-1',
    ['unix builtin-alias net_pf_1', 'later builtin-alias net_pf_*'],
  ],
  ["'-' stays inside brackets", 'x[a-c]y', []],
  ['nothing', 'no-such-thing', []],
  ['the empty name', '', []],
];
for (const [rule, text, expected] of ROWS) {
  t.test(rule, (t) => {
    const lookup = matcher.lookup(text);
    t.same(lookup.kind === 'found' ? lookup.candidates.map(brief) : [], expected);
    t.equal(lookup.kind, expected.length > 0 ? 'found' : 'none');
    t.end();
  });
}

t.test('candidates carry place and priority', (t) => {
  t.same(matcher.lookup('hidden'), {
    kind: 'found',
    candidates: [{ module: 'instead', source: 'config-alias', pattern: 'hidden', priority: 0, place: place(2) }],
  });
  t.same(matcher.lookup('only_a_command'), {
    kind: 'found',
    candidates: [
      { module: 'only_a_command', source: 'config-command', pattern: 'only_a_command', priority: 0, place: place(7) },
    ],
  });
  t.same(matcher.lookup('acpi:PNP0C0A:'), {
    kind: 'found',
    candidates: [{ module: 'battery', source: 'modules.alias', pattern: 'acpi*:PNP0[C]0A:*', priority: 1 }],
  });
  t.end();
});

t.test('brackets without a partner', (t) => {
  t.same(matcher.lookup('dmi:a[b'), { kind: 'malformed', why: "the '[' at byte 6 has no ']' after it" });
  t.same(matcher.lookup('a]b[c]'), { kind: 'malformed', why: "the ']' at byte 2 has no '[' before it" });
  t.same(matcher.lookup('[a]]'), { kind: 'malformed', why: "the ']' at byte 4 has no '[' before it" });
  t.equal(matcher.lookup('[a][b]').kind, 'none');
  t.end();
});

t.test('what is beyond 4,095 bytes does not take part', (t) => {
  const long = createMatcher(
    {
      aliases: indexOf([
        ['a'.repeat(4095), 'exact', 0],
        ['a*z', 'end', 0],
      ]),
    },
    { aliases: [], commands: [] },
  );
  const modules = (text: string) => {
    const lookup = long.lookup(text);
    return lookup.kind === 'found' ? lookup.candidates.map(({ module }) => module as string) : lookup.kind;
  };
  t.same(modules('a'.repeat(4095)), ['exact']);
  t.same(modules(`${'a'.repeat(4095)}tail]`), ['exact']);
  t.same(modules(`${'a'.repeat(4093)}z`), ['end']);
  t.same(modules(`${'a'.repeat(4095)}z`), ['exact']);
  t.equal(modules(`${'a'.repeat(4090)}[${'b'.repeat(10)}]`), 'malformed', 'a bracket that is open there');
  t.end();
});

t.test('a tree without indexes', (t) => {
  const empty = createMatcher({}, { aliases: [], commands: [] });
  for (const text of ['ext4', 'symbol:x', 'pci:v1', '']) t.equal(empty.lookup(text).kind, 'none');
  t.equal(empty.dependencies(moduleName('ext4')), undefined);
  t.equal(empty.isBuiltin(moduleName('unix')), false);
  t.end();
});

t.test('dependencies and builtin modules', (t) => {
  t.same(matcher.dependencies(moduleName('ext4')), {
    path: 'kernel/fs/ext4/ext4.ko',
    depends: ['kernel/fs/jbd2/jbd2.ko', 'kernel/lib/crc16.ko'],
  });
  t.same(matcher.dependencies(moduleName('snd-hda-intel')), { path: 'kernel/sound/snd-hda-intel.ko.xz', depends: [] });
  t.equal(matcher.dependencies(moduleName('nothing')), undefined);
  t.equal(matcher.isBuiltin(moduleName('unix')), true);
  t.equal(matcher.isBuiltin(moduleName('ext4')), false);
  t.end();
});

t.test('lines of modules.dep', (t) => {
  t.same(parseDepLine('/lib/extra/a.ko:'), { path: '/lib/extra/a.ko', depends: [] });
  t.same(parseDepLine('a.ko:  b.ko\tc.ko '), { path: 'a.ko', depends: ['b.ko', 'c.ko'] });
  for (const line of ['', ':', ': a.ko', 'a.ko']) t.equal(parseDepLine(line), undefined, line);
  t.end();
});

t.test('with repeats a module comes as often as it is found, as in kmod', (t) => {
  const twice = {
    ...indexes,
    aliases: indexOf([
      ['spi:at25', 'at25', 4],
      ['spi:at25', 'at25', 4],
      ['spi:*', 'at25', 4],
    ]),
  };
  const found = (repeats: boolean, name: string) => {
    const lookup = createMatcher(twice, names, { repeats }).lookup(name);
    return lookup.kind === 'found' ? lookup.candidates.map(({ module }) => module as string) : [];
  };
  t.same(found(true, 'spi:at25'), ['at25', 'at25', 'at25']);
  t.same(found(false, 'spi:at25'), ['at25']);
  t.same(found(true, 'my-disk'), ['mine', 'disk', 'mine'], 'alias lines');
  t.end();
});
