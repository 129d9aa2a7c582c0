/** The option --boot-lists, of load and agent. */
import { PlugdError } from '../../base/error.ts';
import type { BootDialectName } from '../../rules/boot/boot-entry.ts';
import { BOOT_DIALECT_NAMES } from '../../rules/boot/boot-list.ts';
import type { Arguments, Option } from '../command.ts';

const ALL = 'all';

/** Which lists for boot to load. */
export const BOOT_LISTS: Option = {
  long: 'boot-lists',
  value: 'DIALECT,...',
  multiple: true,
  otherwise: ALL,
  help: 'load what lists for boot name, of these dialects or of all',
};

/** Its value: undefined for all dialects. Errors: `usage` for a name that is none. */
export function dialectsOf(parsed: Arguments): readonly BootDialectName[] | undefined {
  const words = parsed.values(BOOT_LISTS).flatMap((value) => value.split(','));
  if (words.includes(ALL)) return undefined;
  return words.map((word) => {
    const dialect = BOOT_DIALECT_NAMES.find((name) => name === word);
    if (dialect !== undefined) return dialect;
    const remedy = `dialects are ${BOOT_DIALECT_NAMES.join(', ')}`;
    throw new PlugdError('usage', `--${BOOT_LISTS.long} ${word}: no such dialect`, { remedy });
  });
}
