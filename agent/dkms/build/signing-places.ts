/** Where the program, the key and the certificate for modules are, by the customs of the distribution. Reads files, tells nothing. */
import { readTextIn } from '../../facts/regular-file.ts';
import type { SigningFramework } from '../conf/framework.ts';
import type { DkmsTrees } from '../conf/trees.ts';
import type { BuildKernel } from './build-request.ts';
import { hasProgram, isExecutable } from './process/program.ts';

/** Where to look. */
export interface SigningSearch {
  readonly kernel: Pick<BuildKernel, 'release' | 'sourceDir'>;
  readonly framework: SigningFramework;
  readonly distribution: string;
  readonly trees: DkmsTrees;
  /** The text of the kernel's configuration. */
  readonly config: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where they are, or should be. */
export interface SigningPlaces {
  readonly program: string;
  readonly key: string;
  readonly certificate: string;
  /** The key is the one that Ubuntu makes for shim. */
  readonly shim: boolean;
}

/** Ubuntu's machine owner key. */
const SHIM = { key: '/var/lib/shim-signed/mok/MOK.priv', certificate: '/var/lib/shim-signed/mok/MOK.der' };

/** The places of a kernel: what framework.conf says first, then the distribution, then dkms's own. */
export function signingPlaces(search: SigningSearch): SigningPlaces {
  const { framework, distribution, trees } = search;
  const own = { key: `${trees.dkmsTree}/mok.key`, certificate: `${trees.dkmsTree}/mok.pub` };
  const usual = { ubuntu: SHIM, gentoo: gentooKey(search) }[distribution] ?? own;
  const key = framework.mokSigningKey || usual.key;
  const certificate = framework.mokCertificate || usual.certificate;
  return {
    program: framework.signFile || signFile(search),
    key,
    certificate,
    shim: key === SHIM.key && certificate === SHIM.certificate,
  };
}

/** dkms's path of sign-file, which is told even where plugd signs itself. */
function signFile({ kernel: { release }, distribution, trees, env }: SigningSearch): string {
  const inHeaders = `${trees.installTree}/${release}/build/scripts/sign-file`;
  switch (distribution) {
    case 'debian':
      // 6.1.0-56-amd64 has its tools in linux-kbuild-6.1.
      return existing([`/usr/lib/linux-kbuild-${release.replace(/\.[^.]*$/, '')}/scripts/sign-file`], inHeaders);
    case 'ubuntu': {
      const kmodsign = hasProgram('kmodsign', env['PATH']) ? ['/usr/bin/kmodsign'] : [];
      return existing([...kmodsign, `/usr/src/linux-headers-${release}/scripts/sign-file`], inHeaders);
    }
    case 'gentoo':
      return existing([`/usr/src/linux-${release}/scripts/sign-file`], inHeaders);
    default:
      return inHeaders;
  }
}

function existing(candidates: readonly string[], otherwise: string): string {
  return candidates.find(isExecutable) ?? otherwise;
}

/** Portage's variables, else the kernel's own key, which stands in one file with its certificate. */
function gentooKey({
  kernel,
  config,
  env,
}: SigningSearch): { readonly key: string; readonly certificate: string } | undefined {
  const conf = readTextIn('', '/etc/portage/make.conf') ?? '';
  const portage = (name: string) => env[name] ?? new RegExp(`^${name}=["']?([^"'\\n]+)`, 'm').exec(conf)?.[1];
  const built = /^CONFIG_MODULE_SIG_KEY="([^"]+)"$/m.exec(config)?.[1];
  const inKernel = built === undefined || built.startsWith('/') ? built : `${kernel.sourceDir}/${built}`;
  const key = portage('MODULES_SIGN_KEY') ?? inKernel;
  if (key === undefined) return undefined;
  return { key, certificate: portage('MODULES_SIGN_CERT') ?? key };
}
