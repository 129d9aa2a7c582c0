/**
 * dkms's own test-suite, judging any program that answers as `dkms`. It runs as its authors released it, in a root of its own
 * (dkms-root.ts), but for one thing: it goes on after a difference and counts (counting.sh).
 *
 *     root/suite/run_test.sh BLOCK  →  dkms build -k 6.1.0-56-amd64 -m dkms_test -v 1.0  →  diff with what was expected
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../fixtures/cache.ts';
import { debianSource, type DebianFiles, type Missing } from '../../fixtures/debian.ts';
import { runInRoot, type Shown } from '../../fixtures/roots/overlay-root.ts';
import type { DkmsRoot } from './dkms-root.ts';

const project = join(import.meta.dirname, '../../../..');

/** Which part of the suite, in its own words and order. */
export const BLOCKS = [
  'basic',
  'signing',
  'autoinstall',
  'noautoinstall',
  'dependencies',
  'rebuild_dependencies',
  'replace',
  'multiple',
  'malformed',
  'multiversion',
  'noversion',
  'exclusive',
  'os-release',
  'incomplete',
  'broken',
] as const;

export type Block = (typeof BLOCKS)[number];

/** Who is judged: plugd as this project built it, or the dkms that the suite comes with. */
export type Subject = 'plugd' | 'dkms';

/** A check that failed: the line of run_test.sh, the step that it announced last, and what was said (a diff). */
export interface Failure {
  readonly line: number;
  readonly step: string;
  readonly said: string;
}

/** What a block said. `ended` is false when the suite stopped before its end, `output` then shows where. */
export interface Judgement {
  readonly block: Block;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly ended: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Arguments: the subject, `kept` or `real`, the block. Shown: /suite-given, /project, /told, /var/cache/kept-make. */
const RUN = `
  cp -a /suite-given /suite
  if [ "$1" = dkms ]; then
    make -s -C /suite install-debian
  else
    ln -s "$PLUGD" /usr/local/sbin/dkms
    mkdir -p /etc/dkms/framework.conf.d /usr/lib/dkms /var/lib/dkms
    [ ! -e "$HOOKS/dkms_autoinstaller" ] || cp "$HOOKS/dkms_autoinstaller" /usr/lib/dkms/
    # Older dkms signed in a chroot, too; newer suites set this themselves.
    [ -e /suite/test/framework/try_sign_modules_true.conf ] || echo try_sign_modules=true > /etc/dkms/framework.conf.d/sign.conf
  fi
  if [ "$2" = kept ]; then
    mkdir /usr/lib/kept-make
    mv /usr/bin/make /usr/lib/kept-make/make
    cp "$HERE/kept-make.sh" /usr/bin/make
    chmod 755 /usr/bin/make
  fi
  exec bash /suite/run_test.sh "$3" 3> /told/checks`;

/** The source of Debian 13's dkms, or the checkout of another that PLUGD_DKMS_SUITE names. */
export async function dkmsSource(): Promise<DebianFiles | Missing> {
  const checkout = process.env['PLUGD_DKMS_SUITE'];
  if (checkout === undefined || checkout === '') return debianSource('dkms', 'trixie');
  if (existsSync(join(checkout, 'run_test.sh'))) return { kind: 'ready', root: checkout };
  return { kind: 'missing', sentence: `PLUGD_DKMS_SUITE names ${checkout}, which has no run_test.sh.` };
}

/** The suite of an unpacked source of dkms 3.1.6 or later. */
export class Suite {
  /** `dkms-3.2.2`. */
  readonly version: string;
  readonly #source: string;
  readonly #root: DkmsRoot;
  readonly #lines: readonly string[];

  constructor(source: string, root: DkmsRoot) {
    this.#source = source;
    this.#root = root;
    const given = readFileSync(join(source, 'run_test.sh'), 'utf8');
    const start = /^DKMS_VERSION=.*$/m;
    if (!/^set -eu$/m.test(given) || !start.test(given))
      throw new Error(`${source}/run_test.sh is another than it was`);
    // Beside what is there, so that every line of the suite keeps its number.
    this.#lines = given
      .replace(/^set -eu$/m, 'set -u')
      .replace(start, (line) => `${line}; source "$HERE/counting.sh"`)
      .split('\n');
    const makefile = readFileSync(join(source, 'Makefile'), 'utf8');
    const number = (name: string) => new RegExp(`^RELEASE_${name} := (\\d+)$`, 'm').exec(makefile)?.[1] ?? '?';
    this.version = `dkms-${number('MAJOR')}.${number('MINOR')}.${number('MICRO')}`;
  }

  /** Lets a block judge a subject. `real` compiles everything; otherwise builds are done again from what is kept. */
  async judge(block: Block, subject: Subject, builds: 'kept' | 'real'): Promise<Judgement> {
    const work = mkdtempSync(join(tmpdir(), 'plugd-dkms-suite-'));
    const suite = join(work, 'suite');
    const told = join(work, 'told');
    const kept = join(cacheFolder(), `kept-make-${this.#root.kernel}`);
    for (const folder of [told, kept]) mkdirSync(folder, { recursive: true });
    try {
      cpSync(this.#source, suite, { recursive: true, filter: (path) => !path.endsWith('/.git') });
      writeFileSync(join(suite, 'run_test.sh'), this.#lines.join('\n') + '\ntell end 0 ""\n');
      const shown: Shown[] = [
        { outside: project, inside: project },
        { outside: suite, inside: '/suite-given' },
        { outside: told, inside: '/told', writable: true },
        { outside: kept, inside: '/var/cache/kept-make', writable: true },
      ];
      const started = performance.now();
      const command = [
        'env',
        `PLUGD=${join(project, 'dist/plugd.cjs')}`,
        `HERE=${join(project, 'test/oracle/dkms')}`,
        `HOOKS=${join(project, 'hooks/dkms')}`,
        `KERNEL_VER=${this.#root.kernel}`,
        'sh',
        '-c',
        RUN,
        'sh',
        subject,
        builds,
        block,
      ];
      const { stdout, stderr } = await runInRoot(this.#root, command, { shown, timeout: 2 * 3600_000 });
      const seconds = (performance.now() - started) / 1000;
      const path = join(told, 'checks');
      const checks = existsSync(path) ? readFileSync(path, 'utf8') : '';
      return { block, ...this.#counts(checks), output: `${stdout}${stderr}`, seconds };
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }

  #counts(checks: string): Pick<Judgement, 'passed' | 'failures' | 'ended'> {
    const all = [...checks.matchAll(/(pass|fail|stray|end) (\d+)\n([^\0]*)\0/g)];
    const failures = all
      .filter(([, kind]) => kind === 'fail' || kind === 'stray')
      .map(([, kind, number, said = '']): Failure => {
        const line = Number(number);
        const command = kind === 'stray' ? `${this.#lines[line - 1]?.trim()}\n` : '';
        return { line, step: this.#step(line), said: `${command}${said}` };
      });
    const passed = all.filter(([, kind]) => kind === 'pass').length;
    return { passed, failures, ended: all.at(-1)?.[1] === 'end' };
  }

  /** What the suite announced last before a line: `Adding the test module by directory`. */
  #step(line: number): string {
    const announced = this.#lines.slice(0, line).findLast((text) => /^\s*echo ['"]/.test(text));
    return /echo (['"])(.*)\1/.exec(announced ?? '')?.[2] ?? '';
  }
}
