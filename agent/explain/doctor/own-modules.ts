/** The modules that this system builds itself, and the key that it signs them with. Reads only. */
import { existsSync } from 'node:fs';
import { machine } from 'node:os';
import { installedReleases, type Host } from '../../base/host.ts';
import { readReadiness, type ModuleReadiness } from '../../dkms/tree/readiness.ts';
import { enrolmentOf } from '../../trust/enrolment/enrolment.ts';
import { readEnrolmentFacts } from '../../trust/enrolment/enrolment-facts.ts';
import { enrolmentWords } from '../../trust/enrolment/enrolment-words.ts';
import { SIGNING_FILES } from '../../trust/known-certificates.ts';
import { DKMS_MOK } from '../../trust/mok-files.ts';
import type { EnrolmentHealth } from './health.ts';

/** The modules that dkms knows on this system, and how they stand with a kernel; none of another root, whose links lead elsewhere. */
export function readOutOfTree(root: string, kernel: string): readonly ModuleReadiness[] {
  if (root !== '') return [];
  const trees = { dkmsTree: '/var/lib/dkms', sourceTree: '/usr/src', installTree: '/lib/modules' };
  return readReadiness(trees, { release: kernel, arch: machine() }, installedReleases(root));
}

/** The key that a tool of this system signs modules with; dkms's where there is none. */
export function readEnrolment(host: Host): EnrolmentHealth {
  const places = SIGNING_FILES.find(({ certificate }) => existsSync(certificate)) ?? DKMS_MOK;
  const facts = readEnrolmentFacts(host, places);
  const state = enrolmentOf(facts);
  return { state, next: enrolmentWords(state, facts, places).steps[0] ?? '' };
}
