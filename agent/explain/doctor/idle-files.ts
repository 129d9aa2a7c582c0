/** Whole files of rules that do not count, and lines of lists for boot that name nothing. */
import { existsSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import { moduleName } from '../../base/names.ts';
import { nearestWord } from '../../base/spelling.ts';
import { readNames, readText } from '../../facts/attribute.ts';
import type { IdleRule } from './health.ts';
import type { Sources } from '../../load/sources.ts';

/** Most important first, as kmod reads them. */
const PLACES = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'];
/** Names that say of themselves that the file is not to be read. */
const ASIDE = /^\.|^README|~$|\.(bak|old|orig|save|disabled|off|swp)$|\.(dpkg|rpm|ucf)[-a-z]*$/i;

const WHOLE = 'the whole file';

/** Files of modprobe.d that nobody reads: without `.conf`, or hidden by a file of the same name in a place that comes first. */
export function idleFiles(host: Host): readonly IdleRule[] {
  const idle: IdleRule[] = [];
  const add = (file: string, why: string, hidden = false) =>
    idle.push({
      place: { file, line: 0 },
      text: WHOLE,
      why,
      suggestion: undefined,
      harmless: hidden,
      ...(hidden ? { hidden } : {}),
    });
  const old = `${host.root}/etc/modprobe.conf`;
  if (/^\s*[a-z]/m.test(readText(old) ?? '')) add(old, 'it is not read any more: move it to modprobe.d/modprobe.conf');
  const seen = new Map<string, string>();
  for (const place of PLACES) {
    const folder = `${host.root}${place}/modprobe.d`;
    // Where /lib is a link to /usr/lib both are the same folder.
    if (place === '/lib' && existsSync(`${host.root}/usr/lib/modprobe.d`)) continue;
    for (const name of readNames(folder).toSorted()) {
      const file = `${folder}/${name}`;
      if (!name.endsWith('.conf')) {
        if (!ASIDE.test(name))
          add(file, `only names that end in .conf are read: rename it to ${name.replace(/\.\w*$/, '')}.conf`);
        continue;
      }
      const first = seen.get(name);
      if (first === undefined) seen.set(name, file);
      else if (readText(first) !== readText(file)) add(file, `${first} stands in its place`, true);
    }
  }
  return idle;
}

/** Lines of /etc/modules-load.d and /etc/modules that name no module and no alias, or hold more than a name. */
export function idleLists(host: Host, { matcher, tree }: Sources): readonly IdleRule[] {
  const idle: IdleRule[] = [];
  const folder = `${host.root}/etc/modules-load.d`;
  const names = readNames(folder).filter((name) => name.endsWith('.conf'));
  for (const file of [...names.toSorted().map((name) => `${folder}/${name}`), `${host.root}/etc/modules`]) {
    for (const [i, line] of (readText(file) ?? '').split('\n').entries()) {
      const text = line.trim();
      if (text === '' || text.startsWith('#') || text.startsWith(';')) continue;
      const [name = '', ...more] = text.split(/\s+/);
      const place = { file, line: i + 1 };
      if (matcher.lookup(name).kind !== 'found') {
        const known = [...(tree.indexes.dep?.entries() ?? [])].map(({ key }) => key);
        const suggestion = nearestWord(moduleName(name), known);
        idle.push({ place, text, why: `there is no module ${name}`, suggestion, harmless: false });
      } else if (more.length > 0 && file !== `${host.root}/etc/modules`) {
        const why = 'a line holds one name; parameters belong into modprobe.d';
        idle.push({ place, text, why, suggestion: `options ${name} ${more.join(' ')}`, harmless: false });
      }
    }
  }
  return idle;
}
