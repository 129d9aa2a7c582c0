import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { moduleNameFromPath } from '../../agent/base/names.ts';
import { orderModules } from '../../agent/depmod/module-order.ts';

const module = (listed: string) => ({ name: moduleNameFromPath(listed), path: `/tree/${listed}`, listed });
const FILES = ['k/a.ko', 'k/b.ko.xz', 'extra/c-d.ko', 'k/e.ko'];
/** The order of kmod's depmod (test/oracle/depmod.test.ts holds it against the original). */
const HASHED = ['extra/c-d.ko', 'k/b.ko.xz', 'k/a.ko', 'k/e.ko'];

interface Row {
  readonly order: string | undefined;
  readonly modules: readonly string[];
  readonly said?: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  "without modules.order: as in kmod's hash table": {
    order: undefined,
    modules: HASHED,
    said: 'warning: could not open modules.order at DIR: No such file or directory',
  },
  'an empty one': { order: '', modules: HASHED },
  'its lines first, compressed or not, then the others': {
    order: 'k/e.ko\nk/b.ko\nk/none.ko\n',
    modules: ['k/e.ko', 'k/b.ko.xz', 'extra/c-d.ko', 'k/a.ko'],
  },
  'of a module twice its first line': {
    order: 'k/e.ko\nk/a.ko\nk/e.ko\n',
    modules: ['k/e.ko', 'k/a.ko', 'extra/c-d.ko', 'k/b.ko.xz'],
  },
  'without a last newline it is half a file': {
    order: 'k/e.ko\nk/a.ko',
    modules: HASHED,
    said: "error: DIR/modules.order:2 corrupted line misses '\\n'",
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const dir = t.testdir({});
    if (row.order !== undefined) writeFileSync(join(dir, 'modules.order'), row.order);
    const said: string[] = [];
    const ordered = orderModules(FILES.map(module), { root: '', moduleDir: dir }, (level, text) =>
      said.push(`${level}: ${text.replace(dir, 'DIR')}`),
    );
    t.same(
      ordered.map(({ listed }) => listed),
      row.modules,
    );
    t.same(said, row.said === undefined ? [] : [row.said]);
    t.end();
  });
}
