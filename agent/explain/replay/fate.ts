/** What becomes of a recorded device in another tree: one table of rules. Pure. */
import type { ModuleName } from '../../base/names.ts';
import type { CandidateReport } from '../../records/investigation.ts';
import type { Fate } from '../../records/replay.ts';
import { foremost, isServed } from '../../diagnosis/verdict.ts';
import type { Home } from './driver-home.ts';

/** All that decides. */
export interface FateFacts {
  readonly driver: string | undefined;
  readonly subsystem: string;
  /** Where the recorded driver is here; undefined without a driver. */
  readonly home: Home | undefined;
  /** What the device's MODALIASes and load rules lead to. */
  readonly candidates: readonly CandidateReport[];
  /** The home module's ids are for devices of this kind. */
  readonly listsIds: boolean;
  /** Another device, or one of its dependents, has the home module loaded. */
  readonly isThere: boolean;
  /** A sibling, another part of the same device, is kept by the same driver. */
  readonly sibling: boolean;
  /** The modules of `candidates` that are known to have succeeded the driver. */
  readonly successors: readonly ModuleName[];
}

/** A verdict with its reasons. */
export interface Fated {
  readonly fate: Fate;
  readonly because?: string | undefined;
  readonly remedy?: string | undefined;
}

interface Rule {
  readonly name: string;
  readonly holds: (facts: FateFacts) => boolean;
  readonly fated: (facts: FateFacts) => Fated;
}

const PACKAGE = 'add the package that has it to the image';

/**
 * Buses that ask for a module in a way of their own, which no recording has: an Ethernet PHY's by `mdio:`, that of HD audio by the name
 * of its generic driver for a codec that no other one lists.
 */
const ASKS_ITSELF = new Set(['mdio_bus', 'hdaudio']);

const own = ({ home, candidates }: FateFacts): CandidateReport | undefined =>
  home?.kind === 'module' ? foremost(candidates.filter(({ module }) => module === home.module)) : undefined;
const served = ({ candidates }: FateFacts): readonly CandidateReport[] =>
  candidates.filter(({ verdict }) => isServed(verdict));
const namesOf = (candidates: readonly CandidateReport[]): string => candidates.map(({ module }) => module).join(', ');
const nameOf = ({ home }: FateFacts): string => (home?.kind === 'module' ? home.module : '');

/** The first rule that holds decides. */
export const RULES: readonly Rule[] = [
  { name: 'it had no driver', holds: ({ driver }) => driver === undefined, fated: () => ({ fate: 'none' }) },
  { name: 'inside the kernel', holds: ({ home }) => home?.kind === 'kernel', fated: () => ({ fate: 'kept' }) },
  {
    name: 'its own module, by MODALIAS',
    holds: (facts) => isServed(own(facts)?.verdict ?? 'no-match'),
    fated: () => ({ fate: 'kept' }),
  },
  {
    name: 'its own module is kept out or refused',
    holds: (facts) => own(facts) !== undefined,
    fated: (facts) => {
      const { reason = '', evidence = [], remedy } = own(facts) ?? {};
      return { fate: 'lost', because: [reason, ...evidence].join('; '), remedy };
    },
  },
  {
    name: 'a sibling brings it',
    holds: ({ home, sibling }) => home?.kind === 'module' && sibling,
    fated: () => ({ fate: 'kept' }),
  },
  {
    name: 'its bus asks by ids of its own',
    holds: ({ home, subsystem }) => home?.kind === 'module' && ASKS_ITSELF.has(subsystem),
    fated: () => ({ fate: 'kept' }),
  },
  {
    name: 'a known successor',
    holds: (facts) => served(facts).some(({ module }) => facts.successors.includes(module)),
    fated: ({ driver = '', successors }) => ({
      fate: 'kept',
      because: `${successors[0] ?? ''} is the successor of ${driver}`,
    }),
  },
  {
    name: 'its module has no id for it, and other drivers match',
    holds: (facts) => facts.home?.kind === 'module' && facts.listsIds && served(facts).length > 0,
    fated: (facts) => ({
      fate: 'replaced',
      because: `another driver matches (${namesOf(served(facts))}); this tree's ${nameOf(facts)}, the recorded one, does not list the device`,
      remedy: 'test the device with it',
    }),
  },
  {
    name: 'its module has ids for such devices, not this one',
    holds: ({ home, listsIds }) => home?.kind === 'module' && listsIds,
    fated: (facts) => ({
      fate: 'lost',
      because: `this tree's ${nameOf(facts)} does not list this device: it is too old for it, or too new`,
      remedy: 'a kernel whose driver lists it, or a module from elsewhere (DKMS)',
    }),
  },
  {
    name: 'its module is there for another device',
    holds: ({ home, isThere }) => home?.kind === 'module' && isThere,
    fated: () => ({ fate: 'kept' }),
  },
  {
    name: 'nothing recorded asks for its module',
    holds: ({ home }) => home?.kind === 'module',
    fated: (facts) => ({
      fate: 'unknown',
      because: `no MODALIAS leads to ${nameOf(facts)}, which this tree has: another driver, or a list, must ask for it`,
      remedy: `a line ${nameOf(facts)} in modules-load.d makes sure`,
    }),
  },
  {
    name: 'it cannot be said where the driver is',
    holds: ({ home }) => home?.kind === 'untold',
    fated: (facts) => {
      const others = namesOf(served(facts));
      const also = others === '' ? '' : `; ${others} would be loaded for it`;
      return { fate: 'unknown', because: `${facts.home?.kind === 'untold' ? facts.home.because : ''}${also}` };
    },
  },
  {
    name: 'only other drivers match',
    holds: (facts) => served(facts).length > 0,
    fated: (facts) => ({
      fate: 'replaced',
      because: `another driver matches (${namesOf(served(facts))}); the recorded one (${facts.driver ?? ''}) is not in this tree`,
      remedy: `test the device with it, or ${PACKAGE}`,
    }),
  },
  {
    name: 'other drivers match, and are kept out or refused',
    holds: ({ candidates }) => candidates.length > 0,
    fated: ({ home, candidates }) => {
      const first = foremost(candidates);
      const absent = home?.kind === 'absent' ? home.because : '';
      return {
        fate: 'lost',
        because: [absent, first?.reason ?? '', ...(first?.evidence ?? [])].filter((text) => text !== '').join('; '),
        remedy: first?.remedy ?? PACKAGE,
      };
    },
  },
  {
    name: 'nothing has it',
    holds: () => true,
    fated: ({ home }) => ({
      fate: 'lost',
      because: home?.kind === 'absent' ? home.because : 'no module and no part of this kernel is for it',
      remedy: (home?.kind === 'absent' ? home.remedy : undefined) ?? PACKAGE,
    }),
  },
];

/** The fate of one device. */
export function fateOf(facts: FateFacts): Fated {
  const rule = RULES.find(({ holds }) => holds(facts));
  return rule?.fated(facts) ?? { fate: 'unknown' };
}
