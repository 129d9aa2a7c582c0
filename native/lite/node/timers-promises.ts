/** node:timers/promises. */

/** Waits. */
export async function setTimeout(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    globalThis.setTimeout(resolve, ms);
  });
}
