import t from 'tap';
import { allDependencies, orderDependencies } from '../../agent/depmod/dependency-graph.ts';
import { Random } from '../fixtures/random.ts';

function lists(direct: number[][]) {
  const order = orderDependencies(direct);
  if (order.kind === 'circular') return order.cycles;
  return direct.map((_, module) => allDependencies(direct, order.rank, module));
}

t.test('rows', (t) => {
  const rows: Readonly<Record<string, readonly [direct: number[][], expected: number[][]]>> = {
    nothing: [[], []],
    'no dependencies': [
      [[], []],
      [[], []],
    ],
    'nearest first': [
      [[1], [2], []],
      [[1, 2], [2], []],
    ],
    'each once': [
      [[1, 2], [3], [3], []],
      [[2, 1, 3], [3], [3], []],
    ],
    'what others need too comes last': [
      [[2, 1], [2], []],
      [[1, 2], [2], []],
    ],
    itself: [[[0]], [[0, 0]]],
    'a ring': [[[1], [2], [0]], [[0, 1, 2, 0]]],
    'a ring and its user': [[[1], [2], [1]], [[1, 2, 1]]],
    'a ring and what it needs': [[[1, 2], [0], []], [[0, 1, 0]]],
    'two rings': [
      [[1], [0], [3], [2]],
      [
        [0, 1, 0],
        [2, 3, 2],
      ],
    ],
    'a shorter way round': [
      [[1], [3, 2], [3], [0]],
      [
        [0, 1, 2, 3, 0],
        [0, 1, 3, 0],
      ],
    ],
    'on with what stands behind the last one found': [
      [[1], [0], [4], [2], [3]],
      [
        [0, 1, 0],
        [2, 4, 3, 2],
      ],
    ],
    'two rings through one module': [
      [[1, 2], [0], [0]],
      [
        [0, 2, 0],
        [0, 1, 0],
      ],
    ],
  };
  for (const [name, [direct, expected]] of Object.entries(rows)) t.same(lists(direct), expected, name);
  t.end();
});

t.test('whatever the graph: dependencies before what they need, every cycle found, in bounded time', (t) => {
  const random = new Random(4);
  let circular = 0;
  for (let round = 0; round < 300; round++) {
    const count = 1 + random.below(40);
    const direct = Array.from({ length: count }, (_, i) => {
      const least = round % 2 === 0 ? i + 1 : 0;
      const picks = Array.from({ length: random.below(4) }, () => least + random.below(count));
      return [...new Set(picks.filter((pick) => pick < count))];
    });
    const order = orderDependencies(direct);
    if (order.kind === 'circular') {
      circular++;
      for (const cycle of order.cycles) {
        t.equal(cycle[0], cycle.at(-1));
        for (const [i, module] of cycle.slice(0, -1).entries()) {
          if (!direct[module]?.includes(cycle[i + 1] ?? -1))
            t.fail(`round ${round}: ${cycle.join(' ')} is no way round`);
        }
      }
      continue;
    }
    for (let module = 0; module < count; module++) {
      const all = allDependencies(direct, order.rank, module);
      for (const [i, needed] of all.entries()) {
        for (const deeper of direct[needed] ?? []) {
          if (all.indexOf(deeper) <= i) t.fail(`round ${round}: ${deeper} comes before ${needed}, which needs it`);
        }
      }
    }
  }
  t.ok(circular > 50 && circular < 250, `${circular} of 300 had cycles`);

  // Each of 60 modules needs all others: kmod's search would not end.
  const dense = Array.from({ length: 60 }, (_, i) => Array.from({ length: 60 }, (__, j) => j).filter((j) => j !== i));
  const order = orderDependencies(dense);
  t.equal(order.kind === 'circular' ? new Set(order.cycles.flat()).size : 0, 60);
  t.end();
});
