/** Compares options of rules with the parameters of loaded modules. Reads sysfs; changes nothing. */
import type { Host } from '../base/host.ts';
import type { ModuleName } from '../base/names.ts';
import { readAttribute } from '../facts/attribute.ts';
import { parameterWords, sameValue, type GivenParameters } from '../diagnosis/parameters.ts';
import { placeText } from '../base/words.ts';

/**
 * Parameters that rules give to a loaded module but that it does not have: it was loaded before the rule was written, or by an
 * initramfs whose copy lacks the rule, or with other parameters. Sentences: `power_save=1 (/etc/modprobe.d/a.conf:1) is not in
 * effect: power_save is 0 now`. It says nothing about parameters that sysfs hides (permissions 0).
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
