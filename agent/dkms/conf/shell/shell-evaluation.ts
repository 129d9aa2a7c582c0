/** Evaluates files that assign shell variables: without a shell where they are plain, else by bash. */
import { toMachineText } from '../../../base/machine-text.ts';
import { namesInRoot } from '../../../base/root.ts';
import type { ConfFile } from '../conf-files.ts';
import { evaluatePlainly } from './plain-evaluation.ts';
import type { ShellQuestion } from './shell-question.ts';
import { evaluateInBash, type ShellAnswer } from './shell-run.ts';

/** The values after all files, each seeing those before it. A bash takes 10 ms or more, which `status` needs for each file and kernel. */
export function evaluateShell(files: readonly [ConfFile, ...ConfFile[]], question: ShellQuestion): ShellAnswer {
  const texts = files.map(({ text }) => text);
  const plain = evaluatePlainly(texts, question, () => namesInRoot('', '.').map((name) => toMachineText(name)));
  if (plain !== undefined) return { kind: 'values', ...plain, complaint: '' };
  const [first, ...others] = files;
  return evaluateInBash([first.path, ...others.map(({ path }) => path)], question);
}
