import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { testDevice } from '../../agent/explain/device-test.ts';
import { moduleImage } from '../fixtures/elf-image.ts';
import { exportingModule } from '../facts/modfiles/exporting-module.ts';

const KERNEL = '1.0';
const MAGIC = 'vermagic=1.0 SMP mod_unload ';
const X86 = { bits: 64, littleEndian: true, addends: true, field: 4 } as const;
const SYMVERS =
  '0x00000001\tof_kernel\tvmlinux\tEXPORT_SYMBOL_GPL\t\n0x00000002\tin_kernel\tvmlinux\tEXPORT_SYMBOL\tNS\n';

const none = (name: string) => ({ name, namespace: '' });
const info = (license: string) => ({ '.modinfo': `license=${license}\0${MAGIC}\0` });
const FILES: Readonly<Record<string, Buffer>> = {
  prov: exportingModule(
    {
      __ksymtab: [none('open'), { name: 'ours', namespace: 'NS' }, { name: 'named', namespace: 'module:kvm-amd,x*' }],
      __ksymtab_gpl: [none('gpl')],
    },
    X86,
    info('GPL'),
  ),
  prop: exportingModule({ __ksymtab: [none('closed')] }, X86, info('Proprietary')),
};
const SYMBOLS = ['open prov', 'ours prov', 'named prov', 'gpl prov', 'closed prop'];

/** The module's name, what its .modinfo says beside vermagic, what it needs; its verdict. */
const ROWS: ReadonlyArray<
  readonly [rule: string, module: string, modinfo: readonly string[], needs: readonly string[], verdict: string]
> = [
  ['nothing special', 'a', ['license=GPL'], ['open', 'gpl'], 'would-insert'],
  ['a namespace that it does not import', 'a', ['license=GPL'], ['ours'], 'failed namespace'],
  ['a namespace that it imports', 'a', ['license=GPL', 'import_ns=NS'], ['ours'], 'would-insert'],
  ['a symbol for modules of its name', 'kvm-amd', ['license=GPL'], ['named'], 'would-insert'],
  ['a symbol for modules of such names', 'xyz', ['license=GPL'], ['named'], 'would-insert'],
  ['a symbol for other modules', 'a', ['license=GPL'], ['named'], 'failed namespace'],
  ['GPL-only, and it is proprietary', 'a', ['license=Proprietary'], ['gpl'], 'failed license'],
  ['GPL-only, and it names no license', 'a', [], ['gpl'], 'failed license'],
  ['of a proprietary module', 'a', ['license=GPL'], ['closed'], 'would-insert'],
  ['of a proprietary module, and GPL-only ones', 'a', ['license=GPL'], ['closed', 'gpl'], 'failed license'],
  ["the kernel's own, GPL-only", 'a', ['license=Proprietary'], ['of_kernel'], 'failed license'],
  ["the kernel's own, of a namespace", 'a', ['license=GPL'], ['in_kernel'], 'failed namespace'],
  ["the kernel's own, imported", 'a', ['license=GPL', 'import_ns=NS'], ['in_kernel', 'of_kernel'], 'would-insert'],
];

for (const [rule, module, modinfo, needs, verdict] of ROWS) {
  t.test(rule, (t) => {
    const root = t.testdir({});
    const put = (path: string, content: string | Buffer) => {
      const file = join(root, 'lib/modules', KERNEL, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    };
    for (const [name, image] of Object.entries(FILES)) put(`kernel/${name}.ko`, image);
    const wanted = Object.fromEntries(needs.map((name) => [name, undefined]));
    put(`kernel/${module}.ko`, moduleImage({ modinfo: [...modinfo, MAGIC], needs: wanted }));
    const dep = `kernel/${module}.ko: kernel/prov.ko kernel/prop.ko\nkernel/prov.ko:\nkernel/prop.ko:\n`;
    put('modules.dep', dep);
    put('modules.alias', `alias of:test ${module.replaceAll('-', '_')}\n`);
    put('modules.symbols', SYMBOLS.map((line) => `alias symbol:${line}\n`).join(''));
    put('build/Module.symvers', SYMVERS);
    const { investigation } = testDevice(openHost({ root, kernel: KERNEL, sysfs: root, proc: root }), 'of:test');
    t.equal(`${investigation.verdict} ${investigation.cause ?? ''}`.trim(), verdict, investigation.evidence.join('; '));
    t.end();
  });
}
