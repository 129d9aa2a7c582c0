import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  aliasIndex,
  builtinAliasIndex,
  builtinIndex,
  depIndex,
  modulePositions,
} from '../../../agent/indexes/text-index.ts';
import { IndexTrie } from '../../../agent/indexes/trie.ts';
import { debianTree, type Architecture } from '../../fixtures/debian.ts';

for (const architecture of ['amd64', 'arm64', 'armhf'] as const satisfies readonly Architecture[]) {
  const tree = await debianTree(architecture);
  t.test(`indexes from ${architecture}'s text files`, { skip: tree.kind === 'missing' && tree.sentence }, (t) => {
    if (tree.kind === 'missing') return;
    const dir = `${tree.root}/lib/modules/${tree.kernel}`;
    const text = (name: string) => readFileSync(`${dir}/${name}`, 'latin1');
    const positions = modulePositions(text('modules.dep'));
    const indexes = {
      'modules.dep': depIndex(text('modules.dep')),
      'modules.alias': aliasIndex(text('modules.alias'), positions),
      'modules.symbols': aliasIndex(text('modules.symbols'), positions),
      'modules.builtin': builtinIndex(text('modules.builtin')),
      'modules.builtin.alias': builtinAliasIndex(text('modules.builtin.modinfo')),
    };
    for (const [name, { builder, leftOut }] of Object.entries(indexes)) {
      t.same(leftOut, [], `nothing of ${name} is left out`);
      const theirs = readFileSync(`${dir}/${name}.bin`);
      const ours = builder.build('children-first');
      t.ok(ours.equals(theirs), `${name}.bin: all ${theirs.length} bytes are those of Debian's kmod`);
      const other = builder.build('parent-first');
      t.equal(other.length, theirs.length, 'the other layout has the same size');
      const entries = (bytes: Buffer) => JSON.stringify([...new IndexTrie(bytes, name).entries()]);
      t.ok(entries(other) === entries(theirs), 'and the same values');
    }
    t.end();
  });
}
