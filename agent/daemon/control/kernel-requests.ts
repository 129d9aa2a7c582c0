/**
 * The kernel's own requests: /proc/sys/kernel/modprobe names the program that request_module() runs. While the agent serves,
 * that is the request helper (native/request-helper.c); what was there before is kept as the link RUN/modprobe, which the
 * helper follows when the agent does not answer, and is put back at the end. An agent that was killed leaves the helper in
 * place, which then is modprobe; the next agent finds the link.
 *
 * An empty setting is the documented way to switch the kernel's requests off (sysctl kernel.modprobe=''), and another program in it is
 * somebody's decision, too. Both stay as they are unless the caller was told to serve in any case. An empty one is remembered by a
 * link to NOWHERE, which no program can follow.
 */
import { readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PlugdError, reason } from '../../base/error.ts';
import { changeableBy } from '../../facts/config/permissions.ts';
import { REQUEST_HELPER, requestHelper } from '../../facts/config/shipped-file.ts';
import { clearName, inRunDir, RUN_DIR } from './run-dir.ts';

/** kmod_path of kernel/module/kmod.c: KMOD_PATH_LEN with its NUL. */
const LONGEST_PATH = 255;
const USUAL_MODPROBE = '/sbin/modprobe';
/** What the link says where the setting was empty: the kernel refuses to run it, and so does the helper. */
const NOWHERE = '/dev/null';

/** Over what a setting may be put: over a modprobe (or a helper that was left behind), or over anything. */
export type Replaceable = 'modprobe' | 'anything';

/** The setting while the agent serves. */
export class KernelRequestSetting {
  readonly #file: string;
  readonly #link: string;
  readonly #helper: string;
  readonly #before: string;

  /**
   * Makes the kernel ask the agent. Call it when the control socket listens. Errors: `unsupported` (no helper, one that others may
   * change, a path too long for the kernel, another run directory than the helper's, a setting that may not be replaced), `system`.
   */
  constructor(proc: string, runDir: string, replaceable: Replaceable) {
    this.#file = `${proc}/sys/kernel/modprobe`;
    this.#link = `${runDir}/modprobe`;
    const helper = requestHelper();
    if (helper === undefined) {
      throw new PlugdError('unsupported', `the request helper (${REQUEST_HELPER}) is not built`, {
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
    // The kernel runs it as root.
    const changeable = proc === '/proc' ? changeableBy(helper) : undefined;
    if (changeable !== undefined) {
      throw new PlugdError(
        'unsupported',
        `the kernel would run ${helper} as root, and ${changeable} is not root's alone`,
        {
          remedy: 'install plugd where only root may write, or leave --serve-kernel-requests out',
        },
      );
    }
    this.#helper = helper;
    const now = this.#read();
    // A helper is there already, ours or that of an initramfs that has gone: the process that set it was killed. What it replaced stands in
    // the link.
    const left = basename(now) === REQUEST_HELPER;
    this.#before = left ? remembered(this.#link) : now;
    if (replaceable === 'modprobe' && !this.isModprobe) {
      if (left) this.#write(this.#before);
      throw new PlugdError('unsupported', `${this.#file} is '${this.#before}', no modprobe: it is left alone`);
    }
    clearName(this.#link);
    inRunDir(this.#link, () => symlinkSync(this.#before === '' ? NOWHERE : this.#before, this.#link));
    this.#write(helper);
  }

  /** Whether a modprobe was there before; else somebody has switched the kernel's requests off, or handles them otherwise. */
  get isModprobe(): boolean {
    return basename(this.#before) === basename(USUAL_MODPROBE);
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

/** What a helper that was left behind has replaced. */
function remembered(link: string): string {
  try {
    const target = readlinkSync(link);
    return target === NOWHERE ? '' : target;
  } catch {
    return USUAL_MODPROBE;
  }
}
