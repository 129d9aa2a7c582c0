/** Parts of plugd outside its package that may be of another version: units, the kernel's request helper, the running agent. Reads only. */
import { readText } from '../../facts/attribute.ts';
import { REQUEST_HELPER, requestHelper } from '../../facts/config/shipped-file.ts';
import { VERSION } from '../../base/version.ts';
import { counted } from '../../base/words.ts';
import type { Finding, HealthFacts, PartFacts } from './health.ts';

/** The folders of units, the one that counts first (systemd.unit(5)). */
const UNIT_FOLDERS = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map((place) => `${place}/systemd/system`);
const UNITS = ['plugd.service', 'plugd-settle.service', 'plugd-dkms.service'];

/**
 * The parts of a machine: its units below `root`, its kernel's helper (`kernel.modprobe`), its agent's version where one answers.
 *
 *     readParts('', '/sbin/modprobe', undefined)   // { units: 0, others: [] }
 */
export function readParts(root: string, helper: string | undefined, agentVersion: string | undefined): PartFacts {
  const units = UNITS.flatMap((unit) => {
    const file = UNIT_FOLDERS.map((folder) => `${folder}/${unit}`).find((path) => readText(root + path) !== undefined);
    return file === undefined ? [] : [{ file, version: versionOfUnit(readText(root + file) ?? '') }];
  });
  const others = units.flatMap(({ file, version }) =>
    version === VERSION
      ? []
      : [`${file} is of ${version === undefined ? 'a plugd that names no version' : `plugd ${version}`}`],
  );
  if (helper?.endsWith(`/${REQUEST_HELPER}`) === true && helper !== requestHelper())
    others.push(`kernel.modprobe is the helper of another plugd: ${helper}`);
  if (agentVersion !== undefined && agentVersion !== VERSION) others.push(`the running agent is plugd ${agentVersion}`);
  return { units: units.length, others };
}

/** plugd's units say it in a section that systemd passes over: `[X-Plugd]`, `Version=0.1.0`. */
function versionOfUnit(text: string): string | undefined {
  return /^\[X-Plugd\]\n(?:[^[\n].*\n)*?Version=(\S+)$/m.exec(text)?.[1];
}

/** Units, helper and agent against this program. */
export function partsOfPlugd({ parts }: HealthFacts): Finding | undefined {
  if (parts === undefined) return undefined;
  const { units, others } = parts;
  if (others.length === 0) {
    return {
      state: 'ok',
      summary: units === 0 ? 'no units are installed' : `${counted(units, 'unit')} of plugd ${VERSION}`,
    };
  }
  return {
    state: 'warning',
    summary: `${counted(others.length, 'part')} of another version than plugd ${VERSION}`,
    evidence: others,
    remedy: 'install the units again (README, As a service), then: systemctl daemon-reload; systemctl restart plugd',
  };
}
