import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { builtForAnother } from '../../../agent/dkms/build/built-kernel.ts';
import { moduleImage } from '../../fixtures/elf-image.ts';

/** The vermagic, whether the headers are the kernel's own, the release that they are for, and what is said. */
const ROWS: ReadonlyArray<
  readonly [rule: string, vermagic: string | undefined, own: boolean, headers: string, another: string | undefined]
> = [
  ["the kernel's own", '6.1.0 SMP ', true, '6.1.0', undefined],
  ["another kernel's", '6.2.0 SMP ', true, '6.1.0', '6.2.0'],
  ['without vermagic nothing is said', undefined, true, '6.1.0', undefined],
  ['headers that the user named were asked for', '6.2.0 SMP ', false, '6.2.0', undefined],
  ['another one than the named headers', '6.3.0 SMP ', false, '6.2.0', '6.3.0'],
];

t.test('the kernel in a vermagic', async (t) => {
  const sourceDir = t.testdir();
  mkdirSync(`${sourceDir}/include/config`, { recursive: true });
  const kernel = { release: '6.1.0', arch: 'x86_64', sourceDir, config: undefined, suffix: '' } as const;
  for (const [rule, vermagic, own, headers, another] of ROWS) {
    writeFileSync(`${sourceDir}/include/config/kernel.release`, `${headers}\n`);
    writeFileSync(
      `${sourceDir}/m.ko`,
      moduleImage({ modinfo: vermagic === undefined ? [] : [`vermagic=${vermagic}`] }),
    );
    t.equal(builtForAnother(`${sourceDir}/m.ko`, kernel, own), another, rule);
  }
  t.equal(builtForAnother(`${sourceDir}/none.ko`, kernel, true), undefined, 'no module at all');
});
