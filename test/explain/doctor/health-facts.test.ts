/** What doctor says of a module tree against what depmod and the loader do with it. */
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openHost } from '../../../agent/base/host.ts';
import { indexFiles, readTree } from '../../../agent/depmod/index-build.ts';
import { publishIndexes } from '../../../agent/depmod/publication.ts';
import { examineTree, treeFacts } from '../../../agent/explain/doctor/health-facts.ts';
import { findSources } from '../../../agent/load/sources.ts';
import { makeModuleDirectory, type Files } from '../../fixtures/made-tree.ts';

const KERNEL = '1.0';
const PLAIN: Files = {
  'kernel/aa.ko': { modinfo: ['alias=pci:v1*'], exports: { x: 1 } },
  'kernel/bb.ko': { needs: { x: 1 } },
  'modules.builtin': 'kernel/fs/bi.ko\n',
  'modules.builtin.modinfo': 'bi.license=GPL\0bi.alias=fs-bi\0',
  'modules.order': '',
};

interface Row {
  /** Changes the tree before depmod runs, and after it; `root` has lib/modules/1.0. */
  readonly before?: (root: string, moduleDir: string) => void;
  readonly after?: (root: string, moduleDir: string) => void;
  readonly files?: Files;
  /** Members of the facts that differ from those of a good tree; ROOT is the root. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Text of each problem, in part. */
  readonly problems?: readonly RegExp[];
  /** Whether the module `bi` is known to be inside the kernel; it is unless this says false. */
  readonly inside?: boolean;
}

const GOOD = { modules: 2, missing: [], unlisted: [], newer: [], unreadable: [] };
const move = (from: string, to: string) => {
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
};

const ROWS: Readonly<Record<string, Row>> = {
  'a good tree': { facts: {} },
  'kernel/ is a link to elsewhere in the root': {
    before: (root, dir) => {
      move(join(dir, 'kernel'), join(root, 'store/kernel'));
      symlinkSync('../../../store/kernel', join(dir, 'kernel'));
    },
    facts: {},
  },
  'an external directory of depmod.d': {
    before: (root, dir) => {
      move(join(dir, 'kernel/bb.ko'), join(root, 'opt/m/bb.ko'));
      mkdirSync(join(root, 'etc/depmod.d'), { recursive: true });
      writeFileSync(join(root, 'etc/depmod.d/x.conf'), `search external built-in\nexternal ${KERNEL} ${root}/opt/m\n`);
    },
    facts: {},
  },
  'of two files of one module only the one that counts is listed': {
    files: { ...PLAIN, 'updates/aa.ko': { exports: { x: 1 } } },
    facts: {},
  },
  'a name that depmod.d excludes': {
    before: (root) => {
      mkdirSync(join(root, 'etc/depmod.d'), { recursive: true });
      writeFileSync(join(root, 'etc/depmod.d/x.conf'), 'exclude old\n');
    },
    files: { ...PLAIN, 'old/cc.ko': {} },
    facts: {},
  },
  'a file that is gone': { after: (_, dir) => rmSync(join(dir, 'kernel/bb.ko')), facts: { missing: ['kernel/bb.ko'] } },
  'a file that depmod has not seen': {
    after: (_, dir) => writeFileSync(join(dir, 'kernel/new.ko'), ''),
    facts: { unlisted: ['kernel/new.ko'] },
  },
  'a file that is newer than the indexes': {
    after: (_, dir) => utimesSync(join(dir, 'kernel/aa.ko'), 4e9, 4e9),
    facts: { newer: ['kernel/aa.ko'] },
  },
  'a link to itself is reported, not a defect': {
    before: (_, dir) => symlinkSync('l.ko', join(dir, 'kernel/l.ko')),
    facts: { unreadable: ['ROOT/lib/modules/1.0/kernel/l.ko: a symbolic link that leads to itself'] },
  },
  'a listed file that became a link to itself': {
    after: (_, dir) => {
      rmSync(join(dir, 'kernel/bb.ko'));
      symlinkSync('bb.ko', join(dir, 'kernel/bb.ko'));
    },
    facts: { unreadable: ['ROOT/lib/modules/1.0/kernel/bb.ko: a symbolic link that leads to itself'] },
  },
  'no list of what is inside the kernel': {
    after: (_, dir) => {
      for (const name of [
        'modules.builtin',
        'modules.builtin.bin',
        'modules.builtin.modinfo',
        'modules.builtin.alias.bin',
      ])
        rmSync(join(dir, name));
    },
    facts: {},
    inside: false,
    problems: [
      /neither modules.builtin.bin nor modules.builtin is/,
      /neither modules.builtin.alias.bin nor modules.builtin.modinfo is/,
    ],
  },
  'an empty index of what is inside, beside a text with lines': {
    after: (_, dir) => writeFileSync(join(dir, 'modules.builtin.bin'), ''),
    facts: {},
    problems: [/the file is empty; modules.builtin is used instead/],
  },
  'an empty index where depmod found no text': {
    files: { 'kernel/aa.ko': {}, 'kernel/bb.ko': {} },
    facts: {},
    inside: false,
    problems: [
      /modules.builtin.bin is empty and modules.builtin is not there/,
      /modules.builtin.alias.bin is empty and modules.builtin.modinfo is not there/,
    ],
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, async (t) => {
    const root = t.testdir({});
    const moduleDir = join(root, 'lib/modules', KERNEL);
    makeModuleDirectory(moduleDir, row.files ?? PLAIN);
    row.before?.(root, moduleDir);
    const say = () => undefined;
    const configPaths = [join(root, 'etc/depmod.d')];
    const reading = await readTree({ root: '', moduleDir, kernel: KERNEL, configPaths, say });
    if (reading.kind !== 'read') throw new Error(reading.kind);
    publishIndexes(moduleDir, indexFiles({ root: '', moduleDir }, reading.tree, { layout: 'children-first', say }));
    row.after?.(root, moduleDir);
    const host = openHost({ root, kernel: KERNEL });
    const sources = findSources(host);
    if (sources.kind === 'no-tree') throw new Error(sources.reason);
    const { problems, ...facts } = treeFacts(host, sources);
    const shown = JSON.parse(JSON.stringify(facts).replaceAll(root, 'ROOT')) as unknown;
    t.same(shown, { ...GOOD, ...row.facts });
    t.match(
      problems.map(({ message }) => message),
      row.problems ?? [],
    );
    t.equal(problems.length, row.problems?.length ?? 0);
    // The loader finds what doctor calls whole.
    const { matcher } = sources;
    t.equal(matcher.isBuiltin('bi' as never), row.inside ?? true, 'what is inside the kernel');
    if (facts.missing.length === 0) t.ok(matcher.dependencies('bb' as never) !== undefined);
  });
}

t.test('lines of modprobe.d and of udev that do not count are told', async (t) => {
  const root = t.testdir({
    etc: {
      'modprobe.d': { 'a.conf': 'install\n' },
      udev: { 'rules.d': { '1.rules': `ENV{MODALIAS}=="${'a'.repeat(5000)}*", RUN{builtin}+="kmod load"\n` } },
    },
  });
  makeModuleDirectory(join(root, 'lib/modules', KERNEL), PLAIN);
  const checks = examineTree(openHost({ root, kernel: KERNEL }));
  t.match(
    checks.find(({ id }) => id === 'configuration'),
    { state: 'wrong', evidence: [/a\.conf:1:/, /1\.rules:1:1: a glob of 5001 characters/] },
  );
});
