/** `plugd rmmod`: removes modules as kmod does. Reads no configuration. */
import { existsSync } from 'node:fs';
import { errnoText } from '../../base/errno.ts';
import { openHost } from '../../base/host.ts';
import { moduleFile, moduleName, type ModuleName, moduleNameFromPath } from '../../base/names.ts';
import { modinfoValues } from '../../facts/modfiles/modinfo.ts';
import { readModuleInfo } from '../../facts/modfiles/module-info.ts';
import { findModuleUsers, type ModuleUser } from '../../facts/kernel/module-users.ts';
import { readHolders, readModuleState, readRefcount } from '../../facts/kernel/sys-module.ts';
import { removeModule } from '../../insert/removal.ts';
import { createMatcher, type Matcher } from '../../match/matcher.ts';
import { findTree } from '../../load/tree.ts';
import { machineWords } from '../machine-words.ts';
import { appletCommand, LEVEL, type Applet } from './applet.ts';
import { APPLET_OPTION, type AppletUsage } from './applet-help.ts';

const USAGE: AppletUsage = {
  name: 'rmmod',
  forms: ['[OPTION...] MODULE...'],
  about: 'Removes modules, without what they needed.',
  options: [
    { short: 'f', long: 'force', help: 'remove even if in use, which may crash the kernel' },
    APPLET_OPTION.syslog,
    APPLET_OPTION.verbose,
    APPLET_OPTION.version,
    APPLET_OPTION.help,
  ],
};

const SYSFS = '/sys';

async function main(applet: Applet, words: readonly string[]): Promise<number> {
  let force = false;
  applet.level = LEVEL.error;
  const operands = applet.start(USAGE, words, (name) => {
    if (name === 'force') force = true;
    else if (name === 'verbose') applet.level++;
  });
  if (operands.length === 0) return applet.fail('missing module name.');
  const matcher = openMatcher();
  let status = 0;
  for (const [i, word] of machineWords(operands).entries()) {
    // A name that is also a file means the file.
    const module = existsSync(operands[i] ?? '') ? moduleNameFromPath(word) : moduleName(word);
    if (!force && !isFree(applet, module, matcher)) {
      status = 1;
      continue;
    }
    // One at a time: a module may hold the next.
    const removal = await removeModule({ module, force });
    if (removal.kind === 'removed') continue;
    applet.error(`could not remove '${module}': ${errnoText(removal.errno)}`);
    applet.error(`could not remove module ${word}: ${errnoText(removal.errno)}`);
    status = 1;
  }
  return status;
}

/** Whether it can be removed; if not, after a complaint that says why. */
function isFree(applet: Applet, module: ModuleName, matcher: Matcher | undefined): boolean {
  const refuse = (why: string): false => {
    applet.error(why);
    return false;
  };
  if (matcher?.isBuiltin(module) === true) return refuse(`Module ${module} is builtin.`);
  if (readModuleState(SYSFS, module) === undefined) return refuse(`Module ${module} is not currently loaded`);
  const holders = readHolders(SYSFS, module);
  if (holders.length > 0) return refuse(`Module ${module} is in use by: ${holders.join(' ')}`);
  const count = readRefcount(SYSFS, module);
  if (count === undefined) return refuse('Module unloading is not supported');
  return count === 0 || refuse(`Module ${module} is in use${users(module, matcher)}`);
}

/** ` (mounted: /data (ext4); process 4711 hwclock has /dev/rtc0 open)`, or '' when no user can be found. */
function users(module: ModuleName, matcher: Matcher | undefined): string {
  const found = findModuleUsers({ sysfs: SYSFS, proc: '/proc', module, aliases: aliases(module, matcher) });
  return found.length === 0 ? '' : ` (${found.map(userText).join('; ')})`;
}

function userText(user: ModuleUser): string {
  return user.kind === 'mount'
    ? `mounted: ${user.place} (${user.type})`
    : `process ${user.pid} ${user.command} has ${user.device} open`;
}

/** The module's aliases in its file; empty when there is no file. */
function aliases(module: ModuleName, matcher: Matcher | undefined): readonly string[] {
  const path = matcher?.dependencies(module)?.path;
  if (path === undefined) return [];
  const info = readModuleInfo('', moduleFile(openHost(), path));
  return info.kind === 'not-a-module' ? [] : modinfoValues(info.fields, 'alias');
}

/** The running kernel's module tree; undefined without one, and then no module is known to be builtin. */
function openMatcher(): Matcher | undefined {
  const tree = findTree(openHost());
  return tree.kind === 'no-tree' ? undefined : createMatcher(tree.indexes, { aliases: [], commands: [] });
}

/** `plugd rmmod`. */
export const command = appletCommand(USAGE, main);
