import t from 'tap';
import { KERNEL, NOBODY, SymbolTable } from '../../agent/depmod/symbol-table.ts';
import type { ModuleFile } from '../../agent/facts/modfiles/module-file.ts';

interface Fake {
  readonly exports?: readonly string[];
  readonly needs?: readonly string[];
  readonly stripped?: boolean;
}

/** A module that exports and needs these names. */
function module({ exports = [], needs = [], stripped = false }: Fake): ModuleFile {
  const bytes = (name: string) => Buffer.from(`${name}\0`, 'latin1');
  const fake: Pick<ModuleFile, 'visitSymbols' | 'needs'> = {
    visitSymbols: (visitor) => {
      for (const name of exports) visitor.exported(bytes(name), 0, 7);
      for (const name of needs) visitor.needed(bytes(name), 0, false);
      return !stripped;
    },
    needs: () => (stripped ? undefined : needs.map((name) => ({ name, crc: 7, weak: false }))),
  };
  return fake as ModuleFile;
}

function table(
  modules: readonly Fake[],
  options: { prefix?: string; details?: boolean; kernel?: readonly string[] } = {},
) {
  const symbols = new SymbolTable({ prefix: options.prefix, details: options.details === true });
  symbols.addKernel((options.kernel ?? []).map((name) => ({ name, crc: 1 })));
  for (const [position, each] of modules.entries()) symbols.addModule(position, module(each));
  const needed = (position: number) =>
    symbols.needed(position).map((symbol) => `${symbols.name(symbol)}<${symbols.provider(symbol)}`);
  return { symbols, needed };
}

t.test('who provides what each module needs', (t) => {
  const user = { needs: ['a', 'b', 'a', 'k'] };
  t.same(
    table([{ exports: ['a'] }, user], { kernel: ['k'] }).needed(1),
    ['a<0', `b<${NOBODY}`, `k<${KERNEL}`],
    'once each',
  );
  t.same(table([user, { exports: ['a'] }]).needed(0)[0], 'a<1', 'also a module that comes later');
  t.same(table([{ exports: ['a'] }, { exports: ['a'] }, user]).needed(2)[0], 'a<1', 'the last of several');
  t.same(table([{ ...user, stripped: true }]).needed(0), [], 'nothing is known of a stripped module');
  t.same(table([{ exports: ['foo'] }, { needs: ['.foo'] }]).needed(1), ['foo<0'], 'a dot in front (64-bit PowerPC)');
  t.same(table([{ exports: ['_a'] }, { needs: ['_a'] }], { prefix: '_' }).needed(1), ['a<0'], 'a prefix (-P)');
  t.same(table([]).needed(5), [], 'no such module');
  t.end();
});

t.test('what modules provide, without what the kernel does', (t) => {
  const { symbols } = table([{ exports: ['a', 'b'] }, { exports: ['b'] }], { kernel: ['k'] });
  t.same(
    [...symbols.provided()],
    [
      { name: 'a', module: 0 },
      { name: 'b', module: 1 },
    ],
  );
  t.end();
});

t.test('details only when they are asked for', (t) => {
  t.same(table([{ needs: ['a'] }]).symbols.needs(0), []);
  t.match(table([{ needs: ['a'] }], { details: true }).symbols.needs(0), [{ name: 'a', crc: 7, weak: false }]);
  t.end();
});
