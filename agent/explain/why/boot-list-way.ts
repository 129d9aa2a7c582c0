/** The answer of boot lists in `plugd why`. Reads the lists; changes nothing. */
import { readBootListFiles } from '../../facts/config/boot-list-files.ts';
import type { Host } from '../../base/host.ts';
import { fnmatch } from '../../base/fnmatch.ts';
import { lookupKey, moduleName, type ModuleName } from '../../base/names.ts';
import type { Sources } from '../../load/sources.ts';
import type { WayIn } from '../../records/reasons.ts';
import type { BootListEntry } from '../../rules/boot/boot-entry.ts';
import { BOOT_DIALECTS, parseBootLists } from '../../rules/boot/boot-list.ts';
import { answerByNames, answerFor, candidateOf, type NameRules, type WayAnswer } from './rule-answers.ts';

/** What a list is compared with. */
export interface BootListInput {
  readonly host: Host;
  readonly sources: Sources;
  readonly module: ModuleName;
  /** The aliases that lead to the module. */
  readonly aliases: readonly string[];
  readonly rules: NameRules;
}

/**
 * Whether a list of modules to load at boot names the module, in any dialect (BOOT_DIALECTS). If several do, the first that is allowed; if none does, the list that comes closest, and why it does not count.
 */
export function bootListWay({ host, sources, module, aliases, rules }: BootListInput): WayIn {
  const way = 'a list for boot (modules-load.d)';
  const { entries, hidden } = parseBootLists(readBootListFiles(host));
  const names = (name: string) =>
    candidateOf(sources, name, module) !== undefined ||
    moduleName(name) === module ||
    aliases.some((pattern) => fnmatch(pattern, lookupKey(name) ?? name));
  const own = entries.filter(({ name }) => names(name));
  const answers = own
    .filter((entry) => !entry.initramfsOnly)
    .map((entry): WayIn => {
      const found = listed(entry, sources, module);
      const answer = answerByNames(rules, module, [lookupKey(entry.name) ?? entry.name], found);
      return { way, ...answer, because: answer.because || listedIn(entry), place: answer.place ?? entry.place };
    });
  const first = answers.find(({ answer }) => answer === 'allowed') ?? answers[0];
  if (first !== undefined) return first;
  const idle = entries.find(({ dialect, name }) => {
    const [word = '', ...more] = name.split(/[ \t]+/);
    return !BOOT_DIALECTS[dialect].parameters && more.length > 0 && names(word);
  });
  if (idle !== undefined) {
    const because = `all of the line is taken for a name: ${idle.name}`;
    return { way, answer: 'blocked', because, place: idle.place };
  }
  const [initramfs] = own;
  if (initramfs !== undefined) {
    const { dialect } = initramfs;
    const list = dialect === 'kernel-command-line' ? 'rd.modules_load= names' : `${BOOT_DIALECTS[dialect].title} name`;
    const because = `${list} it, which ${dialect === 'kernel-command-line' ? 'counts' : 'count'} in the initramfs only`;
    return { way, answer: 'no-way', because, place: initramfs.place };
  }
  const masked = hidden.find(({ name }) => names(name));
  if (masked !== undefined)
    return { way, answer: 'no-way', because: `${masked.by} masks the list that names it`, place: masked.place };
  return { way, answer: 'no-way', because: 'no list names it' };
}

/** Where the file alone does not tell the list, its name does. */
function listedIn({ dialect, place }: BootListEntry): string {
  const { title } = BOOT_DIALECTS[dialect];
  return /\.ya?ml$|cloud-config\.d/.test(place.file) ||
    (dialect !== 'kernel-command-line' && place.file.endsWith('/cmdline'))
    ? `it is listed (${title})`
    : 'it is listed';
}

function listed({ name, dialect }: BootListEntry, sources: Sources, module: ModuleName): WayAnswer {
  const source = candidateOf(sources, name, module)?.source ?? 'modules.dep';
  return answerFor(sources.config, module, source, BOOT_DIALECTS[dialect].useBlacklist);
}
