/** A request for tests: `x` version 1 on kernel 6.1.0-56-amd64, in a folder of the test's own. */
import { join } from 'node:path';
import type { ConfRequest } from '../../../agent/dkms/conf/conf-request.ts';

export function confRequest(folder: string, changes: Partial<ConfRequest> = {}): ConfRequest {
  return {
    file: join(folder, 'dkms.conf'),
    module: 'x',
    version: '1',
    kernel: {
      release: '6.1.0-56-amd64',
      arch: 'x86_64',
      sourceDir: join(folder, 'modules/6.1.0-56-amd64/build'),
      config: undefined,
    },
    trees: { dkmsTree: '/var/lib/dkms', sourceTree: '/usr/src', installTree: join(folder, 'modules') },
    etc: join(folder, 'etc'),
    directives: [],
    variables: { parallel_jobs: '2' },
    strict: true,
    ...changes,
  };
}
