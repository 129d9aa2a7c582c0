/**
 * Really fails builds of small modules against Debian's headers and keeps what make says, for make-failure.test.ts:
 *
 *     node dist/test/dkms/build/why/failing-builds.js
 *
 * writes `test/dkms/build/why/failing-builds.txt`. Paths of this machine become those that a build of dkms has.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from '../../../fixtures/commands.ts';
import { debianHeaders, debianTree } from '../../../fixtures/debian.ts';

const LOGS = join(import.meta.dirname, '../../../../../test/dkms/build/why/failing-builds.txt');
const BUILD = '/var/lib/dkms/m/1.0/build';

/** A module whose init is `body`. */
function source(body: string, head = '', license = 'GPL'): string {
  return `#include <linux/module.h>
${head}
static int __init m_init(void)
{
${body}
	return 0;
}
module_init(m_init);
MODULE_LICENSE("${license}");
`;
}

interface Failing {
  readonly files: Readonly<Record<string, string>>;
  /** In place of the usual call of kbuild; `$HEADERS` is there. */
  readonly command?: string;
}

const KBUILD = 'make -j1 KERNELRELEASE=$K -C $HEADERS M=$PWD CC=gcc-12';

/** What fails, by the name of its log. */
const BUILDS: Readonly<Record<string, Failing>> = {
  'function-removed': {
    files: {
      'm.c': source(
        '\tinit_timer(&timer);\n\tsetup_timer(&timer, work, 0);',
        '#include <linux/timer.h>\nstatic struct timer_list timer;\nstatic void work(unsigned long data) { }',
      ),
    },
  },
  'function-too-new': {
    files: { 'm.c': source('\thrtimer_setup(NULL, NULL, 0, 0);', '#include <linux/hrtimer.h>') },
  },
  'too-many-arguments': {
    files: {
      'm.c': source('\treturn access_ok(0, NULL, 4);', '#include <linux/uaccess.h>'),
    },
  },
  'too-few-arguments': {
    files: {
      'm.c': source(
        '\tstruct proc_dir_entry *e = proc_create("m", 0444, NULL);\n\tif (!e) return -1;',
        '#include <linux/proc_fs.h>',
      ),
    },
  },
  'pointer-type': {
    files: {
      'm.c': source(
        '\tproc_create("m", 0444, NULL, &ops);',
        '#include <linux/fs.h>\n#include <linux/proc_fs.h>\nstatic const struct file_operations ops = { };',
      ),
    },
  },
  'no-member': {
    files: {
      'm.c': source('\ttimer.data = 1;', '#include <linux/timer.h>\nstatic struct timer_list timer;'),
    },
  },
  'read-only': {
    files: {
      'm.c': source('\tdevice->dev_addr[0] = 1;', '#include <linux/netdevice.h>\nstatic struct net_device *device;'),
    },
  },
  'kernel-header': { files: { 'm.c': source('', '#include <linux/ide.h>') } },
  'user-header': {
    files: { 'm.c': source(''), 'tool.c': '#include <libnosuch/nosuch.h>\n' },
    command: 'gcc-12 -c tool.c',
  },
  package: {
    files: {
      configure:
        '#!/bin/sh\nprintf "checking for libnosuch... "\nif pkg-config --exists libnosuch; then echo yes; else echo no; fi\n' +
        'pkg-config --print-errors --exists "libnosuch >= 1.0" || { echo "configure: error: libnosuch not found, install libnosuch-dev"; exit 1; }\n',
    },
    command: './configure && make',
  },
  library: { files: { 'tool.c': 'int main(void) { return 0; }\n' }, command: 'gcc-12 tool.c -lnosuch -o tool' },
  config: {
    files: {
      'm.c': source('', '#ifndef CONFIG_NOSUCH_SUBSYSTEM\n#error "This driver needs CONFIG_NOSUCH_SUBSYSTEM"\n#endif'),
    },
  },
  option: { files: { 'm.c': source(''), Makefile: 'obj-m := m.o\nccflags-y := -fnosuch-option\n' } },
  'no-compiler': { files: { 'm.c': source('') }, command: KBUILD.replace('gcc-12', 'gcc-99') },
  'no-space': { files: { 'm.c': source('') }, command: 'gcc-12 -c -xc /dev/null -o m.o; cat m.o > /dev/full' },
  killed: {
    files: { Makefile: 'all:\n\tsh -c "kill -9 $$$$"\n' },
    command: 'make all',
  },
  tool: { files: { Makefile: 'all:\n\tnosuch-flex -o lexer.c lexer.l\n' }, command: 'make all' },
  permission: {
    files: { configure: '#!/bin/sh\n', Makefile: 'all:\n\t./configure --with-linux\n' },
    command: 'chmod 644 configure; make all',
  },
  'not-exported': { files: { 'm.c': source('\tkallsyms_lookup_name("x");', '#include <linux/kallsyms.h>') } },
  'gpl-only': {
    files: {
      'm.c': source('\treturn device_create_file(NULL, NULL);', '#include <linux/device.h>', 'Proprietary'),
    },
  },
  'other-kernel': {
    files: {
      'm.c': source(''),
      Makefile: 'obj-m := m.o\nall:\n\tmake -C /lib/modules/5.4.0-1-nosuch/build M=$(PWD) modules\n',
    },
    command: 'make all',
  },
  syntax: { files: { 'm.c': source('\tint a = 1 +;') } },
  'no-target': { files: { Makefile: 'obj-m := m.o\n' } },
};

const tree = await debianTree('amd64');
if (tree.kind === 'missing') throw new Error(tree.sentence);
const headers = await debianHeaders(tree, 'amd64');
if (headers.kind === 'missing') throw new Error(headers.sentence);

const logs: string[] = [];
for (const [name, { files, command = KBUILD }] of Object.entries(BUILDS)) {
  // As long as the path that it becomes, so that make and gcc break no line elsewhere.
  const work = mkdtempSync(join(tmpdir(), 'plugd-failing-'));
  for (const [file, text] of Object.entries({ Makefile: 'obj-m := m.o\n', ...files })) {
    mkdirSync(dirname(join(work, file)), { recursive: true });
    writeFileSync(join(work, file), text);
    if (text.startsWith('#!')) chmodSync(join(work, file), 0o755);
  }
  const ended = await runProgram('bash', ['-c', `cd ${work}; exec 2>&1; ${command}`], {
    env: {
      K: tree.kernel,
      HEADERS: headers.build,
      LC_ALL: 'C',
      LD_LIBRARY_PATH: join(headers.build, '../../lib/x86_64-linux-gnu'),
    },
  });
  rmSync(work, { recursive: true, force: true });
  if (ended.status === 0) throw new Error(`${name} did not fail: ${ended.stdout}`);
  const sources = dirname(headers.build);
  const output = ended.stdout
    .replaceAll(work, BUILD)
    .replaceAll(sources, '/usr/src')
    .replaceAll(`${sources}/..`, '/usr');
  logs.push(`==== ${name}\n${output}`);
}
writeFileSync(LOGS, logs.toSorted().join(''));
