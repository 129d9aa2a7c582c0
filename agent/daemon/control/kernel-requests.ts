/**
 * The kernel's own requests: /proc/sys/kernel/modprobe names the program that request_module() runs. While the agent serves,
 * that is the request helper (native/request-helper.c); what was there before is kept as the link RUN/modprobe, which the
 * helper follows when the agent does not answer, and is put back at the end. An agent that was killed leaves the helper in
 * place, which then is modprobe; the next agent finds the link.
 */
import { readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PlugdError, reason } from '../../base/error.ts';
import { shippedPath } from '../../facts/config/shipped-file.ts';
import { RUN_DIR } from './run-dir.ts';

/** Where the helper is in the package. */
const HELPER = 'native/build/Release/plugd-request';
/** kmod_path of kernel/module/kmod.c: KMOD_PATH_LEN with its NUL. */
const LONGEST_PATH = 255;
const USUAL_MODPROBE = '/sbin/modprobe';

/** The setting while the agent serves. */
export class KernelRequestSetting {
  readonly #file: string;
  readonly #link: string;
  readonly #helper: string;
  readonly #before: string;

  /**
   * Makes the kernel ask the agent. Call it when the control socket listens. Errors: `unsupported` (no helper, a path too long
   * for the kernel, another run directory than the helper's), `system`.
   */
  constructor(proc: string, runDir: string) {
    this.#file = `${proc}/sys/kernel/modprobe`;
    this.#link = `${runDir}/modprobe`;
    const helper = shippedPath(HELPER);
    if (helper === undefined) {
      throw new PlugdError('unsupported', `the request helper (${HELPER}) is not built`, {
        remedy: 'npm run build:native, or leave --serve-kernel-requests out',
      });
    }
    if (helper.length > LONGEST_PATH) {
      throw new PlugdError('unsupported', `the path of the request helper is too long for the kernel: ${helper}`);
    }
    if (runDir !== RUN_DIR && proc === '/proc') {
      throw new PlugdError('unsupported', `--serve-kernel-requests needs the run directory ${RUN_DIR}`, {
        remedy: 'the kernel runs the helper without arguments of ours, so it can look in one place only',
      });
    }
    this.#helper = helper;
    const now = this.#read();
    // A helper is there already, ours or that of an initramfs that has gone: whoever set it was killed. What it replaced stands in
    // the link.
    const left = basename(now) === basename(HELPER);
    this.#before = left ? (readLink(this.#link) ?? USUAL_MODPROBE) : now;
    rmSync(this.#link, { force: true });
    if (this.#before !== '') symlinkSync(this.#before, this.#link);
    this.#write(helper);
  }

  /** What was there before. */
  get before(): string {
    return this.#before;
  }

  /** Puts back what was there before, unless somebody else has changed it meanwhile. */
  restore(): void {
    if (this.#read() === this.#helper) this.#write(this.#before);
  }

  #read(): string {
    try {
      return readFileSync(this.#file, 'utf8').replace(/\n$/, '');
    } catch (error) {
      throw new PlugdError('system', `${this.#file}: ${reason(error)}`, {
        remedy: 'a kernel without CONFIG_MODULES asks for none; leave --serve-kernel-requests out',
        cause: error,
      });
    }
  }

  #write(path: string): void {
    try {
      writeFileSync(this.#file, `${path}\n`);
    } catch (error) {
      throw new PlugdError('system', `${this.#file}: ${reason(error)}`, {
        remedy: 'in a systemd unit this needs ProtectKernelTunables=no',
        cause: error,
      });
    }
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
