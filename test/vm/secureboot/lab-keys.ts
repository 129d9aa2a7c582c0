/** The keys of the Secure Boot laboratory, and one module signed with each: by whom a module is signed is all that its cases differ in. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode, encodeBits, encodeInteger, encodeOid, encodeTime } from '../../../agent/trust/der-writer.ts';
import { TAG } from '../../../agent/facts/modfiles/der.ts';
import { signModule, stripSignature, type SignatureHash } from '../../../agent/trust/module-signature.ts';
import { makeMok, type MokWishes } from '../../../agent/trust/mok.ts';
import type { DebianTree } from '../../fixtures/debian.ts';
import type { GuestFiles } from '../machine/image.ts';

/** A key and its certificate. */
export interface LabKey {
  readonly key: KeyObject;
  readonly certificate: Buffer;
}

/** The owner of the machine, keys in the firmware's db and in shim's list, one in nobody's, one that is revoked and still in shim's list. */
export interface LabKeys {
  readonly owner: LabKey;
  readonly db: LabKey;
  readonly mok: LabKey;
  readonly dkms: LabKey;
  readonly revoked: LabKey;
  readonly curve: LabKey;
  readonly unknown: LabKey;
}

/** New ones. */
export function makeLabKeys(): LabKeys {
  const own = (commonName: string, wishes: MokWishes = {}): LabKey => {
    const { keyPem, certificateDer } = makeMok({ commonName, ...wishes });
    return { key: createPrivateKey(keyPem), certificate: certificateDer };
  };
  return {
    owner: own('Lab owner'),
    db: own('Lab db'),
    mok: own('Lab MOK'),
    dkms: own('DKMS module signing key', { form: 'dkms' }),
    revoked: own('Lab revoked'),
    unknown: own('Lab stranger'),
    curve: makeCurveKey('Lab curve'),
  };
}

/** An EC key on P-384, which Debian 12's kernel cannot use. */
function makeCurveKey(name: string): LabKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  const attribute = encode(TAG.sequence, encodeOid('2.5.4.3'), encode(TAG.utf8, Buffer.from(name)));
  const subject = encode(TAG.sequence, encode(TAG.set, attribute));
  const algorithm = encode(TAG.sequence, encodeOid('1.2.840.10045.4.3.3'));
  const tbs = encode(
    TAG.sequence,
    encode(TAG.context0, encodeInteger(2)),
    encodeInteger(Date.now()),
    algorithm,
    subject,
    encode(TAG.sequence, encodeTime(new Date('2026-01-01')), encodeTime(new Date('2040-01-01'))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const certificate = encode(TAG.sequence, tbs, algorithm, encodeBits(sign('sha384', tbs, privateKey)));
  return { key: privateKey, certificate };
}

/** The module that everything is tried with. */
const MODULE = 'dummy';

/** Debian's own module as it is installed, unpacked. */
function debianModule({ root, kernel }: DebianTree): Buffer {
  const folder = join(root, 'lib/modules', kernel);
  const dep = readFileSync(join(folder, 'modules.dep'), 'latin1');
  const path = new RegExp(`^(\\S+/${MODULE}\\.ko(?:\\.xz)?):`, 'm').exec(dep)?.[1] ?? '';
  const bytes = readFileSync(join(folder, path));
  return path.endsWith('.xz') ? execFileSync('xz', ['-dc'], { input: bytes, maxBuffer: 1 << 26 }) : bytes;
}

/** What a case inserts: `/lab/mok/dummy.ko`. */
export function labPath(name: string): string {
  return `/lab/${name}/${MODULE}.ko`;
}

/** Every module of the laboratory, as files of the guest. */
export function labModules(tree: DebianTree, keys: LabKeys): GuestFiles {
  const debian = debianModule(tree);
  const { image: bare } = stripSignature(debian);
  const by = ({ key, certificate }: LabKey, image = bare, hash: SignatureHash = 'sha256') =>
    signModule(image, { key, certificate, hash });
  const changed = Buffer.from(by(keys.mok));
  // A byte of its author: the module is whole, and another one.
  const at = changed.indexOf('\0author=', 0, 'latin1');
  changed.write('x', at + '\0author='.length, 'latin1');
  const images: Readonly<Record<string, Buffer>> = {
    unsigned: bare,
    stripped: stripSignature(by(keys.mok)).image,
    unknown: by(keys.unknown),
    db: by(keys.db),
    mok: by(keys.mok),
    dkms: by(keys.dkms),
    revoked: by(keys.revoked),
    tampered: changed,
    'unknown-last': by(keys.unknown, by(keys.mok)),
    'mok-last': by(keys.mok, by(keys.unknown)),
    sha512: by(keys.mok, bare, 'sha512'),
    curve: by(keys.curve, bare, 'sha384'),
    debian,
  };
  return Object.fromEntries(Object.entries(images).map(([name, image]) => [labPath(name).slice(1), image]));
}
