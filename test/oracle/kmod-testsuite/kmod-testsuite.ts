/**
 * kmod's own test programs, from its source package, judging any program that answers to kmod's names.
 *
 * They run unchanged but for two things: their limit of two seconds, which a busy machine breaks; and they take it for right
 * when a program prints less than it should, or nothing. What they preload to redirect paths is of no
 * use with programs that do not open files through the C library, so here the program under test is changed into the
 * root that a test asks for, where this machine's /usr and /dev are to be seen, and our library stands in for uname(2) and
 * the module calls (kmod-testsuite.c).
 *
 *     build/test-modprobe  →  build/tools/modprobe  →  unshare, mount, chroot  →  build/tools/modprobe in there: the program
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { runProgram } from '../../fixtures/commands.ts';

/** The test programs that only run commands; the others call kmod's library, or `kmod` by its own name. */
export const PROGRAMS = ['modprobe', 'depmod', 'modinfo'] as const;

/** One of the suite's tests: `modprobe` `modprobe_show_depends`. */
export interface SuiteTest {
  readonly program: (typeof PROGRAMS)[number];
  readonly name: string;
}

/** A program that answers to kmod's names: the file that their links lead to, and the folders it needs beside /usr. */
export interface Subject {
  readonly program: string;
  /** Those of kmod's programs that it is; all when left out. */
  readonly names?: ReadonlyArray<(typeof PROGRAMS)[number]>;
  readonly folders: readonly string[];
}

const ENTER = `#!/bin/sh
# Called as a tool by a test: goes into the test's root, with a mount namespace of its own, and is the tool there.
here=\${0%/*}/..
if [ "$1" != inside ]; then exec unshare -Urm "$0" inside "$@"; fi
shift
root=\${TESTSUITE_ROOTFS%/}
while read -r folder; do mount --rbind "$folder" "$root$folder" || exit 99; done < "$here/folders"
mount --bind "$here/inside" "$root$here/tools" || exit 99
for folder in modprobe.d depmod.d; do
  if [ -d "/usr/lib/$folder" ]; then mount -t tmpfs none "$root/usr/lib/$folder" || exit 99; fi
done
exec chroot "$root" "$here/tools/\${0##*/}" "$@"
`;

/** Whether all output that was expected has come; one file of theirs has an empty line at its end. */
const ALL_OUTPUT = `{
	char rest = '\\n';
	if (fd_cmp == NULL || fd_cmp->type == FD_CMP_MONITOR) return 0;
	while (rest == '\\n' && read(fd_cmp->fd_match, &rest, 1) == 1);
	if (rest == '\\n') return 0;
	ERR("More output was expected on %s\\n", fd_cmp->name);
	return -1;
}`;

/** The suite, built in a folder. */
export class Suite {
  readonly #source: string;
  readonly #build: string;

  /** Builds the test programs from kmod's unpacked source. `features` is the second line of `modprobe -V`. */
  constructor(source: string, build: string, standIn: string, features: string) {
    this.#source = source;
    this.#build = build;
    const at = (path: string) => join(build, path);
    for (const folder of ['testsuite/.libs', 'tools', 'inside']) mkdirSync(at(folder), { recursive: true });
    writeFileSync(
      at('config.h'),
      `#define KMOD_FEATURES "${features}"\n#define ENABLE_OPENSSL 1\n#define noreturn __attribute__((noreturn))\n`,
    );
    const given = readFileSync(join(source, 'testsuite/testsuite.c'), 'utf8');
    const judge = given
      .replace(/(?<=#define TEST_TIMEOUT_USEC ).*/, '120 * USEC_PER_SEC')
      .replace(/(?<=static int fd_cmp_check_activity\(struct fd_cmp \*fd_cmp\)\n)\{[^]*?\n\}/, ALL_OUTPUT);
    if (!judge.includes('120 *') || !judge.includes(ALL_OUTPUT)) throw new Error('testsuite.c is another than it was');
    writeFileSync(at('testsuite.c'), judge);
    const options = [
      '-D_GNU_SOURCE',
      '-include',
      at('config.h'),
      '-I',
      source,
      '-I',
      join(source, 'testsuite'),
      `-DABS_TOP_BUILDDIR="${build}"`,
      `-DTESTSUITE_ROOTFS="${at('testsuite/rootfs')}/"`,
    ];
    for (const program of PROGRAMS) {
      const own = join(source, `testsuite/test-${program}.c`);
      const files = [own, at('testsuite.c'), join(source, 'shared/util.c')];
      execFileSync('gcc', ['-w', ...options, '-o', at(`test-${program}`), ...files]);
      writeFileSync(at(`tools/${program}`), ENTER, { mode: 0o755 });
    }
    const library = at('testsuite/.libs/stand-in.so');
    execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', library, standIn, '-ldl']);
    for (const name of ['uname', 'path', 'init_module', 'delete_module']) {
      symlinkSync('stand-in.so', at(`testsuite/.libs/${name}.so`));
    }
  }

  /** All tests, as the programs list them. */
  tests(): readonly SuiteTest[] {
    return PROGRAMS.flatMap((program) => {
      const list = execFileSync(join(this.#build, `test-${program}`), ['--list'], { encoding: 'utf8' });
      return [...list.matchAll(/^\t(\w+),/gm)].map(([, name = '']) => ({ program, name }));
    });
  }

  /** Lets every test judge a program, one after the other; answers the names of those that failed with what they said. */
  async judge(subject: Subject): Promise<ReadonlyMap<string, string>> {
    const failed = new Map<string, string>();
    this.#populate(subject);
    // Node would warn of a file that is not in the test's root.
    const env = { NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined };
    const { names = PROGRAMS } = subject;
    for (const { program, name } of this.tests().filter((test) => names.includes(test.program))) {
      // The tests share roots.
      const ended = await runProgram(join(this.#build, `test-${program}`), [name], { cwd: this.#build, env });
      // Its status is 0 also for some that failed.
      const hasPassed = new RegExp(`^TESTSUITE: (PASSED|EXPECTED FAIL): ${name}$`, 'm').test(ended.stdout);
      if (!hasPassed) failed.set(name, `${ended.stdout}${ended.stderr}`);
    }
    return failed;
  }

  /** The roots as kmod's Makefile makes them, with what a chroot needs. */
  #populate({ program, folders }: Subject): void {
    const at = (path: string) => join(this.#build, path);
    const rootfs = at('testsuite/rootfs');
    const playground = join(this.#source, 'testsuite/module-playground');
    rmSync(rootfs, { recursive: true, force: true });
    cpSync(join(this.#source, 'testsuite/rootfs-pristine'), rootfs, { recursive: true });
    rmSync(at('playground'), { recursive: true, force: true });
    cpSync(playground, at('playground'), { recursive: true });
    // The modules that the authors built: what their configure calls --disable-test-modules.
    cpSync(join(playground, 'cache'), at('playground'), { recursive: true });
    execFileSync(
      'bash',
      [join(this.#source, 'testsuite/populate-modules.sh'), at('playground'), rootfs, at('config.h')],
      {
        stdio: 'ignore',
      },
    );
    const seen = ['/usr', '/dev', at('tools'), at('testsuite/.libs'), ...folders];
    writeFileSync(at('folders'), seen.map((folder) => `${folder}\n`).join(''));
    for (const root of testRoots(rootfs)) {
      for (const folder of seen) mkdirSync(join(root, folder), { recursive: true });
      for (const link of ['bin', 'sbin', 'lib64']) symlinkSync(`usr/${link}`, join(root, link));
      // The loader's path goes through /lib, which belongs to the test.
      mkdirSync(join(root, 'lib'), { recursive: true });
      for (const name of readdirSync('/usr/lib')) {
        if (/^\w+-linux-\w+$/.test(name)) symlinkSync(`../usr/lib/${name}`, join(root, 'lib', name));
      }
    }
    rmSync(at('inside'), { recursive: true, force: true });
    mkdirSync(at('inside'));
    for (const name of PROGRAMS) symlinkSync(program, join(at('inside'), name));
    writeFileSync(at('testsuite/stamp-rootfs'), '');
  }
}

/** The roots of the tests: the folders `test-modinfo` and, in such a folder, `external`. */
function testRoots(rootfs: string): readonly string[] {
  const folders = (folder: string) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^(etc|lib|proc|sys)$/.test(entry.name))
      .map(({ name }) => join(folder, name));
  const outer = folders(rootfs);
  return [...outer, ...outer.flatMap(folders)];
}

/** node's folder, when it is not below /usr. */
export function nodeFolders(): readonly string[] {
  const folder = dirname(realpathSync(process.execPath));
  return folder.startsWith('/usr/') ? [] : [folder];
}
