/** The dkms.conf files of Debian's packages: the parser without a shell has to read them as bash does, and to read most of them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { DIRECTIVE_NAMES, directivesOf, patternSubject } from '../../../agent/dkms/conf/conf-directives.ts';
import { readDkmsConf } from '../../../agent/dkms/conf/dkms-conf.ts';
import { evaluatePlainly } from '../../../agent/dkms/conf/shell/plain-evaluation.ts';
import type { ShellQuestion } from '../../../agent/dkms/conf/shell/shell-question.ts';
import { evaluateInBash } from '../../../agent/dkms/conf/shell/shell-run.ts';
import { confRequest } from '../../dkms/conf/conf-request.ts';
import { debianFiles } from '../../fixtures/debian.ts';
import { PACKAGES } from './dkms-packages.ts';

/** Those whose builds take too long for dkms-packages.ts. */
const LARGE = ['dahdi', 'falcosecurity-scap', 'iptables-netflow', 'lttng-modules', 'openafs-modules', 'west-chamber'];

const QUESTION: ShellQuestion = {
  variables: {
    kernelver: '6.1.0-56-amd64',
    arch: 'x86_64',
    kernel_source_dir: '/lib/modules/6.1.0-56-amd64/build',
    kernel_config: '/lib/modules/6.1.0-56-amd64/build/.config',
    dkms_tree: '/var/lib/dkms',
    source_tree: '/usr/src',
    install_tree: '/lib/modules',
    module: 'x',
    module_version: '1',
    parallel_jobs: '2',
  },
  known: DIRECTIVE_NAMES,
  patterns: directivesOf('pattern').map((name) => [name, patternSubject(name)]),
  last: [],
};

/** Number of records, by package; lttng's depend on the kernel, gost-crypto and others have one. */
const RECORDS: Readonly<Record<string, number>> = {
  dahdi: 32,
  'xtables-addons': 23,
  tp_smapi: 3,
  v4l2loopback: 1,
  rapiddisk: 2,
};

const packages = await debianFiles([...PACKAGES, ...LARGE.map((name) => `${name}-dkms`)], 'amd64');

t.test("Debian's dkms.conf files", { skip: packages.kind === 'missing' && packages.sentence }, async (t) => {
  if (packages.kind === 'missing') return;
  const files = readdirSync(join(packages.root, 'usr/src'))
    .map((name) => `usr/src/${name}/dkms.conf`)
    .filter((name) => existsSync(join(packages.root, name)))
    .toSorted();
  t.equal(files.length, PACKAGES.length + LARGE.length);
  let plain = 0;
  for (const name of files) {
    const file = join(packages.root, name);
    const without = evaluatePlainly([readFileSync(file, 'latin1')], QUESTION, () => readdirSync('.'));
    const bash = evaluateInBash([file], QUESTION);
    if (bash.kind === 'failed') t.fail(`${name}: ${bash.error.kind}`);
    else if (without !== undefined) {
      plain++;
      const same = isDeepStrictEqual(without, { values: bash.values, matches: bash.matches });
      t.ok(same, `${name} means the same without a shell`);
    }
    const reading = readDkmsConf(confRequest(t.testdirName, { file, module: '', version: '' }));
    t.equal(reading.kind, 'read', `${name} is right`);
    const wanted = Object.entries(RECORDS).find(([start]) => name.startsWith(`usr/src/${start}`))?.[1];
    if (reading.kind === 'read' && wanted !== undefined) t.equal(reading.conf.modules.length, wanted, name);
  }
  t.comment(`${plain} of ${files.length} need no shell`);
  t.ok(plain >= 20, 'most need no shell');
});
