/** The disk space, time and memory that builds took. They are kept beside each result, so that the next build knows what it needs. */
import { statSync, writeFileSync } from 'node:fs';
import { readTextIn } from '../../../facts/regular-file.ts';
import type { DkmsTrees } from '../../conf/trees.ts';
import { builtFolder, moduleFolder, type DkmsModule } from '../../tree/dkms-places.ts';
import { buildsOf, namesIn } from '../../tree/registry.ts';

/** What a build took. */
export interface BuildCost {
  /** Bytes of disk that the build folder had at the end. */
  readonly bytes: number;
  readonly seconds: number;
  /** Bytes that its processes had together at most; undefined when nobody looked in time. */
  readonly memory?: number | undefined;
}

const FILE = 'cost.json';

/** Writes a cost into the log folder of a result: `keepCost('/var/lib/dkms/m/1.0/6.1.0/x86_64/log', cost)`. Throws what node:fs throws. */
export function keepCost(log: string, cost: BuildCost): void {
  writeFileSync(`${log}/${FILE}`, `${JSON.stringify(cost)}\n`);
}

/** The cost of the module's latest build, this version's if it has any; undefined when none was noted, as those that dkms made. */
export function lastCost(trees: DkmsTrees, { name, version }: DkmsModule): BuildCost | undefined {
  const versions = namesIn(moduleFolder(trees, name)).filter((each) => each !== version);
  return (
    costOf(trees, [{ name, version }]) ??
    costOf(
      trees,
      versions.map((each) => ({ name, version: each })),
    )
  );
}

function costOf(trees: DkmsTrees, modules: readonly DkmsModule[]): BuildCost | undefined {
  const costs = modules.flatMap((module) =>
    buildsOf(trees, module).flatMap(({ kernel }) => {
      const file = `${builtFolder(trees, module, kernel)}/log/${FILE}`;
      const cost = parseCost(readTextIn('', file));
      return cost === undefined ? [] : [{ cost, at: statSync(file).mtimeMs }];
    }),
  );
  return costs.toSorted((a, b) => b.at - a.at)[0]?.cost;
}

function parseCost(text: string | undefined): BuildCost | undefined {
  try {
    const { bytes, seconds, memory } = JSON.parse(text ?? '') as Partial<Record<keyof BuildCost, unknown>>;
    if (typeof bytes !== 'number' || typeof seconds !== 'number' || bytes < 0) return undefined;
    return { bytes, seconds, ...(typeof memory === 'number' ? { memory } : {}) };
  } catch {
    return undefined; // Somebody else's file.
  }
}
