import { readBootListFiles } from '../../facts/config/boot-list-files.ts';
import type { Host } from '../../base/host.ts';
import type { ModuleName } from '../../base/names.ts';
import type { Sources } from '../../load/sources.ts';
import type { Candidate } from '../../match/candidate.ts';
import type { WayIn } from '../../records/reasons.ts';
import { BOOT_DIALECTS, parseBootLists, type BootListEntry } from '../../rules/boot/boot-list.ts';
import { answerFor } from './rule-answers.ts';

/**
 * Whether a list of modules to load at boot names the module: modules-load.d, /etc/modules, or `modules_load=` on the kernel
 * command line. When several do, the first one that is allowed; when none does, the list that nearly does, and why it does not.
 */
export function bootListWay(host: Host, sources: Sources, module: ModuleName): WayIn {
  const way = 'a list for boot (modules-load.d)';
  const { entries, hidden } = parseBootLists(readBootListFiles(host));
  const leads = ({ name }: BootListEntry) => candidateOf(sources, name, module) !== undefined;
  const named = entries
    .filter((entry) => !entry.initramfsOnly && leads(entry))
    .map((entry) => listed(sources, entry, module));
  const first = named.find(({ answer }) => answer === 'allowed') ?? named[0];
  if (first !== undefined) return { way, ...first };
  const idle = entries.find(({ dialect, name }) => {
    const [word, more] = name.split(/[ \t]+/);
    return !BOOT_DIALECTS[dialect].parameters && more !== undefined && leads({ name: word } as BootListEntry);
  });
  if (idle !== undefined) {
    const because = `all of the line is taken for a name: ${idle.name}`;
    return { way, answer: 'blocked', because, place: idle.place };
  }
  const initramfs = entries.find(leads);
  if (initramfs !== undefined) {
    const because = 'rd.modules_load= names it, which counts in the initramfs only';
    return { way, answer: 'no-way', because, place: initramfs.place };
  }
  const masked = hidden.find(leads);
  if (masked !== undefined)
    return { way, answer: 'no-way', because: `${masked.by} masks the list that names it`, place: masked.place };
  return { way, answer: 'no-way', because: 'no list names it' };
}

function candidateOf({ matcher }: Sources, name: string, module: ModuleName): Candidate | undefined {
  const lookup = matcher.lookup(name);
  return lookup.kind === 'found' ? lookup.candidates.find((candidate) => candidate.module === module) : undefined;
}

function listed(sources: Sources, entry: BootListEntry, module: ModuleName): Omit<WayIn, 'way'> {
  const source = candidateOf(sources, entry.name, module)?.source ?? 'modules.dep';
  const found = answerFor(sources.config, module, source, BOOT_DIALECTS[entry.dialect].useBlacklist);
  const because = found.because === '' ? 'it is listed' : found.because;
  return { ...found, because, place: found.place ?? entry.place };
}
