/** The part of node:events that children, sockets and signals need. */

type Listener = (...values: never[]) => void;

/** Calls what was registered for a name, in that order. */
export class Emitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(name: string, listener: Listener): this {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return this;
  }

  once(name: string, listener: Listener): this {
    const first: Listener = (...values) => {
      this.#remove(name, first);
      listener(...values);
    };
    Object.assign(first, { listener });
    return this.on(name, first);
  }

  off(name: string, listener: Listener): this {
    const found = this.#listeners
      .get(name)
      ?.find((one) => one === listener || (one as { listener?: Listener }).listener === listener);
    if (found !== undefined) this.#remove(name, found);
    return this;
  }

  /** Whether anybody listened. */
  emit(name: string, ...values: unknown[]): boolean {
    const listeners = this.#listeners.get(name) ?? [];
    for (const listener of listeners) listener(...(values as never[]));
    return listeners.length > 0;
  }

  #remove(name: string, listener: Listener): void {
    const left = (this.#listeners.get(name) ?? []).filter((one) => one !== listener);
    if (left.length === 0) this.#listeners.delete(name);
    else this.#listeners.set(name, left);
  }

  listenerCount(name: string): number {
    return this.#listeners.get(name)?.length ?? 0;
  }
}
