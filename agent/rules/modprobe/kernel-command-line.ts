/**
 * What the kernel command line says about modules. Two readers read the same text, each with its own grammar:
 *
 * - kmod (kmod_config_parse_kcmdline) takes words MODULE.PARAMETER[=VALUE] from the first 4095 bytes. An '=' before the
 *   first dot, or a second dot before the '=', makes kmod skip the word; dots and '=' in VALUE are fine. Quotes
 *   may hold VALUE together, or the whole word, as GRUB writes it: `"m.p=a b"` is `m.p="a b"`. It also skips words with
 *   white space inside quotes before the '=', or with quotes inside MODULE or PARAMETER.
 * - the kernel (next_arg in lib/cmdline.c) knows `module_blacklist=a,b`, up to a word `--`; the last one counts.
 *
 *     modprobe.blacklist=nouveau,pcspkr usbcore.autosuspend=-1 module_blacklist=floppy
 */
import { lookupKey, moduleName, type ModuleName, type Place } from '../../base/names.ts';
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { GrowingConfig } from './config.ts';

/** How much of the command line kmod looks at, in bytes. */
const KMOD_READS = 4095;

/** Adds what the command line holds to `config`. */
export function parseKernelCommandLine({ file, text }: ConfigText, config: GrowingConfig): void {
  const place: Place = { file, line: 1 };
  for (const { module, parameter } of moduleParameters(text.slice(0, KMOD_READS))) {
    if (module === 'modprobe' && parameter.startsWith('blacklist=')) {
      for (const verbatim of parameter.slice('blacklist='.length).split(',')) {
        // kmod compares the element as written, so `snd-hda-intel` never matches there; people mean the module.
        const name = moduleName(verbatim.replace(/^"|"$/g, ''));
        config.blacklists.push(name === verbatim ? { module: name, place } : { module: name, verbatim, place });
      }
      continue;
    }
    const name = lookupKey(module);
    // `ivrs_acpihid[00:14.5]=…` belongs to another subsystem; it is not a mistake.
    if (name !== undefined)
      config.options.push({ module: name as string as ModuleName, text: parameter.replaceAll('\t', ' '), place });
  }
  for (const name of kernelBlacklist(text)) config.kernelBlacklists.push({ module: name as ModuleName, place });
}

interface ModuleParameter {
  readonly module: string;
  /** `PARAMETER=VALUE`, or PARAMETER alone. */
  readonly parameter: string;
}

/** kmod's state machine. */
function moduleParameters(text: string): ModuleParameter[] {
  const found: ModuleParameter[] = [];
  let state: 'module' | 'parameter' | 'value' | 'ignore' = 'module';
  let inQuotes = false;
  let wordQuoted = false;
  let start = 0;
  let dot = 0;
  let equals = 0;
  const restart = (at: number) => {
    state = 'module';
    wordQuoted = false;
    start = at + 1;
  };
  for (let at = 0; at <= text.length; at++) {
    switch (text[at]) {
      case '"':
        inQuotes = !inQuotes;
        if (inQuotes && state === 'module' && at === start) {
          wordQuoted = true;
          start = at + 1;
        } else if (state !== 'value') {
          state = 'ignore';
        }
        break;
      case '.':
        if (state === 'module') {
          dot = at;
          state = 'parameter';
        } else if (state === 'parameter') {
          state = 'ignore';
        }
        break;
      case '=':
        if (state === 'module') {
          state = 'ignore';
        } else if (state === 'parameter') {
          equals = at;
          state = 'value';
        }
        break;
      case undefined:
      case '\0':
      case ' ':
      case '\n':
      case '\t':
      case '\v':
      case '\f':
      case '\r':
        if (inQuotes) {
          if (state !== 'value') state = 'ignore';
        } else if (state === 'parameter' || state === 'value') {
          const parameter = wordQuoted
            ? `${text.slice(dot + 1, equals + 1)}"${text.slice(equals + 1, at)}`
            : text.slice(dot + 1, at);
          found.push({ module: text.slice(start, dot), parameter });
          restart(at);
        } else {
          restart(at);
        }
        if (text[at] === '\0') return found;
        break;
      default:
    }
  }
  return found;
}

/** The elements of the last `module_blacklist=` that the kernel itself reads; empty when there is none. */
function kernelBlacklist(text: string): readonly string[] {
  const options = commandLineOptions(text);
  const end = options.findIndex(({ name, value }) => name === '--' && value === undefined);
  const last = options
    .slice(0, end < 0 ? options.length : end)
    .findLast(({ name, value }) => name === 'module_blacklist' && value !== undefined);
  return (last?.value ?? '').split(',').filter((name) => name !== '');
}

/** One option of the command line. */
export interface CommandLineOption {
  /** With '-' as '_', as the kernel and systemd compare names: `module_blacklist`. The word `--` is itself. */
  readonly name: string;
  /** Undefined without '='. */
  readonly value: string | undefined;
}

/**
 * The options of a kernel command line, in order: `modules-load="a,b" quiet` → modules_load with the value `a,b`, and quiet.
 * Blanks inside quotes do not separate; quotes around a word or its value are not part of it. Empty when there are none.
 */
export function commandLineOptions(text: string): readonly CommandLineOption[] {
  return [...text.matchAll(/(?:"[^"]*(?:"|$)|[^\s"])+/g)].map(([word]) => {
    const bare = word.startsWith('"') ? word.slice(1).replace(/"$/, '') : word;
    const equals = bare.indexOf('=');
    if (equals < 0) return { name: bare === '--' ? bare : bare.replaceAll('-', '_'), value: undefined };
    const value = bare.slice(equals + 1);
    return {
      name: bare.slice(0, equals).replaceAll('-', '_'),
      value: value.startsWith('"') ? value.slice(1).replace(/"$/, '') : value,
    };
  });
}
