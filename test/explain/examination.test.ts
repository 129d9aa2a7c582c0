import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Host } from '../../agent/base/host.ts';
import type { ModuleName } from '../../agent/base/names.ts';
import { predict } from '../../agent/diagnosis/diagnosis.ts';
import { Examiner } from '../../agent/explain/examination.ts';
import { EFI_GUID } from '../../agent/facts/efi/efi-variables.ts';
import { signatureListOf } from '../../agent/facts/efi/signature-list.ts';
import { findSources } from '../../agent/load/sources.ts';
import { signModule, type SignatureHash } from '../../agent/trust/module-signature.ts';
import { makeMok } from '../../agent/trust/mok.ts';
import { FULL_PRIVILEGES } from '../fixtures/confinement/privileges.ts';
import { moduleImage } from '../fixtures/elf-image.ts';
import { makeModuleDirectory } from '../fixtures/made-tree.ts';

const { keyPem, certificateDer } = makeMok({ commonName: 'Owner' });
const image = moduleImage({ modinfo: ['license=GPL', 'author=A. Body'] });
const signed = (hash: SignatureHash) =>
  signModule(image, { key: createPrivateKey(keyPem), certificate: certificateDer, hash });

/** Another author than the one that was signed. */
function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.write('B', copy.indexOf('A. Body', 0, 'latin1'), 'latin1');
  return copy;
}

/** This machine with another /proc and /sys: signatures are enforced, the certificate is in shim's list, and no keyring can be read. */
function hostOf(t: Test, helper: string): Host {
  const base = t.testdir({
    proc: { modules: '', sys: { kernel: { modprobe: `${helper}\n` } }, crypto: 'name         : sha256\n' },
  });
  const [proc, sysfs, moduleDir] = ['proc', 'sys', 'modules'].map((name) => join(base, name));
  const variables = join(base, 'sys/firmware/efi/efivars');
  mkdirSync(variables, { recursive: true });
  const list = signatureListOf([certificateDer], EFI_GUID.shim);
  writeFileSync(join(variables, `MokListRT-${EFI_GUID.shim}`), Buffer.concat([Buffer.alloc(4), list]));
  mkdirSync(join(base, 'sys/module/module/parameters'), { recursive: true });
  writeFileSync(join(base, 'sys/module/module/parameters/sig_enforce'), 'Y\n');
  makeModuleDirectory(moduleDir ?? '', { 'modules.dep': '', 'modules.alias': 'alias crypto-sha512 sha512_generic\n' });
  return { root: '', kernel: release(), proc, sysfs, moduleDir } as Host;
}

const ROWS: ReadonlyArray<readonly [rule: string, file: Buffer, helper: string, refused: RegExp | undefined]> = [
  ['as it was signed', signed('sha256'), '/sbin/modprobe', undefined],
  ['changed afterwards', changed(signed('sha256')), '/sbin/modprobe', /^signature\n[^]*does not fit the contents/],
  ['a hash that the kernel does not have', signed('sha384'), '/sbin/modprobe', /no code for the hash \(sha384\)/],
  ['a hash that it loads itself', signed('sha512'), '/sbin/modprobe', undefined],
  ['a hash that nobody loads for it', signed('sha512'), '', /no code for the hash \(sha512\)/],
];
for (const [rule, file, helper, refused] of ROWS) {
  t.test(`a module's signature: ${rule}`, (t) => {
    const host = hostOf(t, helper);
    const path = join(host.moduleDir, 'm.ko');
    writeFileSync(path, file);
    const sources = findSources(host);
    if (sources.kind === 'no-tree') throw new Error('no tree');
    const examiner = new Examiner(host, sources);
    const module = examiner.examine({ module: 'm' as ModuleName, path, parameters: [], before: new Set() });
    const { kernel } = examiner;
    if (kernel === undefined) throw new Error('not this machine');
    const foreseen = predict({ module, kernel: { ...kernel, privileges: FULL_PRIVILEGES }, config: undefined });
    const evidence = foreseen === undefined ? undefined : [foreseen.cause, ...foreseen.evidence].join('\n');
    // The next check finds that it has no version magic.
    if (refused === undefined) t.match(evidence, /^vermagic/);
    else t.match(evidence, refused);
    t.end();
  });
}
