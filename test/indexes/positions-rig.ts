import { FLOOR, POINT, positions, SET } from '../../agent/indexes/key-positions.ts';

/** Starts at `point 3`, `floor 2` or `set 1,4,7` of a name. */
export function startAt(name: string, from: string): void {
  const [kind = '', numbers = ''] = from.split(' ');
  const list = numbers.split(',').map(Number);
  positions.load(name);
  positions.reserve(5 * name.length + 8);
  if (kind === 'set') {
    positions.kept.set(list, 0);
    positions.restore(SET, 0, list.length);
  } else {
    positions.restore(kind === 'floor' ? FLOOR : POINT, list[0] ?? 0, 0);
  }
}
