import { join } from 'node:path';
import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { mayInsert } from '../../agent/load/permission.ts';

const ROOT_HAS_ALL = { status: 'CapEff:\t000001ffffffffff\n', uid_map: '         0          0 4294967295\n' };
const sys = (disabled: string) => ({ kernel: { modules_disabled: disabled } });
const isRoot = process.geteuid?.() === 0;
const NO_CAPABILITY = isRoot ? /root here lacks CAP_SYS_MODULE/ : /only root may load/;

interface Row {
  readonly proc: NonNullable<Parameters<typeof t.testdir>[0]>;
  /** undefined: it may. */
  readonly code?: string;
  readonly message?: RegExp;
}

const ROWS: Record<string, Row> = {
  'all there': { proc: { modules: '', self: ROOT_HAS_ALL, sys: sys('0\n') } },
  'a kernel that does not say whether loading is switched off': { proc: { modules: '', self: ROOT_HAS_ALL } },
  'no uid_map: a kernel without user namespaces': { proc: { modules: '', self: { status: ROOT_HAS_ALL.status } } },
  'no /proc/modules': {
    proc: { self: ROOT_HAS_ALL, sys: sys('0\n') },
    code: 'no-module-support',
    message: /built without loadable modules/,
  },
  'nothing at all: the most fundamental first': { proc: {}, code: 'no-module-support' },
  'every capability but CAP_SYS_MODULE': {
    proc: { modules: '', self: { ...ROOT_HAS_ALL, status: 'CapEff:\t000001fffffeffff\n' }, sys: sys('0\n') },
    code: 'no-permission',
    message: NO_CAPABILITY,
  },
  'root of a user namespace of its own': {
    proc: { modules: '', self: { ...ROOT_HAS_ALL, uid_map: '0 1000 1\n' }, sys: sys('0\n') },
    code: 'no-permission',
    message: /user namespace of its own/,
  },
  'no status to read': { proc: { modules: '', self: {} }, code: 'no-permission' },
  'a status that is nonsense': {
    proc: { modules: '', self: { status: 'CapEff:\tzz\nCapEff: \n' } },
    code: 'no-permission',
  },
  'no permission comes before a switch': {
    proc: { modules: '', self: { status: '' }, sys: sys('1\n') },
    code: 'no-permission',
  },
  'switched off until reboot': {
    proc: { modules: '', self: ROOT_HAS_ALL, sys: sys('1\n') },
    code: 'unsupported',
    message: /kernel.modules_disabled is 1/,
  },
};
for (const [name, { proc, code, message = / / }] of Object.entries(ROWS)) {
  t.test(name, (t) => {
    const folder = t.testdir({ proc });
    const host = openHost({ root: folder, kernel: '6.1', proc: join(folder, 'proc'), sysfs: join(folder, 'sys') });
    if (code === undefined) t.doesNotThrow(() => mayInsert(host));
    else t.throws(() => mayInsert(host), { code, message, remedy: /plugd coldplug -n shows the plan/ });
    t.end();
  });
}
