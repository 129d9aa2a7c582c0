import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { moduleName } from '../../agent/base/names.ts';
import { createMatcher, type Matcher } from '../../agent/match/matcher.ts';
import { openTree } from '../../agent/load/tree.ts';
import { debianTree, type Architecture, type DebianTree } from '../fixtures/debian.ts';
import { kmodLookup } from '../fixtures/kmod-lookup.ts';
import { builtBy, otherwise } from './driver-facts.ts';

/*
 * Recordings of real machines: every device that had a driver and a modalias is looked up in Debian's tree of its
 * architecture. The recordings are of many kernels, old and new, some of a vendor's own; what finds no module must be
 * explained by evidence: the string's older form, the kernel's lists of builtin modules, its configuration, or, driver by driver, a
 * known reason (driver-facts.ts).
 */

interface Device {
  readonly devpath: string;
  readonly subsystem: string;
  readonly modalias?: string;
  readonly driver?: string;
}
type Bound = Required<Device>;

const corpus = process.env['PLUGD_CORPUS'];
const folder = join(corpus ?? '', 'machines');
const files =
  corpus === undefined || !existsSync(folder) ? [] : readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

function readMachine(file: string): Device[] {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Device);
}

/** What kind of machine it is, by what only that kind has. */
function architectureOf(devices: readonly Device[]): Architecture {
  const has = (test: (device: Device) => boolean) => devices.some(test);
  if (has(({ subsystem }) => subsystem === 'ccw')) return 's390x';
  if (has(({ modalias }) => /^of:N.*Cibm,(power|opal)/.test(modalias ?? ''))) return 'ppc64el';
  if (has(({ subsystem }) => subsystem === 'acpi')) return 'amd64';
  return has(({ devpath }) => devpath.startsWith('/devices/armv8')) ? 'arm64' : 'armhf';
}

/** The string as today's kernels write it: usb has had an interface number since 3.8, hid a group since 3.6. */
function modern(modalias: string): string | undefined {
  if (/^usb:v.*ip[0-9A-F]{2}$/.test(modalias)) return `${modalias}in00`;
  if (/^hid:b[0-9A-F]{4}v/.test(modalias)) return modalias.replace(/^(hid:b.{4})/, '$1g0001');
  // Since 3.15: x86cpu:vendor:0000:family:0006:model:002D:feature:,0000 was today's cpu:type:x86,ven0000fam0006mod002D:feature:,0000.
  const cpu = /^x86cpu:vendor:(.{4}):family:(.{4}):model:(.{4}):(feature:.*)$/.exec(modalias);
  if (cpu !== null) return `cpu:type:x86,ven${cpu[1]}fam${cpu[2]}mod${cpu[3]}:${cpu[4]}`;
  return undefined;
}

type Verdict =
  | 'module'
  | 'builtin'
  | 'older string'
  | 'builtin by name'
  | 'builtin by config'
  | 'not in this kernel'
  | 'sibling'
  | 'otherwise'
  | 'unexplained';
const VERDICTS: readonly Verdict[] = [
  'module',
  'builtin',
  'older string',
  'builtin by name',
  'builtin by config',
  'not in this kernel',
  'sibling',
  'otherwise',
  'unexplained',
];

class Kernel {
  readonly tree: DebianTree;
  readonly matcher: Matcher;
  readonly #config: string;

  constructor(tree: DebianTree) {
    this.tree = tree;
    this.matcher = createMatcher(openTree(openHost({ root: tree.root, kernel: tree.kernel })).indexes, {
      aliases: [],
      commands: [],
    });
    this.#config = readFileSync(`${tree.root}/boot/config-${tree.kernel}`, 'latin1');
  }

  modules(name: string): string[] {
    const lookup = this.matcher.lookup(name);
    return lookup.kind === 'found' ? lookup.candidates.map(({ module }) => module) : [];
  }

  /** `siblings` are the other devices with a driver of the same parent. */
  verdict({ subsystem, driver, modalias }: Bound, siblings: readonly Bound[]): Verdict {
    const lookup = this.matcher.lookup(modalias);
    if (lookup.kind === 'found') {
      return lookup.candidates.some(({ source }) => source === 'modules.alias') ? 'module' : 'builtin';
    }
    const today = modern(modalias);
    if (today !== undefined && this.modules(today).length > 0) return 'older string';
    if (this.matcher.isBuiltin(moduleName(driver.toLowerCase()))) return 'builtin by name';
    const option = builtBy(subsystem, driver);
    const set = option === undefined ? undefined : new RegExp(`^CONFIG_(?:${option})=(.)`, 'm').exec(this.#config)?.[1];
    if (set === 'y') return 'builtin by config';
    if (option !== undefined && set === undefined) return 'not in this kernel';
    // A video or modem driver claims the data interface beside its control interface, which has no alias.
    const same = siblings.find(
      (other) => other.driver === driver && this.modules(modern(other.modalias) ?? other.modalias).length > 0,
    );
    if (subsystem === 'usb' && same !== undefined) return 'sibling';
    return otherwise(driver) === undefined ? 'unexplained' : 'otherwise';
  }
}

// Drivers whose module has another module's alias in front of it: the bus glue pulls the core in as its dependency.
const GLUE: Readonly<Record<string, string>> = {
  xhci_hcd: 'xhci_pci',
  ehci_hcd: 'ehci_pci',
  ohci_hcd: 'ohci_pci',
  i2c_hid: 'i2c_hid_acpi',
  mei: 'mei_me',
  ahci: 'sata_highbank',
};

const kernels = new Map<Architecture, Kernel>();
for (const architecture of ['amd64', 'arm64', 'armhf'] as const) {
  const tree = files.length === 0 ? undefined : await debianTree(architecture);
  if (tree?.kind === 'ready') kernels.set(architecture, new Kernel(tree));
}
const kmod = await kmodLookup();

t.test(
  'recordings of machines',
  { skip: files.length === 0 && 'PLUGD_CORPUS names no folder with machines/*.jsonl' },
  (t) => {
    const total = new Map<Verdict, number>();
    const reasons = new Map<string, number>();
    // The columns behind `builtin` found no match, for the reason that heads them.
    const row = (...cells: ReadonlyArray<string | number>): void => {
      const widths = [-30, -6, 8, ...VERDICTS.map((verdict) => verdict.length + 2)];
      const texts = cells.map((cell, k) => {
        const width = widths[k] ?? 0;
        return width < 0 ? String(cell).padEnd(-width) : String(cell).padStart(width);
      });
      t.comment(texts.join(''));
    };
    row('', 'tree', 'drivers', ...VERDICTS);
    for (const file of files) {
      const devices = readMachine(file);
      const architecture = architectureOf(devices);
      const kernel = kernels.get(architecture);
      const skip = kernel === undefined && `no ${architecture} tree of Debian here`;
      t.test(file, { skip }, (t) => {
        if (kernel === undefined) return;
        const bound = devices.filter(
          (device): device is Bound => device.driver !== undefined && device.modalias !== undefined,
        );
        const counts = new Map<Verdict, number>();
        const unexplained: string[] = [];
        const elsewhere: string[] = [];
        for (const device of bound) {
          const parent = device.devpath.slice(0, device.devpath.lastIndexOf('/') + 1);
          const verdict = kernel.verdict(
            device,
            bound.filter(({ devpath }) => devpath.startsWith(parent)),
          );
          counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
          total.set(verdict, (total.get(verdict) ?? 0) + 1);
          const why = verdict === 'otherwise' ? otherwise(device.driver) : undefined;
          if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
          if (verdict === 'unexplained') unexplained.push(`${device.subsystem} ${device.driver} ${device.modalias}`);
          const driver = moduleName(device.driver);
          const found = kernel.modules(device.modalias);
          if (verdict !== 'module' || kernel.matcher.dependencies(driver) === undefined) continue;
          if (!found.includes(driver) && !found.includes(GLUE[driver] ?? ''))
            elsewhere.push(`${driver} not in ${found.join(',')}: ${device.modalias}`);
        }
        row(
          file.replace('.jsonl', ''),
          architecture,
          bound.length,
          ...VERDICTS.map((verdict) => counts.get(verdict) ?? 0),
        );
        t.ok(bound.length > 0, `${bound.length} devices with a driver and a modalias`);
        t.same(unexplained, [], 'every device is served or explained');
        t.same(elsewhere, [], "where the tree has a module of the driver's name, it is among those found");
        t.ok((counts.get('module') ?? 0) > 0, 'some are served by modules');
        if (kmod.kind === 'ready') {
          const modaliases = [...new Set(devices.flatMap(({ modalias }) => modalias ?? []))];
          const ours = modaliases.map((modalias) => `${modalias}\t${kernel.modules(modalias).join(',')}`);
          t.same(
            ours,
            kmod.answers(kernel.tree, modaliases),
            `libkmod answers the same for all ${modaliases.length} strings`,
          );
        }
        t.end();
      });
    }
    t.test('all together', (t) => {
      const counts = VERDICTS.map((verdict) => total.get(verdict) ?? 0);
      const sum = counts.reduce((a, b) => a + b, 0);
      row('all together', '', sum, ...counts);
      for (const [why, count] of reasons) t.comment(`otherwise: ${count} × ${why}`);
      const served = VERDICTS.slice(0, 5).reduce((count, verdict) => count + (total.get(verdict) ?? 0), 0);
      t.ok(served > 0.8 * sum, `${served} of ${sum} have their driver in Debian's kernel`);
      t.end();
    });
    t.end();
  },
);
