/** Entries of boot lists that load nothing, or not what was meant. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleName } from '../../base/names.ts';
import { readBootListFiles } from '../../facts/config/boot-list-files.ts';
import type { BootListEntry } from '../../rules/boot/boot-entry.ts';
import { BOOT_DIALECTS, parseBootLists } from '../../rules/boot/boot-list.ts';
import { DIRECTIVE_NAMES } from '../../rules/modprobe/directives.ts';
import type { IdleRule } from './health.ts';
import { isVendors, type KnownNames } from './known-names.ts';

/** Entries that name no module or alias, or hold more than a name, and unreadable lists. In every dialect. Empty when there are none. */
export function idleBootLists(host: Host, names: KnownNames): readonly IdleRule[] {
  const files = readBootListFiles(host);
  const unread = files.unread.map(({ file, why }) => ({
    place: { file, line: 0 },
    text: 'the whole file',
    why,
    suggestion: undefined,
    harmless: false,
  }));
  const { entries, problems } = parseBootLists(files);
  const malformed = problems.map(({ file, line, message }) => ({
    place: { file, line },
    text: line === 0 ? 'the whole file' : 'this line',
    why: message,
    suggestion: undefined,
    harmless: false,
  }));
  const idle = entries.flatMap((entry) => {
    const found = names.isFound(entry.name) && !entry.parameters.endsWith('\r') ? undefined : fault(entry, names);
    if (found === undefined) return [];
    const { dialect, place, name, parameters } = entry;
    const line = `${name} ${parameters}`.trim();
    const text = dialect === 'kernel-command-line' ? `modules_load=${name}` : line;
    return [{ place, text, suggestion: undefined, harmless: false, ...found }];
  });
  return [...unread, ...malformed, ...idle];
}

type Fault = Pick<IdleRule, 'why'> & Partial<Pick<IdleRule, 'suggestion' | 'harmless'>>;

/** What is wrong with an entry whose name leads to nothing, or that ends in a carriage return. */
function fault({ dialect, place, name, parameters }: BootListEntry, names: KnownNames): Fault {
  if (`${name}${parameters}`.endsWith('\r'))
    return { why: 'a carriage return ends this line and is part of its last word; write the file with plain newlines' };
  const [word = '', ...more] = `${name} ${parameters}`.trim().split(/\s+/);
  if (more.length > 0 && DIRECTIVE_NAMES.includes(word))
    return { why: 'this is a line of modprobe.d; a boot list holds names of modules' };
  if (/^[#;]/.test(word))
    return { why: `${BOOT_DIALECTS[dialect].title} has no such comments: the line names a module` };
  if (more.length > 0 && names.isFound(word)) {
    return {
      why: 'a line holds one name; parameters belong in modprobe.d',
      suggestion: `options ${word} ${more.join(' ')}`,
    };
  }
  const vendor = isVendors(place);
  return {
    why: `there is no module ${word}`,
    suggestion: vendor ? undefined : names.near(moduleName(word)),
    harmless: vendor,
  };
}
