/** deploy/container: what the recipe copies is there, its commands and options exist, its mounts fit, and nodes get labels. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { COMMANDS, DKMS_COMMANDS } from '../../../agent/commands/command-table.ts';
import { HOST_OPTIONS } from '../../../agent/commands/command.ts';
import { diagnosticsRig, KERNEL } from '../../fixtures/diagnostics-rig.ts';
import { machineOptions } from '../../fixtures/sysfs.ts';

const root = join(import.meta.dirname, '../../../..');
const folder = join(root, 'deploy/container');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly volumeMounts: ReadonlyArray<{
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }>;
  readonly readinessProbe?: { readonly exec: { readonly command: readonly string[] } };
}
interface Pod {
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: ReadonlyArray<{ readonly name: string; readonly hostPath: { readonly path: string } }>;
}

/** The commands of plugd in a text of options and words: each exists, and has the options that follow. */
async function checkCommand(t: Test, words: readonly string[]): Promise<void> {
  const [name, ...others] = words;
  const entry = [...COMMANDS, ...DKMS_COMMANDS].find((each) => each.name === name);
  t.ok(entry, `plugd ${name} exists`);
  const { command } = (await entry?.load()) ?? {};
  const known = [...(command?.options ?? []), ...HOST_OPTIONS].map(({ long }) => `--${long}`);
  for (const word of others) if (word.startsWith('--')) t.ok(known.includes(word), `plugd ${name} ${word} exists`);
}

t.test('the recipe copies what the project has or builds', (t) => {
  const lines = read('Containerfile').replaceAll(/\\\n/g, ' ').split('\n');
  const instructions = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/\s+/));
  t.same(new Set(instructions.map(([word]) => word)), new Set(['FROM', 'COPY', 'RUN', 'ENTRYPOINT', 'CMD']));
  const copied = instructions.filter(([word]) => word === 'COPY').flatMap((words) => words.slice(1, -1));
  for (const name of copied) {
    if (name === 'dist/deb/plugd_*.deb')
      t.match(readFileSync(join(root, 'deploy/debian/build.mjs'), 'utf8'), /dist\/deb/);
    else t.ok(existsSync(join(root, name)), name);
  }
  const stages = new Set<string>();
  for (const [word, image = '', , stage] of instructions) {
    if (word !== 'FROM') continue;
    t.ok(/[/:]/.test(image) || stages.has(image), `${image} is an image or a stage`);
    if (stage !== undefined) stages.add(stage);
  }
  t.same([...stages], ['plugd', 'dkms']);
  t.end();
});

t.test('the DaemonSet runs commands that exist on folders that it mounts', async (t) => {
  const set = parse(read('kubernetes.yaml')) as {
    kind: string;
    spec: { selector: { matchLabels: object }; template: { metadata: { labels: object }; spec: Pod } };
  };
  t.equal(set.kind, 'DaemonSet');
  t.same(set.spec.selector.matchLabels, set.spec.template.metadata.labels);
  const pod = set.spec.template.spec;
  const volumes = pod.volumes.map(({ name }) => name);
  const all = [...pod.initContainers, ...pod.containers];
  t.same(new Set(all.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name))), new Set(volumes));
  t.same(
    all.map(({ name }) => name),
    ['dkms', 'agent', 'features'],
  );
  for (const { args, command, readinessProbe } of all) {
    if (args !== undefined) await checkCommand(t, args);
    if (readinessProbe !== undefined) await checkCommand(t, readinessProbe.exec.command.slice(1));
    const script = command?.find((word) => word.endsWith('.mjs'));
    if (script !== undefined) t.ok(read('Containerfile').includes(script.slice('/opt/plugd/'.length)));
  }
  const written = all.flatMap(({ volumeMounts }) => volumeMounts.filter(({ readOnly }) => readOnly !== true));
  t.same(
    written.map(({ mountPath }) => mountPath),
    ['/lib/modules', '/var/lib/dkms', '/features'],
  );
});

t.test('README names the files that are there, and commands that exist', async (t) => {
  const text = read('README.md');
  for (const name of readdirSync(folder)) if (name !== 'README.md') t.ok(text.includes(name), name);
  for (const [, words = ''] of text.matchAll(/\| `((?:coldplug|agent|dkms)[^`]*)`/g))
    await checkCommand(t, words.split(' '));
});

t.test('labels of a machine', (t) => {
  const { base } = diagnosticsRig(t);
  const plugd = join(root, 'dist/plugd.cjs');
  const figures = spawnSync(process.execPath, [plugd, 'devices', '--metrics', ...machineOptions(base, KERNEL)]);
  t.equal(figures.status, 0, figures.stderr.toString());
  const label = (input: string | Buffer): string[] => {
    const ended = spawnSync(process.execPath, [join(folder, 'nfd-features.mjs'), join(base, 'features')], { input });
    t.equal(ended.status, 0, ended.stderr.toString());
    return readFileSync(join(base, 'features'), 'utf8').split('\n').slice(0, -1);
  };
  const lines = label(figures.stdout);
  const attention = figures.stdout.toString().match(/^plugd_device_attention\{/gm)?.length ?? 0;
  t.ok(attention > 0);
  t.same(lines.slice(0, 2), ['plugd.ready=false', `plugd.attention=${attention}`]);
  t.equal(lines.length, 2 + Math.min(20, attention));
  // Kubernetes' rule for names and values of labels.
  for (const line of lines)
    t.match(line, /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?=[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/);
  t.same(label('# nothing\n'), ['plugd.ready=true', 'plugd.attention=0']);
  const odd = 'plugd_device_attention{subsystem="of",device="/soc/x@1:é_",verdict="no-match",modules=""} 1\n';
  t.same(label(odd)[2], 'plugd.of.-soc-x-1=no-match');
  t.same(
    readdirSync(base).filter((name) => name.includes('.new')),
    [],
    'nothing is left beside it',
  );
  t.end();
});
