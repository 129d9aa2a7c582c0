/** What kind of mistake a compiler's error is. Pure. */
import type { ApiChange, FailureClass } from '../../../records/dkms/build-failure.ts';
import { apiChange } from './api-changes.ts';

/** An error's class, its words without decoration, and what it is about. */
export interface CompilerFinding {
  readonly class: FailureClass;
  readonly text: string;
  readonly subject: string | undefined;
  readonly change: ApiChange | undefined;
}

/** Folders of the kernel's own headers. */
const KERNEL_HEADER =
  /^(?:linux|asm|asm-generic|net|uapi|drm|sound|media|scsi|crypto|generated|trace|rdma|video|xen|acpi|kvm|pcmcia|target|ras|soc|dt-bindings)\//;

/**
 * The finding of an error's words; `next` is the line after it, which shows the source.
 *
 *     compilerFinding("implicit declaration of function 'from_timer'", '').class  // 'api-change'
 */
export function compilerFinding(words: string, next: string): CompilerFinding {
  const text = words.replace(/; did you mean .*?\?/, '').replace(/ \[-W(?:error=)?[^\]]*\]$/, '');
  for (const [pattern, kind, namesOf = groups] of RULES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const names = namesOf(match, next);
    const change = names.flatMap((name) => apiChange(name) ?? [])[0];
    const subject = change?.symbol ?? names[0];
    return { class: typeof kind === 'string' ? kind : kind(subject, change), text, subject, change };
  }
  // A warning that counts as an error: another compiler than the author's.
  const warning = /\[-Werror=([^\]]+)\]$/.exec(words)?.[1];
  if (warning !== undefined) return { class: 'compiler', text, subject: `-W${warning}`, change: undefined };
  return { class: 'source', text, subject: undefined, change: undefined };
}

type Names = (match: RegExpExecArray, next: string) => readonly string[];

type Rule = readonly [
  pattern: RegExp,
  kind: FailureClass | ((subject: string | undefined, change: ApiChange | undefined) => FailureClass),
  /** What it may be about, the likeliest first; else the first group. */
  names?: Names,
];

/** The groups of a match that took part in it. */
const groups: Names = ([, ...found]) => found.filter((group) => group !== undefined && group !== '');

/** `.remove = foo,` in a line of source: the member of every driver that may be meant. */
const memberIn: Names = (_, next) => {
  const member = /\.(\w+)\s*=/.exec(next)?.[1];
  if (member === undefined) return [];
  return [member, ...['platform_driver', 'i2c_driver', 'proto_ops'].map((struct) => `${struct}.${member}`)];
};

const RULES: readonly Rule[] = [
  [/No space left on device/, 'no-space'],
  [/Killed signal terminated program (\S+)/, 'killed'],
  [/(?:implicit declaration of function|call to undeclared (?:library )?function) '(\w+)'/, 'api-change'],
  [
    /^'?([\w./-]+\.h)'?(?:: No such file or directory| file not found)/,
    (header = '', change) => {
      if (change !== undefined) return 'api-change';
      return KERNEL_HEADER.test(header) ? 'missing-header' : 'missing-package';
    },
  ],
  [
    /'(?:const |volatile |struct |union )*(\w+)[^']*' has no member named '(\w+)'/,
    'api-change',
    ([, struct, member]) => [`${struct}.${member}`],
  ],
  [
    /no member named '(\w+)' in '(?:const |struct |union )*(\w+)'/,
    'api-change',
    ([, member, struct]) => [`${struct}.${member}`],
  ],
  [/too (?:many|few) arguments to function '(\w+)'/, 'api-change'],
  [/macro "(\w+)" (?:passed|requires) \d+ arguments/, 'api-change'],
  [/passing argument \d+ of '(\w+)' from incompatible pointer type/, 'api-change'],
  [/initialization of '.*' from incompatible pointer type/, 'api-change', memberIn],
  [/incompatible (?:function )?pointer types? (?:initializing|passing|assigning)/, 'api-change', memberIn],
  [/read-only (?:location|member|variable) '.*?(\w+)(?:\[[^']*)?'/, 'api-change'],
  [/unknown type name '(?:struct )?(\w+)'/, 'api-change'],
  [
    /storage size of '\w+' isn't known|field '\w+' has incomplete type|(?:undefined|incomplete) (?:definition of )?type '(?:struct )?(\w+)/,
    'api-change',
    ([, name], next) => [name ?? /struct (\w+)/.exec(next)?.[1] ?? []].flat(),
  ],
  [/'(CONFIG_\w+)' undeclared/, 'config-off'],
  [/'(\w+)' undeclared|use of undeclared identifier '(\w+)'/, 'api-change'],
  [/(?:conflicting types for|redefinition of|static declaration of) '(\w+)'/, 'api-change'],
  [/^#error .*?(CONFIG_\w+)/, 'config-off'],
  [/^#error .*(?:kernel|linux).*(?:version|support|old|new)/i, 'api-change'],
];
