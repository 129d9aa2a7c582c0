/**
 * The first line of a recording: what it is, and of which machine. No serial number, name or address is in it.
 *
 *     {"recording":1,"architecture":"x86_64","kernel":"6.1.0-56-amd64","machine":"Dell Inc. Latitude E6430","date":"2026-11-28T07:00:00Z"}
 */
import { machine, release } from 'node:os';
import { PlugdError } from '../../base/error.ts';
import { toMachineText } from '../../base/machine-text.ts';
import { readAttribute, readText } from '../attribute.ts';
import { parseRoot, type RecordedRoot } from './recorded-root.ts';

/** The version of the format that this plugd writes, and the newest that it reads. */
export const RECORDING_FORMAT = 1;

/** What is known of a recorded machine. A recording without a first line (plugd 0.1, other programs) tells none of it. */
export interface RecordingHeader {
  /** As uname -m has it: `x86_64`, `aarch64`, `s390x`. */
  readonly architecture: string | undefined;
  /** `6.1.0-56-amd64` */
  readonly kernel: string | undefined;
  /** The model as the firmware names it: `Dell Inc. Latitude E6430`. */
  readonly machine: string | undefined;
  /** When it was recorded, ISO 8601. */
  readonly date: string | undefined;
  /** What its kernel asked for by itself since its agent began: `fs-ext4`, `crypto-xts(aes)`; undefined when nobody listened. */
  readonly asked?: readonly string[] | undefined;
  /** What the way from its root file system down to the disks needs; undefined when nobody looked. */
  readonly root?: RecordedRoot | undefined;
}

/** What is known of a machine that says nothing of itself. */
export const NO_HEADER: RecordingHeader = {
  architecture: undefined,
  kernel: undefined,
  machine: undefined,
  date: undefined,
};

/** The header of this machine, recorded at `date`. A sysfs elsewhere is another machine's: of that only the model is known. */
export function readHeader(sysfs: string, date: Date): RecordingHeader {
  const here = sysfs === '/sys';
  return {
    architecture: here ? machine() : undefined,
    kernel: here ? release() : undefined,
    machine: readModel(sysfs),
    date: `${date.toISOString().slice(0, 19)}Z`,
  };
}

/** What the kernel asks for by kind. Other names may be people's own: `netdev-` and the name of an interface. */
const KINDS = /^(fs|crypto|net-pf|md|dm|binfmt)-|^nls_/;
/** More names than any machine's kernel asks for. */
const MOST_ASKED = 1024;

/** Of the names that a kernel asked for those that a recording may keep, each once: `fs-ext4`, and no `netdev-alice`. */
export function keptRequests(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name) => KINDS.test(name)))].slice(0, MOST_ASKED);
}

/** What vendors leave in fields that they do not fill. */
const UNFILLED = /^(|to be filled by o\.?e\.?m\.?|default string|system manufacturer|system product name|none|\.)$/i;

function readModel(sysfs: string): string | undefined {
  const dmi = ['sys_vendor', 'product_name']
    .map((name) => (readAttribute(`${sysfs}/class/dmi/id/${name}`) ?? '').trim())
    .filter((text) => !UNFILLED.test(text));
  if (dmi.length > 0) return dmi.join(' ');
  // A string of a device tree ends with a NUL.
  const model = readText(`${sysfs}/firmware/devicetree/base/model`)?.replace(/\0.*$/s, '').trim();
  return model === undefined || model === '' ? undefined : model;
}

/** The header's line, with its newline. */
export function headerLine(header: RecordingHeader): string {
  return asciiJson({ recording: RECORDING_FORMAT, ...header });
}

/** The header that a JSON object is; undefined for a device. Errors: the text says what is wrong, for the caller's place. */
export function parseHeader(fields: Readonly<Record<string, unknown>>): RecordingHeader | string | undefined {
  const format = fields['recording'];
  if (format === undefined) return undefined;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1)
    return "'recording' is not a format's number";
  if (format > RECORDING_FORMAT) return `format ${format} is newer than this plugd, which reads ${RECORDING_FORMAT}`;
  const text = (key: string): string | undefined => {
    const value = fields[key];
    return typeof value === 'string' && value !== '' ? latin1(value) : undefined;
  };
  const asked = fields['asked'];
  const root = parseRoot(fields['root'], latin1);
  return {
    architecture: text('architecture'),
    kernel: text('kernel'),
    machine: text('machine'),
    date: text('date'),
    ...(Array.isArray(asked)
      ? { asked: keptRequests(asked.filter((name) => typeof name === 'string').map(latin1)) }
      : {}),
    ...(root === undefined ? {} : { root }),
  };
}

/** One line of JSON in ASCII, so that it survives every tool: bytes beyond it are written as \u00XX. */
export function asciiJson(value: unknown): string {
  return `${JSON.stringify(value).replaceAll(/[\x7f-\xff]/g, escape)}\n`;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Text of other tools may hold characters beyond a byte: they stand for their UTF-8 bytes. */
export function latin1(text: string): string {
  return /[^\x00-\xff]/.test(text) ? toMachineText(text) : text;
}

/** Bounds of what is read, in characters and devices: no machine comes near them. */
export const LONGEST_LINE = 1 << 20;
export const MOST_DEVICES = 100_000;

/** What a recording is, for the remedy of an error. */
export const REMEDY =
  "a recording is one JSON object per line, as 'plugd devices --record' writes it, or the text of 'udevadm info --export-db'";

/** The error of a line that no recording has. */
export function refused(file: string, line: number, what: string): PlugdError {
  return new PlugdError('usage', `${file}:${line}: ${what}`, { remedy: REMEDY });
}
