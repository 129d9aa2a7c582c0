import t from 'tap';
import { assign, elementsOf, valueOf } from '../../../../agent/dkms/conf/shell/shell-values.ts';

t.test('arrays with gaps', async (t) => {
  const values = new Map<string, Map<number, string>>();
  t.equal(valueOf(values, 'A'), '', 'what is not assigned');
  assign(values, 'A', 2, 'c');
  assign(values, 'A', 0, 'a');
  assign(values, 'A', 1, '');
  t.equal(valueOf(values, 'A'), 'a', 'the first element is the scalar');
  t.equal(valueOf(values, 'A', 2), 'c');
  t.equal(valueOf(values, 'A', 3), '');
  t.same(
    elementsOf(values, 'A'),
    [
      [0, 'a'],
      [2, 'c'],
    ],
    'in the order of the indexes, without empty ones',
  );
  assign(values, 'A', 0, 'b');
  t.equal(valueOf(values, 'A'), 'b', 'the last assignment counts');
  t.same(elementsOf(values, 'B'), []);
});
