/** `dkms generate_mok`: makes the key that signs modules, and its certificate, where they are missing. */
import { prepareKey } from '../build/signing.ts';
import { signingPlaces } from '../build/signing-places.ts';
import type { DkmsSession } from './session.ts';

/** Makes key and certificate; gives 0 when both are there afterwards, else 1. */
export async function generateMok(session: DkmsSession): Promise<number> {
  const { parts, trees, tell } = session;
  const { distribution, running } = parts;
  const framework = session.signing(running);
  const kernel = { release: running.release, sourceDir: session.headersOf(running) };
  const places = signingPlaces({ kernel, framework, distribution, trees, config: '', env: process.env });
  return (await prepareKey({ distribution, tell }, places)) ? 0 : 1;
}
