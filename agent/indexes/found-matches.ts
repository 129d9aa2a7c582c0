/** Collects a search's matches in kmod's order. Pure. */
import type { TrieMatch } from './index-format.ts';
import type { NodeReader } from './node-reader.ts';
import { stack } from './node-stack.ts';

/**
 * An index remembers at most this many decoded matches, then forgets them all and starts over. A machine's devices need a few
 * hundred (150 bytes each); a whole tree has 26,000 aliases.
 */
const REMEMBERED = 1 << 15;

/** Up to this many matches are ordered by insertion. */
const FEW = 16;

/** The values that a search of one index finds. A value is decoded only once, however many searches find it. */
export class FoundMatches {
  readonly #reader: NodeReader;
  readonly #remembered = new Map<number, TrieMatch>();
  #found: TrieMatch[] = [];
  #repeats = false;

  constructor(reader: NodeReader) {
    this.#reader = reader;
  }

  /** Forgets what the last search found. `repeats`: keep duplicates, those found twice and those that stand in the file twice. */
  begin(repeats: boolean): void {
    this.#found = [];
    this.#repeats = repeats;
  }

  /** Adds the values at `at` of the trail's node at `depth`, the last one first; returns the offset behind them. */
  add(at: number, depth: number): number {
    const reader = this.#reader;
    const found = this.#found;
    const begin = found.length;
    let next = at + 4;
    for (let left = reader.number(at); left > 0; left--) {
      const value = next + 4;
      const end = reader.stringEnd(value);
      found.push(this.#remembered.get(value) ?? this.#remember(value, end, depth));
      next = end + 1;
    }
    if (found.length - begin > 1) {
      const values = found.splice(begin).toReversed();
      if (this.#repeats) {
        found.push(...values);
        return next;
      }
      const once = new Map<string, TrieMatch>();
      for (const match of values) if (!once.has(match.value)) once.set(match.value, match);
      found.push(...once.values());
    }
    return next;
  }

  #remember(value: number, end: number, depth: number): TrieMatch {
    const reader = this.#reader;
    const match = {
      value: reader.text(value, end),
      priority: reader.number(value - 4),
      pattern: stack.pattern(reader, depth),
    };
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(value, match);
    return match;
  }

  /**
   * The matches, ascending by priority, equal priorities in the order of adding. Each match appears once, because the search for
   * a name with wildcards can reach a node twice.
   */
  inOrder(): readonly TrieMatch[] {
    const found = this.#found;
    if (found.length < 2) return found;
    if (this.#repeats) return found.toSorted((a, b) => a.priority - b.priority);
    if (found.length > FEW) return [...new Set(found)].toSorted((a, b) => a.priority - b.priority);
    // Calling a sort costs more than a lookup's few matches are worth.
    const ordered: TrieMatch[] = [];
    for (const match of found) {
      if (ordered.includes(match)) continue;
      let at = ordered.length;
      while (at > 0 && (ordered[at - 1] as TrieMatch).priority > match.priority) at--;
      if (at === ordered.length) ordered.push(match);
      else ordered.splice(at, 0, match);
    }
    return ordered;
  }
}
