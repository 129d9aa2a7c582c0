/** How far several builds at once are, and how long they still take: from what builds took before. Pure. */

/** One of the builds. */
export interface BuildNodeTimes {
  /** `nvidia/525 for 6.1.0-50-amd64`. */
  readonly name: string;
  /** Seconds that it took the last time; undefined when nobody knows. */
  readonly expected: number | undefined;
  /** Milliseconds of the clock. */
  begun?: number;
  ended?: number;
  /** It ended without a result: others take longer than it did. */
  failed?: boolean;
}

/** What a progress line tells. */
export interface BuildsProgress {
  readonly built: number;
  readonly total: number;
  readonly running: readonly string[];
  /** Undefined while nobody can know. */
  readonly secondsLeft: number | undefined;
}

/** The progress at `now` (milliseconds), with `slots` builds at a time. */
export function buildsProgress(nodes: readonly BuildNodeTimes[], slots: number, now: number): BuildsProgress {
  return {
    built: nodes.filter(({ ended }) => ended !== undefined).length,
    total: nodes.length,
    running: nodes.filter(isRunning).map(({ name }) => name),
    secondsLeft: secondsLeft(nodes, slots, now),
  };
}

function isRunning({ begun, ended }: BuildNodeTimes): boolean {
  return begun !== undefined && ended === undefined;
}

/**
 * A build that nobody timed is taken for an average one. The rest takes as long as its longest build, or as all of it shared among the
 * slots, whichever is more.
 */
function secondsLeft(nodes: readonly BuildNodeTimes[], slots: number, now: number): number | undefined {
  const known = nodes.flatMap(({ expected, begun, ended, failed }) => {
    if (failed === true) return [];
    const took = begun === undefined || ended === undefined ? expected : (ended - begun) / 1000;
    return took === undefined ? [] : [took];
  });
  if (known.length === 0) return undefined;
  const average = known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
  const left = nodes
    .filter(({ ended }) => ended === undefined)
    .map(({ expected = average, begun = now }) => Math.max(0, expected - (now - begun) / 1000));
  const shared = left.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, Math.min(slots, left.length));
  return Math.max(shared, ...left);
}
