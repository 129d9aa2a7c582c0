import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import { parameterWords, sameValue, type GivenParameters } from '../diagnosis/parameters.ts';
import { placeText } from '../base/words.ts';

/**
 * Parameters that rules give to a loaded module and that it does not have: it was loaded before the rule was written, by an
 * initramfs whose copy lacks it, or with others. Sentences: `power_save=1 (/etc/modprobe.d/a.conf:1) is not in effect:
 * power_save is 0 now`. What sysfs does not show (permissions 0) cannot be told.
 */
export function idleOptions(host: Host, module: ModuleName, given: readonly GivenParameters[]): readonly string[] {
  const last = new Map<string, { readonly value: string | undefined; readonly from: GivenParameters }>();
  for (const from of given)
    for (const { name, value } of parameterWords(from.text)) last.set(name.replaceAll('-', '_'), { value, from });
  return [...last].flatMap(([name, { value, from }]) => {
    const now = readAttribute(`${host.sysfs}/module/${module}/parameters/${name}`);
    if (now === undefined || sameValue(value, now)) return [];
    const at = from.place === undefined ? '' : ` (${placeText(from.place)})`;
    return [`${name}${value === undefined ? '' : `=${value}`}${at} is not in effect: ${name} is ${now} now`];
  });
}

/** What to do about such options. */
export function reloadRemedy(module: ModuleName): string {
  return `load it again: modprobe -r ${module} && modprobe ${module}; if the initramfs loads it, rebuild that (update-initramfs -u, dracut -f)`;
}
