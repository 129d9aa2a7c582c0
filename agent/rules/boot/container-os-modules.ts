/**
 * The modules that RancherOS, k3OS and Talos load at boot, from their YAML files and the kernel command line. Pure.
 *
 *     rancher:            k3os:                machine:
 *       modules:            modules:             kernel:
 *         - loop              - kvm                modules:
 *         - nf_nat a=1        - nvme                 - name: brd
 *                                                      parameters: [rd_nr=2]
 *
 * - RancherOS: the last list wins. The command line comes after all files. Blanks split an entry into a name and parameters.
 *   RancherOS refuses its whole configuration when the value is a single text. Here that counts as one entry, with a problem.
 * - k3OS: the last list wins. The order is the system's file, the command line, the other files. Blanks alone split the command
 *   line, and repeated options add up. A single text is a list of one.
 * - Talos: the lists of all documents add up. Each item has a name and parameters. The command line names nothing.
 *
 * A file that is not YAML does not count. Sources: rancher/os config/disk.go, rancher/k3os pkg/config/read.go, Talos' machine
 * configuration.
 */
import type { Problem } from '../../base/problem.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { ReadYaml, YamlNode } from '../../facts/config/yaml-text.ts';
import type { BootListEntry, HiddenEntry } from './boot-entry.ts';
import { rancherOption } from './rancher-command-line.ts';

/** The dialects that are read here. */
export type CloudDialect = 'rancher' | 'k3os' | 'talos';

/** The texts of one dialect. */
export interface CloudTexts {
  /** In the order in which they are read: a later one wins. */
  readonly files: readonly ConfigText[];
  readonly commandLine: ConfigText;
  readonly readYaml: ReadYaml;
}

/** What a dialect's files and options name. */
export interface CloudModules {
  readonly entries: readonly BootListEntry[];
  /** The entries of lists whose place a later list takes. */
  readonly hidden: readonly HiddenEntry[];
  readonly problems: readonly Problem[];
}

const KEYS: Readonly<Record<CloudDialect, readonly string[]>> = {
  rancher: ['rancher', 'modules'],
  k3os: ['k3os', 'modules'],
  talos: ['machine', 'kernel', 'modules'],
};

/** The file of k3OS that comes before the command line. */
const K3OS_SYSTEM = '/k3os/system/config.yaml';

interface List {
  readonly file: string;
  readonly entries: readonly BootListEntry[];
}

/** The entries of a dialect. */
export function readCloudModules(dialect: CloudDialect, texts: CloudTexts): CloudModules {
  const reader = new Reader(dialect, texts);
  const lists = reader.lists();
  const { problems } = reader;
  if (dialect === 'talos') return { entries: lists.flatMap(({ entries }) => entries), hidden: [], problems };
  const last = lists.at(-1);
  const hidden = lists
    .slice(0, -1)
    .flatMap(({ entries }) => entries.map((entry) => ({ ...entry, by: last?.file ?? '' })));
  return { entries: last?.entries ?? [], hidden, problems };
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #dialect: CloudDialect;
  readonly #texts: CloudTexts;

  constructor(dialect: CloudDialect, texts: CloudTexts) {
    this.#dialect = dialect;
    this.#texts = texts;
  }

  /** Each list that is there, in the order in which they are read. */
  lists(): readonly List[] {
    const { files } = this.#texts;
    const system = files.filter(({ file }) => this.#dialect === 'k3os' && file.endsWith(K3OS_SYSTEM));
    const others = files.filter((file) => !system.includes(file));
    const optioned = this.#dialect === 'k3os' ? [...system, 'options', ...others] : [...others, 'options'];
    return (optioned as ReadonlyArray<ConfigText | 'options'>).flatMap((each) =>
      each === 'options' ? this.#ofOptions() : this.#ofFile(each),
    );
  }

  #ofFile({ file, text }: ConfigText): readonly List[] {
    const read = this.#texts.readYaml(text);
    if (read.kind === 'damaged') {
      this.#problem(file, read.line, 'error', `not YAML: ${read.why}; nothing in this file counts`);
      return [];
    }
    return read.documents.flatMap((document) => {
      let node: YamlNode | undefined = document;
      for (const key of KEYS[this.#dialect]) node = node?.kind === 'map' ? node.entries.get(key) : undefined;
      return node === undefined ? [] : [{ file, entries: this.#entries(node, file) }];
    });
  }

  #ofOptions(): readonly List[] {
    const { commandLine, readYaml } = this.#texts;
    const { file, text } = commandLine;
    if (this.#dialect === 'rancher') {
      const node = text.includes('rancher.modules') ? rancherOption(text, 'rancher.modules', readYaml) : undefined;
      return node === undefined ? [] : [{ file, entries: this.#entries(node, file) }];
    }
    const option = 'k3os.modules=';
    const words = this.#dialect === 'k3os' ? text.split(/\s+/).filter((word) => word.startsWith(option)) : [];
    const entries = words.flatMap((word) => this.#entry(word.slice(option.length), file, 1));
    return words.length === 0 ? [] : [{ file, entries }];
  }

  #entries(node: YamlNode, file: string): readonly BootListEntry[] {
    if (node.kind === 'list') return node.items.flatMap((item) => this.#item(item, file));
    const key = KEYS[this.#dialect].join('.');
    if (node.kind === 'text' && this.#dialect !== 'talos') {
      if (this.#dialect === 'rancher') {
        const message = `${key} is a text, and RancherOS wants a list: it refuses all its configuration; write [${node.text}]`;
        this.#problem(file, node.line, 'warning', message);
      }
      return this.#entry(node.text, file, node.line);
    }
    this.#problem(file, node.line, 'error', `${key} is no list, and names nothing`);
    return [];
  }

  #item(item: YamlNode, file: string): readonly BootListEntry[] {
    if (this.#dialect !== 'talos' && item.kind === 'text') return this.#entry(item.text, file, item.line);
    const name = item.kind === 'map' && this.#dialect === 'talos' ? item.entries.get('name') : undefined;
    if (item.kind !== 'map' || name?.kind !== 'text') {
      const wanted = this.#dialect === 'talos' ? 'name: MODULE' : 'a text';
      this.#problem(file, item.line, 'error', `this item of ${KEYS[this.#dialect].join('.')} is not ${wanted}`);
      return [];
    }
    const given = item.entries.get('parameters');
    const words = given?.kind === 'list' ? given.items : [];
    const parameters = words.flatMap((word) => (word.kind === 'text' ? [word.text] : [])).join(' ');
    return this.#entry(`${name.text} ${parameters}`, file, name.line);
  }

  #entry(text: string, file: string, line: number): readonly BootListEntry[] {
    const [name = '', ...parameters] = text.split(' ');
    if (name === '') return [];
    const place = { file, line };
    return [{ dialect: this.#dialect, place, name, parameters: parameters.join(' ').trim(), initramfsOnly: false }];
  }

  #problem(file: string, line: number, severity: Problem['severity'], message: string): void {
    this.problems.push({
      file,
      line,
      column: 0,
      severity,
      code: severity === 'error' ? 'malformed' : 'ignored',
      message,
    });
  }
}
