/** Plans against Debian's `modprobe --show-depends`, for every module of Debian's trees. */
import t from 'tap';
import { fnmatch } from '../../../agent/base/fnmatch.ts';
import { moduleName, moduleNameFromPath } from '../../../agent/base/names.ts';
import type { Step } from '../../../agent/plan/plan.ts';
import { createPlanner, kmodOptions } from '../../../agent/plan/planner.ts';
import type { AliasRule } from '../../../agent/rules/modprobe/config.ts';
import { decide } from '../../../agent/rules/modprobe/decision.ts';
import { needCommands, runProgram } from '../../fixtures/commands.ts';
import { debianTree, type DebianTree } from '../../fixtures/debian.ts';
import { Random } from '../../fixtures/random.ts';
import { configArguments, openTree, treeArguments, writeSet } from './modprobe.ts';
import { NASTY, NASTY_NAMES } from './nasty-config.ts';

/** Names through lookup, rules and planner, as `modprobe --show-depends` prints them. */
function openPlans(tree: DebianTree, paths: readonly string[]) {
  const { matcher, config, host, modules, builtin } = openTree(tree, paths);
  const { moduleDir } = host;
  const planner = createPlanner({ matcher, config, moduleDir, kernelBlacklist: false, state: () => undefined });
  const show = (name: string, ignoreCommands = false): string[] => {
    const lookup = matcher.lookup(name);
    if (lookup.kind !== 'found') return [];
    return decide(config, lookup)
      .filter(({ kind }) => kind !== 'blacklisted')
      .flatMap(({ candidate }) => planner.plan(candidate, name, { ignoreLoaded: true, ignoreCommands }).printed)
      .map((step) => printed(step))
      .filter((line) => line !== '');
  };
  return { planner, matcher, config, show, modules, builtin };
}

function printed(step: Step): string {
  if (step.command !== undefined) return `install ${step.command.raw} ${kmodOptions(step.origins)}`;
  if (step.state === 'builtin') return `builtin ${step.module}`;
  return step.path === '' ? '' : `insmod ${step.path} ${kmodOptions(step.origins)}`;
}

const BATCH = 200;

/** `modprobe -a -D` of all names, many in a process; names whose output is not `expected` are asked one by one. */
async function compareShowDepends(
  args: readonly string[],
  names: readonly string[],
  expected: (name: string) => string[],
): Promise<{ lines: number; wrong: string[] }> {
  const wrong: string[] = [];
  let lines = 0;
  const ask = async (batch: readonly string[]) =>
    (await runProgram('modprobe', [...args, '-a', '-D', ...batch], { encoding: 'latin1' })).stdout;
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  const check = async (batch: readonly string[]): Promise<void> => {
    const oracle = await ask(batch);
    const own = text(batch.flatMap((name) => expected(name)));
    if (oracle === own) {
      lines += oracle.split('\n').length - 1;
      return;
    }
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      wrong.push(`${only}\n--- modprobe\n${oracle}--- plugd\n${own}`);
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await check(batch.slice(0, half));
    if (wrong.length < 5) await check(batch.slice(half));
  };
  for (let from = 0; from < names.length; from += BATCH) {
    // One process at a time: another test file has the other CPU.
    await check(names.slice(from, from + BATCH));
    if (wrong.length >= 5) break;
  }
  return { lines, wrong };
}

const tools = await needCommands(['modprobe', 'unshare']);
const skip = tools.kind === 'missing' && tools.sentence;

const trees = await Promise.all(
  (['amd64', 'arm64'] as const).map(async (arch) => [arch, await debianTree(arch)] as const),
);

for (const [arch, tree] of trees) {
  if (tree.kind === 'missing' || skip !== false) {
    t.test(arch, { skip: tree.kind === 'missing' ? tree.sentence : skip }, (t) => t.end());
    continue;
  }
  t.test(`${arch}: every module as modprobe --show-depends prints it`, async (t) => {
    const plans = openPlans(tree, []);
    const args = [...treeArguments(tree), '-C', '/dev/null'];
    const { lines, wrong } = await compareShowDepends(args, [...plans.modules, ...plans.builtin], (name) =>
      plans.show(name),
    );
    t.same(wrong, []);
    t.ok(lines > 10_000, `${lines} lines`);
  });

  t.test(`${arch}: the edges of every plan are its dependencies, no more and no less`, (t) => {
    const plans = openPlans(tree, ['/dev/null']);
    const wrong: string[] = [];
    let edges = 0;
    for (const name of plans.modules) {
      const lookup = plans.matcher.lookup(name);
      const [candidate] = lookup.kind === 'found' ? lookup.candidates : [];
      const needs = new Map<string, ReadonlySet<string>>();
      for (const step of candidate === undefined ? [] : plans.planner.plan(candidate, name).steps) {
        const reached = new Set<string>();
        for (const { module, required } of step.after) {
          edges++;
          const below = needs.get(module);
          if (below === undefined) wrong.push(`${name}: ${step.module} after ${module}, which comes later`);
          if (required) for (const other of [module, ...(below ?? [])]) reached.add(other);
        }
        needs.set(step.module, reached);
        const depends = plans.matcher.dependencies(step.module)?.depends.map((path) => moduleNameFromPath(path)) ?? [];
        const same = depends.length === reached.size && depends.every((module) => reached.has(module));
        if (!same)
          wrong.push(`${name}: ${step.module} needs ${depends.join(' ')}, its edges reach ${[...reached].join(' ')}`);
      }
      if (!needs.has(name)) wrong.push(`${name}: has no step`);
    }
    t.same(wrong.slice(0, 5), []);
    t.ok(edges > 5000, `${edges} edges`);
    t.end();
  });

  t.test(`${arch}: every module with a nasty configuration`, async (t) => {
    const paths = writeSet(t.testdir(), NASTY);
    const plans = openPlans(tree, paths);
    const args = [...treeArguments(tree), ...configArguments(paths)];
    const names = [...NASTY_NAMES, ...plans.modules, ...plans.builtin];
    const { lines, wrong } = await compareShowDepends(args, names, (name) => plans.show(name));
    t.same(wrong, []);
    t.ok(lines > 10_000, `${lines} lines`);
    const ignoring = await compareShowDepends([...args, '-i'], names.slice(0, 600), (name) => plans.show(name, true));
    t.same(ignoring.wrong, [], 'with -i');
  });

  t.test(`${arch}: configurations put together at random`, async (t) => {
    const random = new Random(40);
    const { modules, builtin } = openTree(tree, ['/dev/null']);
    const wrong: string[] = [];
    let lines = 0;
    for (let round = 0; round < 25; round++) {
      // Names that no module has get no softdeps: modprobe loads those, and then fails.
      const real = [...Array.from({ length: 30 }, () => random.of(modules)), random.of(builtin)];
      const pool = [...real, 'zz-plugd-x', 'zz-plugd-y'];
      const name = () => (random.below(8) === 0 ? spoil(random.of(pool), random) : random.of(pool));
      const softened = () => (random.below(8) === 0 ? spoil(random.of(real), random) : random.of(real));
      const names = () => Array.from({ length: 1 + random.below(3) }, name).join(' ');
      const KINDS: ReadonlyArray<() => string> = [
        () => `softdep ${softened()} pre: ${names()}`,
        () => `softdep ${softened()} post: ${names()}`,
        () => `softdep ${softened()} pre: ${names()} post: ${names()}`,
        () => `softdep ${softened()} ${names()}`,
        () => `options ${name()} p${random.below(9)}=${random.below(99)}`,
        () => `install ${name()} echo $CMDLINE_OPTS ${random.below(9)}`,
        () => `alias ${name()} ${random.of(pool)}`,
        () => `blacklist ${name()}`,
      ];
      const text = Array.from({ length: 60 }, () => `${random.of(KINDS)()}\n`).join('');
      const paths = writeSet(t.testdir(), { 'a/a.conf': text });
      const plans = openPlans(tree, paths);
      const args = [...treeArguments(tree), ...configArguments(paths)];
      // kmod prints a module twice if two alias lines lead to it; plugd's lookup lists it once.
      const asked = pool.filter((each) => isUnique(plans.config.aliases, each));
      const result = await compareShowDepends(args, asked, (each) => plans.show(each));
      wrong.push(...result.wrong.map((each) => `round ${round}: ${each}`));
      lines += result.lines;
    }
    t.same(wrong, []);
    t.ok(lines > 5000, `${lines} lines`);
  });
}

/** The name with a wildcard in it, or other dashes. */
function spoil(name: string, random: Random): string {
  const at = 2 + random.below(name.length - 2);
  return random.of([
    `${name.slice(0, at)}*`,
    `${name.slice(0, at)}?${name.slice(at + 1)}`,
    `${name.slice(0, at)}[${name[at]}-]${name.slice(at + 1)}`,
    name.replaceAll('_', '-'),
  ]);
}

/** Whether the alias lines that match a name lead to different modules. */
function isUnique(aliases: readonly AliasRule[], name: string): boolean {
  const targets = aliases.filter(({ pattern }) => fnmatch(pattern, moduleName(name))).map(({ module }) => module);
  return new Set(targets).size === targets.length;
}
