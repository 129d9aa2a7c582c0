/** `plugd dkms`, and `dkms` as argv[0]: dkms's actions, options, texts and exit statuses. */
import { machine, release } from 'node:os';
import { readOsRelease } from '../../facts/config/os-release.ts';
import { frameworkVariables, readFramework, type Framework } from '../../dkms/conf/framework.ts';
import { distributionOf } from '../../dkms/install/distribution.ts';
import type { DkmsOptions } from '../../dkms/run/dkms-options.ts';
import { tellStatus } from '../../dkms/run/dkms-status.ts';
import { DkmsSession, type SessionParts } from '../../dkms/run/session.ts';
import type { MokPlaces } from '../../trust/mok-files.ts';
import type { DkmsMessage, Tell } from '../../records/dkms/message.ts';
import { buildsProgressText } from '../../report/dkms/builds-progress-text.ts';
import type { DkmsText } from '../../report/dkms/dkms-line.ts';
import { isLookMessage, lookText } from '../../report/dkms/look-text.ts';
import type { Command } from '../command.ts';
import { print, printJson, say, telling } from '../output.ts';
import { parseDkms, type SettingOptions } from './dkms-arguments.ts';

/** The dkms whose options, texts and statuses these are; package scripts compare it. */
const MODEL = '3.4.3';

const USAGE = `Usage: dkms [action] [options]
  [action]  = { add | remove | build | unbuild | install | uninstall | match |
               autoinstall | mktarball | ldtarball | status | generate_mok |
               kernel_preinst | kernel_postinst | kernel_prerm }
  [options] = [-m module] [-v module-version] [-k kernel-version] [-a arch]
              [-c dkms.conf-location] [-q] [--force] [--force-version-override] [--all]
              [--templatekernel=kernel] [--directive='cli-directive=cli-value']
              [--config=kernel-include/config/auto.conf-location] [--archive=tarball-location]
              [--kernelsourcedir=source-location] [--rpm_safe_upgrade]
              [--dkmstree path] [--sourcetree path] [--installtree path]
              [--binaries-only] [--source-only] [--verbose]
              [--no-depmod] [--modprobe-on-install] [-j number] [--version] [--help]
plugd's own:
  [action]  = { check [--repair] | prune [--dry-run] | resign | log |
               package_postinst }
  [options] = [--root directory] [--dry-run] [--sandbox | --no-sandbox] [--json]
`;

/** What results of builds may take of the disk. */
const CACHE_BYTES = 1 << 30;

async function main(words: readonly string[]): Promise<number> {
  process.umask(0o022);
  if (words[0] === 'package_postinst') return configure(words.slice(1));
  const parsed = parseDkms(words);
  switch (parsed.kind) {
    case 'version':
      print(`dkms-${MODEL}\n`);
      return 0;
    case 'help':
      print(USAGE);
      return 0;
    case 'error':
      say(`\nError! ${parsed.lines.map((line) => `${line}\n`).join('')}`);
      if (words.includes('--json')) printJson({ error: { code: 'usage', message: parsed.lines.join(' ') } });
      else if (parsed.usage) print(USAGE);
      return parsed.status;
    default: {
      for (const note of parsed.notes) say(`${note}\n`);
      const isStatus = parsed.options.action === 'status';
      // The output of `status` is dkms's alone.
      const isFree = !isStatus && (await speaksFreely());
      const isText = !parsed.quiet && !parsed.json;
      const tell = parsed.quiet
        ? untold
        : parsed.json
          ? tellJson
          : textTeller(isFree, isStatus ? wordsOfLook : await allWords());
      const session = openSession(parsed.options, parsed.settings, { tell, isFree, isText });
      if (isStatus) return tellStatus(session);
      // What builds and installs is loaded only where it is needed: scripts ask for the status again and again.
      const { runAction } = await import('../../dkms/run/action.ts');
      const status = await runAction(session);
      if (isText && isFree && parsed.settings.root === '') await sayKeyState(session.signedWith);
      return status;
    }
  }
}

/** `dkms package_postinst NAME VERSION [ARCHIVE-FOLDER [ARCH [OLD-VERSION]]]`: what Debian's common.postinst does. */
async function configure(words: readonly string[]): Promise<number> {
  const at = words.indexOf('--root');
  const options = at < 0 ? [] : words.slice(at, at + 2);
  const [name = '', version = '', archiveFolder = '', , upgradeFrom = ''] = at < 0 ? words : words.slice(0, at);
  const parsed = parseDkms(['add', ...options]);
  if (parsed.kind !== 'run') return 1;
  const isFree = await speaksFreely();
  const session = openSession(parsed.options, parsed.settings, {
    tell: textTeller(isFree, await allWords()),
    isFree,
    isText: true,
  });
  const boot = `${parsed.settings.root}/boot`;
  const { configurePackage } = await import('../../dkms/run/package-postinst.ts');
  return configurePackage(session, { module: { name, version }, archiveFolder, upgradeFrom, boot });
}

/** How a run speaks. */
interface Voice {
  readonly tell: Tell;
  /** Whether this run may do and say what dkms does not. */
  readonly isFree: boolean;
  /** People read it. */
  readonly isText: boolean;
}

function openSession(options: DkmsOptions, settings: SettingOptions, voice: Voice): DkmsSession {
  const { tell, isFree, isText } = voice;
  const { root } = settings;
  const etc = `${root}/etc/dkms`;
  const source = { etc, environment: process.env };
  const reading = readFramework(source);
  for (const message of reading.messages) tell(message);
  const os = readOsRelease(root);
  const framework = settled(reading.settings, settings);
  return new DkmsSession({
    trees: {
      dkmsTree: settings.dkmsTree ?? `${root}${framework.dkmsTree}`,
      sourceTree: settings.sourceTree ?? `${root}${framework.sourceTree}`,
      installTree: settings.installTree ?? `${root}${framework.installTree}`,
    },
    root,
    framework,
    source,
    options,
    os,
    distribution: os === undefined ? '' : distributionOf(os),
    etc,
    variables: { ...frameworkVariables(framework), force: options.force ? 'true' : '' },
    running: { release: release(), arch: machine() },
    tell,
    showBuilds: isFree && isText ? buildsShower() : undefined,
    asDkms: isNamedDkms(),
    cache: isFree ? { folder: `${root}/var/cache/plugd/dkms`, limit: CACHE_BYTES } : undefined,
  });
}

/** What dkms does not say. Scripts that compare its output see dkms's alone; people, and `plugd dkms`, see all of it. */
const ADDED: ReadonlySet<DkmsMessage['kind']> = new Set([
  'build-cost',
  'build-forecast',
  'explanation',
  'from-cache',
  'headers-hint',
  'key-lost',
  'walls-missing',
  'cannot-load',
]);

/**
 * Whether a person reads the output, or called plugd by its own name. Loading node:tty, with the network and streams behind it, would take a
 * tenth of a status.
 */
async function speaksFreely(): Promise<boolean> {
  return !isNamedDkms() || (await import('node:tty')).isatty(2);
}

function isNamedDkms(): boolean {
  return process.argv[1]?.endsWith('/dkms') === true;
}

/** Where the key stands that modules were signed with; nothing where the kernel asks for no signature. */
async function sayKeyState(key: MokPlaces | undefined): Promise<void> {
  if (key === undefined) return;
  const { readKeyState } = await import('../trust/key-state.ts');
  const state = readKeyState(key);
  if (state !== undefined) say(`\n${state.text}`);
}

/** On a terminal, one line says how far builds are. */
function buildsShower(): SessionParts['showBuilds'] {
  const show = telling();
  return (progress) => show(buildsProgressText(progress));
}

function untold(): void {
  // --quiet hides all of it, as in dkms.
}

/** The words of a message; undefined when there are none. */
type WordsOf = (message: DkmsMessage) => DkmsText | undefined;

/** All that `status` tells. Scripts ask for it again and again, and the words of builds would take a tenth of it. */
function wordsOfLook(message: DkmsMessage): DkmsText | undefined {
  return isLookMessage(message) ? lookText(message) : undefined;
}

async function allWords(): Promise<WordsOf> {
  return (await import('../../report/dkms/dkms-text.ts')).dkmsText;
}

function textTeller(isFree: boolean, wordsOf: WordsOf): Tell {
  return (message) => {
    if (ADDED.has(message.kind) && !isFree) return;
    const words = wordsOf(message);
    if (words?.to === 'out') print(words.text);
    else if (words !== undefined) say(words.text);
  };
}

function tellJson(message: DkmsMessage): void {
  printJson(message);
}

/** Options of the command line win over framework.conf. */
function settled(framework: Framework, settings: SettingOptions): Framework {
  return {
    ...framework,
    parallelJobs: settings.jobs ?? framework.parallelJobs,
    verbose: settings.verbose || framework.verbose,
    symlinkModules: settings.symlinkModules || framework.symlinkModules,
    modprobeOnInstall: settings.modprobeOnInstall || framework.modprobeOnInstall,
    buildSandbox: settings.sandbox ?? framework.buildSandbox,
  };
}

/** `plugd dkms`. */
export const command: Command = { name: 'dkms', usage: 'ACTION [OPTION…]', run: main };
