/** Builds a module against Debian's headers, in a DKMS tree of its own, and looks at what came out. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openModuleFile } from '../../../agent/facts/modfiles/module-file.ts';
import { prepareSigning } from '../../../agent/dkms/build/signing.ts';
import { signatureOf } from '../../../agent/trust/module-signature.ts';
import { BuildRig, record } from '../../dkms/build/build-rig.ts';
import { needCommands } from '../../fixtures/commands.ts';
import { debianHeaders, debianTree } from '../../fixtures/debian.ts';

const SOURCE = `#include <linux/module.h>
static int __init m_init(void) { return 0; }
static void __exit m_exit(void) { }
module_init(m_init);
module_exit(m_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
`;

const tree = await debianTree('amd64');
const headers = tree.kind === 'missing' ? tree : await debianHeaders(tree, 'amd64');
const tools =
  headers.kind === 'missing'
    ? headers
    : await needCommands(['make', headers.compiler, 'ld', 'strip', 'xz', '/usr/include/stdio.h']);

if (tree.kind === 'missing') t.pass('no kernel', { skip: tree.sentence });
else if (headers.kind === 'missing') t.pass('no headers', { skip: headers.sentence });
else if (tools.kind === 'missing') t.pass('no tools', { skip: tools.sentence });
else {
  const { build: sourceDir, compiler } = headers;
  const release = tree.kernel;
  // objtool's libelf, which is not installed on this machine.
  const make = (rig: BuildRig) =>
    `env LD_LIBRARY_PATH=${join(sourceDir, '../../lib/x86_64-linux-gnu')} make -C ${sourceDir} M=${rig.paths.base}/build CC=${compiler}`;
  const kernelOf = (config: string) => ({ release, arch: 'x86_64', sourceDir, config, suffix: '.xz' }) as const;

  t.test('a module of Debian’s kernel: stripped, signed, compressed', async (t) => {
    const rig = new BuildRig(t, { 'm.c': SOURCE, Makefile: 'obj-m := m.o\n' });
    const kernel = kernelOf(`${sourceDir}/.config`);
    const framework = { signFile: '', mokSigningKey: '', mokCertificate: '', trySignModules: 'true' } as const;
    const outcome = await rig.build(
      {
        kernel,
        signer: () => prepareSigning({ kernel, framework, distribution: 'debian', trees: rig.trees, tell: () => {} }),
      },
      { make: make(rig), modules: [record('m', { strip: true })] },
    );
    t.equal(outcome.kind, 'built', rig.shown());
    const folder = join(rig.paths.base, release, 'x86_64/module');
    t.same(readdirSync(folder).toSorted(), ['Module.symvers', 'm.ko.xz']);
    const module = openModuleFile('', join(folder, 'm.ko.xz'));
    if (module.kind === 'not-a-module') throw new Error(module.why);
    t.teardown(() => module.close());
    t.equal(module.vermagic?.split(' ')[0], release);
    const image = execFileSync('xz', ['-dc', join(folder, 'm.ko.xz')]);
    t.match(signatureOf(image), { kind: 'signature' }, 'the signature is inside the compressed file');
    t.equal(module.elf.section('.debug_info'), undefined, 'no debug information');
  });

  t.test('a build that fails says why', async (t) => {
    const rig = new BuildRig(t, {
      'm.c': SOURCE.replace('return 0;', 'init_timer(0); return 0;'),
      Makefile: 'obj-m := m.o\n',
    });
    t.same(await rig.build({ kernel: kernelOf(`${sourceDir}/.config`) }, { make: make(rig) }), {
      kind: 'stopped',
      status: 10,
    });
    t.match(rig.shown(), /\nfirst error: m\.c:2: implicit declaration of function 'init_timer'\n/);
  });
}
