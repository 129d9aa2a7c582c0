import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { place, recover } from '../../../agent/dkms/install/placement.ts';

/** A built module, its kernel's tree with a module that has to leave, and what is to be done. */
function rig(t: Test, symlinks = false) {
  const dir = t.testdir({
    build: { module: { 'demo.ko': 'new' } },
    tree: { kernel: { 'demo.ko': 'old' } },
    store: {},
  });
  const to = `${dir}/tree/updates/dkms/demo.ko`;
  return {
    dir,
    to,
    placement: {
      originals: [{ from: `${dir}/tree/kernel/demo.ko`, to: `${dir}/store/1/demo.ko` }],
      modules: [{ file: `${dir}/build/module/demo.ko`, to }],
      symlinks,
      link: `${dir}/kernel-link`,
      target: '1.0/6.1/x86_64',
    },
  };
}

const text = (path: string) => readFileSync(path, 'utf8');

t.test('an installation', async (t) => {
  const { dir, to, placement } = rig(t);
  place(`${dir}/build`, placement);
  t.equal(text(to), 'new', 'the module is in place');
  t.equal(text(`${dir}/store/1/demo.ko`), 'old', "the kernel's module is put aside");
  t.equal(text(`${dir}/store/1/demo.ko.origin`), `${dir}/tree/kernel/demo.ko\n`, 'with where it was');
  t.notOk(existsSync(`${dir}/tree/kernel/demo.ko`));
  t.equal(readlinkSync(`${dir}/kernel-link`), '1.0/6.1/x86_64');
  t.same(readdirSync(`${dir}/build`), ['module'], 'no journal is left');
  t.same(readdirSync(`${dir}/tree/updates/dkms`), ['demo.ko'], 'nothing unfinished is left');
  t.equal(recover(`${dir}/build`), undefined, 'there is nothing to recover');
});

t.test('links instead of copies, over what was there', async (t) => {
  const { dir, to, placement } = rig(t, true);
  mkdirSync(`${dir}/tree/updates/dkms`, { recursive: true });
  writeFileSync(to, 'another');
  symlinkSync('gone', `${dir}/kernel-link`);
  place(`${dir}/build`, placement);
  t.ok(lstatSync(to).isSymbolicLink());
  t.equal(readlinkSync(to), `${dir}/build/module/demo.ko`);
  t.equal(readlinkSync(`${dir}/kernel-link`), '1.0/6.1/x86_64');
});

t.test('a file that cannot be copied changes nothing', async (t) => {
  const { dir, to, placement } = rig(t);
  const modules = [
    ...placement.modules,
    { file: `${dir}/build/module/gone.ko`, to: `${dir}/tree/updates/dkms/gone.ko` },
  ];
  t.throws(() => place(`${dir}/build`, { ...placement, modules }), { code: 'ENOENT' });
  t.notOk(existsSync(to));
  t.same(readdirSync(`${dir}/tree/updates/dkms`), []);
  t.equal(text(`${dir}/tree/kernel/demo.ko`), 'old');
  t.same(readdirSync(`${dir}/build`), ['module']);
  t.notOk(existsSync(`${dir}/kernel-link`));
});

t.test('a run that was cut off', async (t) => {
  /** The journal of a run that ended before, or after, it counted; the temporary file is there. */
  function cut(t: Test, state: string) {
    const { dir, to, placement } = rig(t);
    const from = `${dir}/tree/updates/dkms/.demo.ko.plugd-1-00`;
    mkdirSync(`${dir}/tree/updates/dkms`, { recursive: true });
    mkdirSync(`${dir}/store/1`);
    writeFileSync(from, 'new');
    const { originals, link, target } = placement;
    writeFileSync(
      `${dir}/build/.plugd-install`,
      JSON.stringify({ state, originals, moves: [{ from, to }], link, target }),
    );
    return { dir, to, from };
  }
  t.test('before the journal was ready: it is taken back', async (t) => {
    const { dir, to, from } = cut(t, 'preparing');
    t.equal(recover(`${dir}/build`), 'undone');
    t.notOk(existsSync(from));
    t.notOk(existsSync(to));
    t.equal(text(`${dir}/tree/kernel/demo.ko`), 'old');
  });
  t.test('after that: it is finished', async (t) => {
    const { dir, to } = cut(t, 'ready');
    t.equal(recover(`${dir}/build`), 'finished');
    t.equal(text(to), 'new');
    t.equal(text(`${dir}/store/1/demo.ko`), 'old');
    t.equal(readlinkSync(`${dir}/kernel-link`), '1.0/6.1/x86_64');
  });
  t.test('at any of its steps', async (t) => {
    const { dir, to, from } = cut(t, 'ready');
    renameSync(from, to);
    renameSync(`${dir}/tree/kernel/demo.ko`, `${dir}/store/1/demo.ko`);
    t.equal(recover(`${dir}/build`), 'finished');
    t.equal(text(to), 'new');
    t.equal(text(`${dir}/store/1/demo.ko`), 'old');
  });
});

t.test('a journal that is no journal is passed over', async (t) => {
  for (const journal of [
    '',
    '{',
    '[]',
    'null',
    '{"state":"ready"}',
    '{"state":"ready","moves":[{}],"originals":[],"link":"a","target":"b"}',
  ]) {
    const dir = t.testdir({ '.plugd-install': journal });
    t.equal(recover(dir), undefined, journal);
  }
});
