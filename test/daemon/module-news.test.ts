import t from 'tap';
import type { ModuleName } from '../../agent/base/names.ts';
import { ModuleNews, type ModuleNewsOptions } from '../../agent/daemon/module-news.ts';
import type { ModuleRecord } from '../../agent/records/coldplug-run.ts';

const nic = 'nic' as ModuleName;

/** News, and whom they reach. `known`: the kernel's announcement is none; `inserting`: plugd is at it. */
function news({ known = false, inserting = false } = {}) {
  const done: string[] = [];
  const note = (word: string) => (module: ModuleName) => done.push(`${word} ${module}`);
  const options = {
    loaded: { came: () => !known, gone: note('not loaded'), live: note('live') },
    chronicle: {
      outside: (module: ModuleName, perhapsKnown = false) => done.push(`outside ${module} ${perhapsKnown}`),
    },
    loader: () => ({ modules: { isInserting: () => inserting }, moduleGone: note('forgotten') }),
  };
  return { own: new ModuleNews(options as unknown as ModuleNewsOptions), done };
}

const EVENTS: Record<string, readonly [action: string, state: Parameters<typeof news>[0], done: readonly string[]]> = {
  'somebody else loads it': ['add', {}, ['outside nic false']],
  'plugd loads it': ['add', { inserting: true }, []],
  'it was announced before': ['add', { known: true }, []],
  'it goes': ['remove', {}, ['not loaded nic', 'forgotten nic']],
  'it goes, and its init is what fails': ['remove', { inserting: true }, ['not loaded nic', 'forgotten nic']],
  'anything else': ['change', {}, []],
};
for (const [name, [action, state, expected]] of Object.entries(EVENTS)) {
  t.test(`a uevent: ${name}`, (t) => {
    const { own, done } = news(state);
    own.uevent(action, nic);
    t.same(done, expected);
    t.end();
  });
}

const ENDS: Record<ModuleRecord['result'], readonly string[]> = {
  inserted: ['live nic'],
  // Somebody was quicker; the uevent in between was taken for plugd's.
  'already-loaded': ['live nic', 'outside nic true'],
  command: [],
  failed: [],
  skipped: [],
  planned: [],
  unfinished: [],
};
for (const [result, expected] of Object.entries(ENDS)) {
  t.test(`an end: ${result}`, (t) => {
    const { own, done } = news();
    own.ended({ module: nic, result } as ModuleRecord);
    t.same(done, expected);
    t.end();
  });
}
