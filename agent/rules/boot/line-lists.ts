/**
 * Lists with a module a line. Pure.
 *
 *     /etc/modules-load.d/net.conf      br_netfilter
 *     /etc/modules                      loop max_loop=8
 *     /etc/initramfs-tools/modules      e1000e InterruptThrottleRate=1
 *
 * - modules-load.d (systemd-modules-load): blanks, TABs and carriage returns around a line do not count, nor do empty lines and
 *   those that begin with `#` or `;`. All the rest of a line is one name, so `loop max_loop=8` names a module that is not there.
 * - /etc/modules (Debian's kmod script, Alpine's modules script) and initramfs-tools' list: a name and its parameters; a line that
 *   begins with `#` is a comment.
 *
 * Sources: modules-load.d(5), systemd's modules-load.c, Debian's /etc/init.d/kmod, initramfs-tools' hook-functions.
 */
import type { ConfigText } from '../../facts/config/config-text.ts';
import type { BootDialectName, BootListEntry } from './boot-entry.ts';

/** The entries of a file of modules-load.d. */
export function readModulesLoadList({ file, text }: ConfigText): readonly BootListEntry[] {
  return lines(text).flatMap(([raw, line]) => {
    const name = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
    if (name === '' || /^[#;]/.test(name)) return [];
    return [{ dialect: 'modules-load.d', place: { file, line }, name, parameters: '', initramfsOnly: false }];
  });
}

/** The entries of a list of names with parameters: /etc/modules, or initramfs-tools' own. */
export function readNamesWithParameters(
  { file, text }: ConfigText,
  dialect: Extract<BootDialectName, 'etc-modules' | 'initramfs-tools'>,
): readonly BootListEntry[] {
  return lines(text).flatMap(([raw, line]) => {
    const [, name, parameters = ''] = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/s.exec(raw) ?? [];
    if (name === undefined || raw.startsWith('#')) return [];
    return [{ dialect, place: { file, line }, name, parameters, initramfsOnly: dialect === 'initramfs-tools' }];
  });
}

/** Each line with its number. */
function lines(text: string): ReadonlyArray<readonly [text: string, number: number]> {
  return text.split('\n').map((line, index) => [line, index + 1]);
}
