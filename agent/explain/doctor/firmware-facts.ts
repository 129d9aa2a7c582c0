/** Which firmware modules name, and whether it is there. Reads only. */
import type { Host } from '../../base/host.ts';
import { moduleFile, type ModuleName } from '../../base/names.ts';
import { openFirmware } from '../../facts/devices/firmware.ts';
import { readKernelLog } from '../../facts/kernel/kernel-log.ts';
import { readLoadedModules } from '../../facts/kernel/kernel-state.ts';
import { modinfoValues } from '../../facts/modfiles/modinfo.ts';
import { openModuleFile } from '../../facts/modfiles/module-file.ts';
import type { Sources } from '../../load/sources.ts';
import type { FirmwareFacts, Tell } from './health.ts';
/** The firmware that loaded and wanted modules name, and files that the kernel could not find according to its log. */
export function firmwareFacts(
  host: Host,
  { matcher }: Sources,
  wanted: readonly ModuleName[],
  tell: Tell = () => {},
): readonly FirmwareFacts[] {
  const firmware = openFirmware(host);
  const loaded = readLoadedModules(host)?.keys() ?? [];
  const failed = host.root === '' ? failedFirmware() : new Set<string>();
  const facts: FirmwareFacts[] = [];
  const modules = new Set([...loaded, ...wanted]);
  let done = 0;
  for (const module of modules) {
    tell('firmware of modules', done++, modules.size);
    const path = matcher.dependencies(module)?.path;
    if (path === undefined) continue;
    const file = openModuleFile(host.root, moduleFile(host, path));
    if (file.kind !== 'module') continue;
    const named = modinfoValues(file.modinfo, 'firmware');
    file.close();
    if (named.length === 0) continue;
    const missing = named.filter((name) => firmware.find(name) === undefined);
    facts.push({ module, named: named.length, missing, failed: missing.filter((name) => failed.has(name)) });
  }
  return facts;
}

/** `tg3 0000:02:00.0: Direct firmware load for tigon/tg3_tso.bin failed with error -2` */
function failedFirmware(): ReadonlySet<string> {
  const names = (readKernelLog() ?? []).map(
    ({ text }) => /firmware load for (\S+) failed with error -2/.exec(text)?.[1],
  );
  return new Set(names.filter((name) => name !== undefined));
}
