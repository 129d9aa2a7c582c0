/** The text of `plugd closure`. Builds text only. */
import { counted } from '../../base/words.ts';
import type { Closure, ClosureFile, ClosureGap, ClosureReason } from '../../records/closure.ts';
import { labelled } from '../layout.ts';
import { fit, paint, readable, sizeText, type Terminal } from '../terminal.ts';

/** `pci 0000:00:02.0 of r820`, `softdep (pre) of mii`, `firmware a.bin of tg3`. */
export function reasonText(why: ClosureReason): string {
  switch (why.kind) {
    case 'device':
      return `${why.device.slice(why.device.lastIndexOf('/') + 1)} of ${why.machine}: ${why.name}`;
    case 'name':
      return `named: ${why.name}`;
    case 'request':
      return `the kernel of ${why.machine} asks for ${why.name}`;
    case 'storage':
      return `${why.name} for ${why.of}${why.machine === undefined ? '' : ` of ${why.machine}`}`;
    case 'firmware':
      return `firmware ${why.name} of ${why.of}`;
    case 'link':
      return `${why.from} leads to it`;
    default:
      return `${why.kind} of ${why.of}`;
  }
}

/** What is missing, and sums; `verbose` also names each file with its reason. */
export function closureText(closure: Closure, terminal: Terminal, verbose: boolean): string {
  const { files, missing, bytes, machines } = closure;
  const lines: string[] = [];
  if (verbose) for (const file of files) lines.push(fileLine(file, terminal));
  const firmware = missing.filter(({ kind }) => kind === 'firmware');
  for (const gap of missing) if (verbose || gap.kind !== 'firmware') lines.push(...gapLines(gap, terminal));
  const count = (kind: ClosureFile['kind']) => files.filter((file) => file.kind === kind).length;
  const who =
    machines.length === 0 ? '' : ` for ${machines.length === 1 ? machines[0] : `${machines.length} machines`}`;
  const modules = `${counted(count('module'), 'module')}, ${sizeText(bytes.modules)}`;
  const images = `${counted(count('firmware'), 'firmware file')}, ${sizeText(bytes.firmware)}`;
  const sums =
    count('firmware') === 0
      ? `${modules}; no firmware`
      : `${modules}; ${images}; ${sizeText(bytes.modules + bytes.firmware)} in all`;
  const head = `Linux ${readable(closure.kernel)}${readable(who)}: ${sums}`;
  lines.push(...labelled('', head, terminal, 0).map((line) => paint(terminal, 'bold', line)));
  if (firmware.length > 0 && !verbose)
    lines.push(`${counted(firmware.length, 'firmware name')} without a file (-v names them)`);
  return `${lines.join('\n')}\n`;
}

function fileLine({ path, why }: ClosureFile, terminal: Terminal): string {
  return fit(`${readable(path)}  ${readable(reasonText(why))}`, Math.max(terminal.width, 80));
}

function gapLines({ kind, name, because, why }: ClosureGap, terminal: Terminal): readonly string[] {
  const word = kind === 'kept-out' ? 'kept out' : 'missing';
  const asker = why === undefined ? '' : ` (${reasonText(why)})`;
  const what = kind === 'kept-out' ? 'module' : kind;
  return labelled(word, `${what} ${readable(`${name}: ${because}${asker}`)}`, terminal, 10);
}
