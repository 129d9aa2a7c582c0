/**
 * The answer to `plugd test DEVICE`: what would be loaded for a device, module, modalias or module file, by the code that loads. Changes
 * nothing, but for testInserted (`--insert`), which inserts the modules to see whether the prediction holds.
 */
import { existsSync } from 'node:fs';
import { isModuleFileName } from '../facts/modfiles/module-file-name.ts';
import { resolve } from 'node:path';
import type { Host } from '../base/host.ts';
import { PlugdError } from '../base/error.ts';
import { moduleName, moduleNameFromPath, type Devpath } from '../base/names.ts';
import { nearestWord } from '../base/spelling.ts';
import { readNames } from '../facts/attribute.ts';
import { readDevice, type Device } from '../facts/devices/device.ts';
import { findDevice, type DeviceSearch } from '../facts/devices/device-search.ts';
import { missingOfModalias } from '../facts/devices/device-word.ts';
import { bound, type BoundDevice } from '../facts/devices/bound-device.ts';
import { quoted } from '../base/words.ts';
import { ending, type Ending } from '../records/ending.ts';
import type { DeviceReport, Investigation, InvestigationSubject, RequestReport } from '../records/investigation.ts';
import { Examiner } from './examination.ts';
import { insertRequests } from './insertion-trial.ts';
import { Investigator } from './investigation.ts';
import { judge, judgeParts, withoutTree } from './judgement.ts';
import { nearMiss } from './near-miss.ts';
import { findSources, type Sources } from '../load/sources.ts';

/** What one DEVICE argument leads to: everything about it, and its device, if it has one. */
export interface DeviceTest {
  readonly investigation: Investigation;
  /** The part of the investigation that an insertion does not change. */
  readonly subject: InvestigationSubject;
  readonly device: Device | undefined;
  readonly sources: Sources | undefined;
}

/**
 * Investigates an argument of the command line: a path, node, bus address, network interface, MODALIAS, the name of a module or
 * alias, or a module file. Changes nothing. Errors: `not-found` when it matches nothing; `usage` for several devices.
 */
export function testDevice(host: Host, word: string, params = ''): DeviceTest {
  const sources = findSources(host);
  const found = findDevice(host, word);
  const configuration = sources.kind === 'no-tree' ? [] : sources.configFiles;
  const base = { asked: word, kernel: host.kernel, moduleDir: host.moduleDir, configuration };
  if (found.kind === 'ambiguous') {
    throw new PlugdError('usage', `${word} is the name or ID of ${found.devpaths.length} devices`, {
      remedy: `name one by its path: ${found.devpaths.join(' ')}`,
    });
  }
  if (found.kind === 'absent')
    throw new PlugdError('not-found', found.looked, {
      remedy: 'plugd devices lists what is there; of another machine, give the MODALIAS',
    });
  if (found.kind === 'device') {
    const device = bound(host.sysfs, found.device);
    const shown = { ...base, meant: found.meant, device: deviceReport(device) };
    if (sources.kind === 'no-tree')
      return {
        investigation: { ...shown, requests: [], ...withoutTree(host, sources, device) },
        subject: shown,
        device,
        sources: undefined,
      };
    const investigator = new Investigator({ host, sources, deep: true });
    const requests = [
      ...investigator.device(device),
      ...partsOf(host, device).flatMap((part) =>
        investigator.device(part).map((request) => ({ ...request, of: part.name })),
      ),
    ];
    const end = withNearMiss(host, sources, requests, endingOf(host, device, requests));
    return { investigation: { ...shown, requests, ...end }, subject: shown, device, sources };
  }
  if (sources.kind === 'no-tree') {
    return {
      investigation: { ...base, meant: word, requests: [], ...withoutTree(host, sources, undefined) },
      subject: { ...base, meant: word },
      device: undefined,
      sources: undefined,
    };
  }
  const investigator = new Investigator({ host, sources, deep: true });
  const isPath = isModuleFileName(word);
  const name = found.kind === 'modalias' ? found.modalias : word;
  if (isPath && !existsSync(word))
    throw new PlugdError('not-found', `there is no file ${word}`, {
      remedy: `to test a module of the tree, use its name: ${moduleNameFromPath(word)}`,
    });
  if (params !== '' && !isPath)
    throw new PlugdError('usage', 'parameters can be given for a module file only', {
      remedy: 'for other modules write them in modprobe.d',
    });
  const request = isPath ? investigator.file(resolve(word), params) : investigator.request(name);
  const judged = withNearMiss(host, sources, [request], judge(host, undefined, [request]));
  // A module that nearly answers says more than the shape of the word.
  const end = (judged.evidence.length > 0 ? undefined : unfinished(found, request)) ?? judged;
  const known = request.candidates.length > 0 || end.evidence.length > 0 || KERNEL_REQUEST.test(word);
  if (found.kind === 'none' && !known) throw unknownWord(sources, word, found.looked);
  const byName = request.candidates.some(({ source }) => source === 'modules.dep' || source === 'modules.builtin');
  const meant = isPath
    ? `the file ${word}`
    : found.kind === 'modalias'
      ? 'a MODALIAS'
      : byName
        ? 'the name of a module'
        : 'an alias';
  const subject = { ...base, meant };
  return { investigation: { ...subject, requests: [request], ...end }, subject, device: undefined, sources };
}

/** A MODALIAS with a part missing, which is why nothing matches it. */
function unfinished(found: DeviceSearch, { verdict, malformed }: RequestReport): Ending | undefined {
  if (found.kind !== 'modalias' || verdict !== 'no-match' || malformed !== undefined) return undefined;
  const missing = missingOfModalias(found.modalias);
  if (missing === undefined) return undefined;
  return ending('no-match', `${quoted(found.modalias)} is no complete MODALIAS: ${missing}`, {
    remedy: 'give it whole, as /sys/…/modalias and plugd devices --json show it',
  });
}

/** Names that request_module() uses; they are valid even if nothing here answers them. */
const KERNEL_REQUEST =
  /^(fs|net-pf|char-major|block-major|crypto|binfmt|tcp|nfct-helper|ip[6]?t|rtnl-link|netdev|devname)-/;

function unknownWord({ tree }: Sources, word: string, looked: string): PlugdError {
  const names = [...(tree.indexes.dep?.entries() ?? []), ...(tree.indexes.builtin?.entries() ?? [])];
  const meant = nearestWord(
    word.replaceAll('-', '_'),
    names.map(({ key }) => key),
  );
  return new PlugdError('not-found', `${looked}, nor is it the name of a module or alias`, {
    remedy: meant === undefined ? 'plugd devices lists what is there' : `did you mean ${meant}?`,
  });
}

/** A USB device requests nothing itself: its interfaces do. */
function partsOf(host: Host, { devpath, name, properties }: Device): readonly BoundDevice[] {
  if (properties.get('DEVTYPE') !== 'usb_device') return [];
  return readNames(host.sysfs + devpath)
    .filter((entry) => entry.startsWith(`${name}:`) || entry.startsWith(`${name.replace(/^usb(\d+)$/, '$1-0')}:`))
    .flatMap((entry) => readDevice(host.sysfs, `${devpath}/${entry}` as Devpath) ?? [])
    .map((part) => bound(host.sysfs, part));
}

function endingOf(host: Host, device: BoundDevice | undefined, requests: readonly RequestReport[]): Ending {
  if (device === undefined) return judge(host, undefined, requests);
  return judgeParts(host, device, partsOf(host, device), requests);
}

/** If nothing matches, a module may have been overlooked. */
function withNearMiss(host: Host, sources: Sources, requests: readonly RequestReport[], end: Ending): Ending {
  if (end.verdict !== 'no-match' || requests.some(({ malformed }) => malformed !== undefined)) return end;
  const miss = nearMiss(
    host,
    sources,
    requests.map(({ name }) => name),
  );
  return miss === undefined ? end : { ...end, ...miss };
}

/** Inserts what a test found; returns the same investigation with what happened. */
export async function testInserted(
  host: Host,
  { investigation, subject, device, sources }: DeviceTest,
): Promise<Investigation> {
  if (sources === undefined) return investigation;
  const requests = await insertRequests(host, sources, new Examiner(host, sources), investigation.requests);
  const now = device === undefined ? undefined : bound(host.sysfs, device);
  const shown = now === undefined ? subject : { ...subject, device: deviceReport(now) };
  return { ...shown, requests, ...endingOf(host, now, requests) };
}

function deviceReport(device: BoundDevice): DeviceReport {
  return {
    devpath: device.devpath,
    subsystem: device.subsystem,
    name: device.name,
    modaliases: device.modaliases,
    properties: Object.fromEntries(device.properties),
    driver: device.driver,
    driverModule: device.driverModule === undefined ? undefined : moduleName(device.driverModule),
  };
}
