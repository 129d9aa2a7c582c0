/** The key with which this system signs the modules that it builds. Reads only. */
import { existsSync } from 'node:fs';
import type { Host } from '../../base/host.ts';
import { enrolmentOf } from '../../trust/enrolment/enrolment.ts';
import { readEnrolmentFacts } from '../../trust/enrolment/enrolment-facts.ts';
import { enrolmentWords } from '../../trust/enrolment/enrolment-words.ts';
import { SIGNING_FILES } from '../../trust/known-certificates.ts';
import { DKMS_MOK } from '../../trust/mok-files.ts';
import type { EnrolmentHealth } from './health.ts';

/** The key that a tool of this system signs modules with; dkms's where there is none. */
export function readEnrolment(host: Host): EnrolmentHealth {
  const places = SIGNING_FILES.find(({ certificate }) => existsSync(certificate)) ?? DKMS_MOK;
  const facts = readEnrolmentFacts(host, places);
  const state = enrolmentOf(facts);
  const [next = ''] = enrolmentWords(state, facts, places).steps;
  return { state, next: `${next.charAt(0).toLowerCase()}${next.slice(1).replace(/\.$/, '')}` };
}
