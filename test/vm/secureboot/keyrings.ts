/** Holds `plugd keys` against the kernel's own keyrings, as keyctl shows them. */
import type { Test } from 'tap';
import { KEYRINGS } from '../../../agent/facts/kernel/keyring.ts';
import type { KeyRow } from '../../../agent/explain/signatures/key-row.ts';
import type { Machine } from '../machine/machine.ts';

/** Each key of each keyring is in plugd's list with that ring, and no other is. */
export async function compareKeyrings(t: Test, machine: Machine): Promise<void> {
  const ended = await machine.run('plugd', ['keys', '--json']);
  const { keys } = JSON.parse(ended.stdout) as { keys: readonly KeyRow[] };
  const listed = await machine.output('cat', ['/proc/keys']);
  for (const name of KEYRINGS) {
    const id = new RegExp(`^(\\w+) .* keyring +${name.replace('.', '\\.')}: `, 'm').exec(listed)?.[1];
    if (id === undefined) continue;
    const members = await machine.shell(`keyctl list 0x${id}`);
    const theirs = [...members.stdout.matchAll(/asymmetric: (.*: [0-9a-f]+)$/gm)].map(([, key = '']) => key);
    const ours = keys.filter(({ rings }) => rings.includes(name)).map(({ subject, id: key }) => `${subject}: ${key}`);
    t.same(sorted(ours), sorted(theirs), `${name}: ${theirs.length}`);
  }
}

function sorted(names: readonly string[]): readonly string[] {
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}
