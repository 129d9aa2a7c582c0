/** Why the kernel refuses a module, from facts: what happened (an errno, the kernel's log), or what would happen (neither yet). */
import { REFUSALS, rowsFor, type Cause } from './cause.ts';
import { factsOf, type DiagnosisInput, type Explanation } from './diagnosis-facts.ts';
import type { Refusal } from './evidence.ts';

/** One answer. */
export interface Diagnosis extends Explanation {
  readonly cause: Cause;
  /** Of a refusal that happened. */
  readonly errno: number | undefined;
}

/** Why a module was refused. There is always an answer: `other` when no row explains the errno. */
export function diagnose(input: DiagnosisInput & { readonly refusal: Refusal }): Diagnosis {
  const facts = factsOf(input);
  const { errno } = input.refusal;
  for (const row of rowsFor(input.refusal)) {
    const explanation = row.explain(facts);
    if (explanation !== undefined) return { cause: row.cause, errno, ...explanation };
  }
  return { cause: 'other', errno, evidence: [], remedy: undefined };
}

/** Why a module would be refused; undefined when the facts know of no reason. Its init may still answer what it likes. */
export function predict(input: Omit<DiagnosisInput, 'refusal'>): Diagnosis | undefined {
  const facts = factsOf({ ...input, refusal: undefined });
  for (const row of REFUSALS) {
    const explanation = row.predicts ? row.explain(facts) : undefined;
    if (explanation !== undefined) return { cause: row.cause, errno: undefined, ...explanation };
  }
  return undefined;
}
