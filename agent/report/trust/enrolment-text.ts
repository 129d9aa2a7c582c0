/** The state of a machine owner key as text. Builds text only. */
import type { Enrolment, EnrolmentFacts } from '../../trust/enrolment/enrolment.ts';
import { enrolmentWords } from '../../trust/enrolment/enrolment-words.ts';
import type { MokPlaces } from '../../trust/mok-files.ts';
import { wrapped } from '../layout.ts';

/** The sentence and the steps as lines of at most `width` columns, the steps numbered. */
export function enrolmentText(state: Enrolment, facts: EnrolmentFacts, places: MokPlaces, width = 80): string {
  const { sentence, steps } = enrolmentWords(state, facts, places);
  const lines = steps.flatMap((step, i) =>
    wrapped(step, width - 5).map((line, j) => (j === 0 ? `  ${i + 1}. ${line}` : `     ${line}`)),
  );
  return `${[...wrapped(sentence, width), ...lines].join('\n')}\n`;
}
