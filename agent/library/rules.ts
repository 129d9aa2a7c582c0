/** Parses rules from texts. No I/O. */
import type { ConfigText } from '../facts/config/config-text.ts';
import type { Config } from '../rules/modprobe/config.ts';
import { mergeConfig } from '../rules/modprobe/merged-config.ts';

/**
 * The rules in texts of modprobe.d, in the order in which they count, and on a kernel command line, which comes last:
 *
 *     parseRules([{ file: 'a.conf', text: 'blacklist nouveau\n' }]).blacklists
 *     // [{ module: 'nouveau', place: { file: 'a.conf', line: 1 } }]
 *
 * Texts are latin1. Bad lines do not count, and `problems` has them with file, line and column. Never throws.
 */
export function parseRules(texts: readonly ConfigText[], commandLine?: ConfigText): Config {
  return mergeConfig({ texts, unread: [] }, commandLine);
}
