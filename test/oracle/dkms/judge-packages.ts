/**
 * Debian's packages of out-of-tree modules with plugd and with Debian's dkms; prints how the outcomes differ.
 *
 *     npm run oracle:dkms-packages [-- [--dkms] [--long] [PACKAGE…]]
 *
 * `--dkms` only lets dkms do it, whose outcomes are kept; `--long` takes those whose build takes minutes. PACKAGE is any of Debian 12's.
 */
import { dkmsRoot } from './dkms-root.ts';
import { differences, explanationOf, LONG_PACKAGES, packageFiles, PACKAGES, runPackages } from './dkms-packages.ts';

const words = process.argv.slice(2);
const usual: readonly string[] = words.includes('--long') ? LONG_PACKAGES : PACKAGES;
const named = words.filter((word) => !word.startsWith('-'));
const isUsual = named.every((name) => usual.includes(name));
const root = await dkmsRoot();
const debs = root.kind === 'ready' ? await packageFiles(isUsual ? usual : named) : root;
if (root.kind === 'missing' || typeof debs !== 'string') {
  console.error(typeof debs === 'string' ? '' : debs.kind === 'missing' && debs.sentence);
  process.exit(1);
}
let differing = 0;
for (const name of named.length > 0 ? named : usual) {
  const started = performance.now();
  const [dkms] = await runPackages(root, debs, 'dkms', [name]);
  const between = performance.now();
  const [plugd] = words.includes('--dkms') ? [] : await runPackages(root, debs, 'plugd', [name]);
  const seconds = [between - started, performance.now() - between].map((ms) => (ms / 1000).toFixed(0));
  const all = dkms === undefined || plugd === undefined ? [] : differences(plugd, dkms);
  const found = all.filter((sentence) => explanationOf(name, sentence) === undefined);
  const newer = [...new Set(all.flatMap((sentence) => explanationOf(name, sentence) ?? []))];
  if (found.length > 0) differing++;
  console.log(`${name}: ${found.length} differences (dkms ${seconds[0]} s, plugd ${seconds[1]} s)`);
  for (const sentence of found) console.log(`    ${sentence}`);
  for (const why of newer) console.log(`    ${all.length - found.length} more by a newer dkms: ${why}`);
  if (found.length > 0 && plugd !== undefined) console.log(plugd.installed.output.replaceAll(/^/gm, '    | '));
}
console.log(`${differing} packages differ`);
process.exitCode = differing > 0 ? 1 : 0;
