/** `plugd __complete`: prints the names of devices, buses, modules or kernels, for completions. Opens no index; changes nothing. */
import { openHost, installedReleases } from '../../base/host.ts';
import { moduleNameFromPath } from '../../base/names.ts';
import { readNames, readText } from '../../facts/attribute.ts';
import { EXIT, type Command } from '../command.ts';
import { printData } from '../output.ts';

type Reader = (sysfs: string) => readonly string[];

const READERS: Readonly<Record<string, Reader>> = {
  bus: (sysfs) => readNames(`${sysfs}/bus`),
  device: (sysfs) => readNames(`${sysfs}/bus`).flatMap((bus) => readNames(`${sysfs}/bus/${bus}/devices`)),
  loaded: (sysfs) =>
    readNames(`${sysfs}/module`).filter((name) => readNames(`${sysfs}/module/${name}`).includes('initstate')),
  module: () => modulesOf(openHost().moduleDir),
  kernel: () => installedReleases(''),
};

/** What no shell takes for anything but a name. */
const PLAIN = /^[\w.:@+,-]+$/;

/** `plugd __complete KIND`. */
export const command: Command = {
  name: '__complete',
  usage: 'KIND',
  async run([kind = '']) {
    const read = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
    const names = new Set(read?.('/sys').filter((name) => PLAIN.test(name)));
    printData(
      [...names]
        .toSorted()
        .map((name) => `${name}\n`)
        .join(''),
    );
    return EXIT.done;
  },
};

/** The names in modules.dep: the part of each line before its colon. */
function modulesOf(moduleDir: string): readonly string[] {
  const text = readText(`${moduleDir}/modules.dep`) ?? '';
  return text.split('\n').flatMap((line) => {
    const end = line.indexOf(':');
    return end < 0 ? [] : [moduleNameFromPath(line.slice(0, end))];
  });
}
