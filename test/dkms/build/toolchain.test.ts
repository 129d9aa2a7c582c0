import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { findToolchain } from '../../../agent/dkms/build/toolchain.ts';
import { elfImage } from '../../fixtures/elf-image.ts';

/** The kernel's configuration, and the variables for make. Of the programs only gcc-12 is there. */
const ROWS: ReadonlyArray<readonly [rule: string, config: string, variables: Readonly<Record<string, string>>]> = [
  ['nothing is known', '', {}],
  [
    'the compiler that the kernel names',
    'CONFIG_CC_VERSION_TEXT="gcc-12 (Debian) 12.2"\n',
    { CC: 'gcc-12', KERNEL_CC: 'gcc-12' },
  ],
  ['but not one that is not there', 'CONFIG_CC_VERSION_TEXT="gcc-99 (Debian)"\n', {}],
  ['clang', 'CONFIG_CC_IS_CLANG=y\n', { CC: 'clang', KERNEL_CC: 'clang' }],
  ['its linker', 'CONFIG_LD_IS_LLD=y\n', { LD: 'ld.lld', KERNEL_LD: 'ld.lld' }],
];

t.test('the toolchain of a kernel', async (t) => {
  const dir = t.testdir({ bin: { 'gcc-12': '' }, headers: {} });
  chmodSync(`${dir}/bin/gcc-12`, 0o755);
  const headers = { sourceDir: `${dir}/headers`, config: `${dir}/config` };
  for (const [rule, config, variables] of ROWS) {
    writeFileSync(`${dir}/config`, config);
    const found = await findToolchain(headers, `${dir}/bin`);
    t.same(found, { llvm: rule === 'clang', variables }, rule);
  }
  mkdirSync(`${dir}/llvm`);
  writeFileSync(`${dir}/llvm/vmlinux`, elfImage({ sections: { '.comment': 'Debian clang version 14\0' } }));
  t.match(
    await findToolchain({ sourceDir: `${dir}/llvm`, config: undefined }, ''),
    { llvm: true },
    'a vmlinux of clang',
  );
  writeFileSync(`${dir}/llvm/vmlinux`, 'no program');
  t.match(await findToolchain({ sourceDir: `${dir}/llvm`, config: undefined }, ''), { llvm: false });
});
