/** Boot lists in YAML: the files of RancherOS, k3OS and Talos, with options of the kernel command line. */
import { readYaml } from '../../../agent/facts/config/yaml-text.ts';
import { readCloudModules, type CloudDialect } from '../../../agent/rules/boot/container-os-modules.ts';
import type { Random } from '../../fixtures/random.ts';
import { bytes, check, latin1, type FuzzKind } from '../kind.ts';

const DIALECTS: readonly CloudDialect[] = ['rancher', 'k3os', 'talos'];
const SAMPLES = [
  'rancher:\n  modules: [a, "b x=1"]\nk3os: {modules: [c]}\nmachine: {kernel: {modules: [{name: a, parameters: [x=1]}]}}\n',
  'machine:\n  kernel:\n    modules:\n      - name: brd\n        parameters:\n          - rd_nr=2\n---\nmachine: {}\n',
  '#cloud-config\nrancher:\n  modules:\n    - &m loop\n    - *m\n    - |\n      nf_nat\n      a=1\n',
  'quiet rancher.modules=[a,b] k3os.modules=c k3os.modules="d e" rancher.modules.0=x --\n',
];
const WORDS = [
  'rancher',
  'k3os',
  'machine',
  'kernel',
  'modules',
  'name',
  'parameters',
  'rancher.modules=',
  'k3os.modules=',
  ': ',
  '- ',
  '\n  ',
  '\n',
  '---\n',
  '...\n',
  '[',
  ']',
  '{',
  '}',
  ',',
  '"',
  "'",
  '|\n',
  '>-\n',
  '&a ',
  '*a',
  '<<: ',
  '!!str ',
  '!<x> ',
  '? ',
  '%YAML 1.2\n',
  '\t',
  '\0',
  '\\',
  '#',
];

/** Blocks and flows nested in each other, mostly of the keys that count. */
function compose(random: Random): Buffer {
  const text = () =>
    random.below(3) > 0 ? random.of(['a', 'b x=1', 'loop', '""', '~']) : random.text('ab:-#&*!"', 0, 8);
  const node = (depth: number, indent: string): string => {
    const shape = depth === 0 ? 0 : random.below(5);
    const inner = () => node(depth - 1, `${indent}  `);
    const some = <T>(make: () => T): readonly T[] => Array.from({ length: random.below(4) }, make);
    const key = () => random.of(['rancher', 'k3os', 'machine', 'kernel', 'modules', 'modules', 'name', text()]);
    if (shape === 1) return some(() => `\n${indent}- ${inner()}`).join('');
    if (shape === 2) return some(() => `\n${indent}${key()}: ${inner()}`).join('');
    if (shape === 3) return `[${some(inner).join(', ')}]`;
    return shape === 4 ? `{${some(() => `${key()}: ${inner()}`).join(', ')}}` : text();
  };
  const [top, ...below] = random.of([
    ['rancher', 'modules'],
    ['k3os', 'modules'],
    ['machine', 'kernel', 'modules'],
  ]);
  const path = below.map((name, i) => `\n${'  '.repeat(i + 1)}${name}: `).join('');
  return bytes(`${top}: ${path}${node(random.below(4), '        ')}\n`);
}

function read(input: Buffer): void {
  const text = latin1(input);
  const lines = text.split('\n').length;
  const file = { file: 'fuzz.yaml', text };
  // Which one is as arbitrary as the rest: each reads the YAML as a whole.
  const dialect = DIALECTS[input.length % DIALECTS.length] ?? 'rancher';
  const { entries, problems } = readCloudModules(dialect, { files: [file], commandLine: file, readYaml });
  for (const { place, name } of entries)
    check(place.line >= 1 && place.line <= lines && name !== '', 'an entry of a boot list has a line');
  for (const { line, message } of problems) check(line >= 0 && line <= lines && message !== '', 'a problem has a line');
}

export const kind: FuzzKind = { samples: SAMPLES.map(bytes), words: WORDS, compose, read };
