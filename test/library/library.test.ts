/** The library's functions on trees made to order, called as another package would call them: by the package's name. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import * as plugd from '../../agent/index.ts';
import { moduleImage } from '../fixtures/elf-image.ts';
import { plantSysfs } from '../fixtures/sysfs.ts';

/** A root whose indexes the library itself has built. */
async function image(t: Test): Promise<string> {
  const root = t.testdir({
    'etc/modprobe.d': { 'a.conf': '# rules\nblacklist nic\noptions bus speed=2\nbroken\n' },
    'lib/modules/6.1.0': {
      'modules.builtin': 'kernel/fs/ext4/ext4.ko\n',
      'modules.builtin.modinfo': 'ext4.license=GPL\0ext4.alias=fs-ext4\0',
    },
  });
  const put = (name: string, bytes: Buffer) => {
    const path = join(root, 'lib/modules/6.1.0', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  };
  put('kernel/bus.ko', moduleImage({ modinfo: ['license=GPL', 'parm=speed:how fast'], exports: { bus_up: 1 } }));
  put('kernel/net/nic-x.ko', moduleImage({ modinfo: ['alias=pci:v1d*', 'license=MIT'], needs: { bus_up: 1 } }));
  put('kernel/net/nic.ko', moduleImage({ modinfo: ['alias=pci:v2d*'], needs: { bus_up: 1 } }));
  const build = await plugd.buildIndexes({ root });
  t.equal(build.kind, 'built', JSON.stringify(build));
  if (build.kind === 'built') t.same(plugd.publishIndexes(build.moduleDir, build.files), { kind: 'published' });
  return root;
}

t.test('a tree: look up, plan, read', async (t) => {
  const root = await image(t);
  const modules = plugd.openModules({ root });
  const dir = join(root, 'lib/modules/6.1.0');
  t.match(modules, { kernel: '6.1.0', moduleDir: dir });
  t.match(modules.lookup('pci:v1d7'), {
    kind: 'found',
    candidates: [{ module: 'nic_x', source: 'modules.alias', pattern: 'pci:v1d*' }],
  });
  t.same(modules.lookup('pci:v9d9'), { kind: 'none' });
  t.match(modules.lookup('a['), { kind: 'malformed' });
  t.match(modules.lookup('fs-ext4'), { candidates: [{ module: 'ext4', source: 'builtin-alias' }] });

  const [answer] = modules.plan('pci:v1d7').answers;
  t.match(answer, { decision: { kind: 'load' }, plan: { target: 'nic_x', blocked: [] } });
  t.match(answer?.plan?.steps, [
    { module: 'bus', path: join(dir, 'kernel/bus.ko'), params: 'speed=2', why: 'depends', for: 'nic_x' },
    { module: 'nic_x', params: '', why: 'target', after: [{ module: 'bus', required: true }] },
  ]);
  const rule = { file: join(root, 'etc/modprobe.d/a.conf'), line: 2 };
  t.match(modules.plan('pci:v2d7').answers, [{ decision: { kind: 'blacklisted', place: rule }, plan: undefined }]);
  t.match(modules.plan('nic').answers, [{ decision: { kind: 'load' } }], 'by its own name');
  t.match(modules.plan('nic', { byRule: true }).answers, [{ decision: { kind: 'blacklisted' } }]);
  t.same(modules.plan('nothing'), { lookup: { kind: 'none' }, answers: [] });

  t.same(modules.files('nic-x'), { path: join(dir, 'kernel/net/nic-x.ko'), depends: [join(dir, 'kernel/bus.ko')] });
  t.equal(modules.files('ext4'), undefined);
  t.ok(modules.isBuiltin('ext4'));
  t.same(
    [...modules.list()].map(({ module, path }) => [module, path?.slice(dir.length + 1)]),
    [
      ['bus', 'kernel/bus.ko'],
      ['nic', 'kernel/net/nic.ko'],
      ['nic_x', 'kernel/net/nic-x.ko'],
      ['ext4', undefined],
    ],
  );
  const info = modules.info('bus');
  t.match(info, { kind: 'info', path: join(dir, 'kernel/bus.ko') });
  if (info?.kind === 'info') {
    t.equal(plugd.modinfoValue(info.fields, 'license'), 'GPL');
    t.match(plugd.moduleParameters(info.fields), [{ name: 'speed', description: 'how fast' }]);
  }
  t.match(modules.info('ext4'), {
    kind: 'builtin',
    module: 'ext4',
    fields: [
      { key: 'license', value: 'GPL' },
      { key: 'alias', value: 'fs-ext4' },
    ],
  });
  t.equal(modules.info('nothing'), undefined);
  t.match(modules.rules.blacklists, [{ module: 'nic', place: rule }]);
  t.match(modules.problems(), [{ file: rule.file, line: 4 }]);
  writeFileSync(join(dir, 'kernel/bus.ko'), 'no module');
  t.match(modules.info('bus'), { kind: 'not-a-module' });
});

t.test('a directory whose name is not ASCII', async (t) => {
  const root = join(await image(t), 'größe');
  mkdirSync(join(root, 'lib/modules/1.0'), { recursive: true });
  writeFileSync(join(root, 'lib/modules/1.0/a.ko'), moduleImage({ modinfo: ['license=GPL', 'alias=pci:v5*'] }));
  const build = await plugd.buildIndexes({ root, kernel: '1.0' });
  if (build.kind !== 'built') throw new Error(JSON.stringify(build));
  t.same(plugd.publishIndexes(build.moduleDir, build.files), { kind: 'published' });
  const modules = plugd.openModules({ root });
  const [found] = modules.plan('pci:v5').answers;
  t.match(modules.info(found?.plan?.target ?? ''), { kind: 'info' });
});

t.test('errors say what is wrong and what to do', async (t) => {
  const root = t.testdir({ 'lib/modules': { a: {}, b: {} }, one: { 'lib/modules/c': {} } });
  t.throws(() => plugd.openModules({ root: join(root, 'none') }), { name: 'PlugdError', code: 'usage' });
  t.throws(() => plugd.openModules({ root }), { code: 'usage', message: /a, b/ });
  t.throws(() => plugd.openModules({ root, kernel: 'x' }), { code: 'no-modules-directory', remedy: /a, b/ });
  await t.rejects(plugd.planColdplug({ root, kernel: 'x' }), { code: 'no-modules-directory' });
  t.throws(() => plugd.explainModule('pci:v1', { root: join(root, 'one') }), { code: 'usage' });
  t.match(await plugd.buildIndexes({ moduleDir: join(root, 'none'), kernel: '1' }), { kind: 'failed', messages: [] });
  const cycle = join(root, 'cycle');
  mkdirSync(cycle);
  writeFileSync(join(cycle, 'a.ko'), moduleImage({ modinfo: ['license=GPL'], exports: { a: 1 }, needs: { b: 1 } }));
  writeFileSync(join(cycle, 'b.ko'), moduleImage({ modinfo: ['license=GPL'], exports: { b: 1 }, needs: { a: 1 } }));
  const build = await plugd.buildIndexes({ moduleDir: cycle, kernel: '1' });
  t.match(build, { kind: 'circular' });
  if (build.kind === 'circular') t.same(build.cycles[0]?.filter((name) => /^[ab]$/.test(name)).length ?? 0, 3);
  t.match(plugd.readModuleInfo(join(root, 'nothing.ko')), { kind: 'not-a-module' });
});

t.test('texts: rules, uevents, recordings', (t) => {
  const rules = plugd.parseRules([{ file: 'a.conf', text: 'softdep a pre: b\nblacklist\n' }], {
    file: 'cmdline',
    text: 'modprobe.blacklist=c d.e=1',
  });
  t.match(rules, {
    softdeps: [{ place: { file: 'a.conf', line: 1 } }],
    blacklists: [{ module: 'c', place: { file: 'cmdline' } }],
    problems: [{ file: 'a.conf', line: 2 }],
  });
  t.match(plugd.parseUevent(Buffer.from('add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=pci\0')), {
    kind: 'uevent',
    uevent: { action: 'add', subsystem: 'pci' },
  });
  t.match(plugd.parseUevent(Buffer.from('nonsense')), { kind: 'malformed' });
  const [device] = plugd.parseRecording('{"devpath":"/devices/x","modalias":"pci:v1d1"}\n', 'r.jsonl');
  t.same(device?.modaliases, ['pci:v1d1']);
  if (device !== undefined) t.match(plugd.recordLine(device), /^\{"devpath":"\/devices\/x".*\}\n$/);
  t.throws(() => plugd.parseRecording('{', 'r.jsonl'), { code: 'usage', message: /r\.jsonl:1/ });
  t.equal(plugd.moduleName('snd-hda-intel'), 'snd_hda_intel');
  t.end();
});

t.test('devices: read, planned for, explained', async (t) => {
  const root = await image(t);
  const sysfs = join(root, 'sys');
  plantSysfs(sysfs, [
    { devpath: '/devices/pci0/0000:00:01.0', subsystem: 'pci', modalias: 'pci:v1d7' },
    { devpath: '/devices/pci0/0000:00:02.0', subsystem: 'pci', modalias: 'pci:v2d7' },
  ]);
  t.same(
    [...plugd.readDevices(sysfs)].map(({ modaliases }) => modaliases),
    [['pci:v1d7'], ['pci:v2d7']],
  );
  const run = await plugd.planColdplug({ root, sysfs });
  t.match(run, { dryRun: true, kernel: '6.1.0', devices: 2 });
  t.same(
    run.modules.map(({ module, result }) => `${module} ${result}`),
    ['bus planned', 'nic_x planned'],
  );
  t.match(run.blocked, [{ module: 'nic', kind: 'blacklisted' }]);
  t.match(plugd.explainDevice('0000:00:02.0', { root, sysfs }), { verdict: 'blacklisted', remedy: /remove that line/ });
  t.match(plugd.explainDevice('pci:v9d9', { root, sysfs }), { verdict: 'no-match' });
  t.match(plugd.explainModule('nic', { root, sysfs }), { module: 'nic', state: { kind: 'absent' } });
});

t.test('what is exported', (t) => {
  const index = readFileSync(join(import.meta.dirname, '../../../agent/index.ts'), 'utf8');
  t.notMatch(index, /export \*|^(const|let|function|class) /m, 'named re-exports only');
  t.same(Object.keys(plugd).toSorted(), [
    'PlugdError',
    'VERSION',
    'buildIndexes',
    'coldplug',
    'explainDevice',
    'explainModule',
    'headerLine',
    'modinfoValue',
    'modinfoValues',
    'moduleName',
    'moduleParameters',
    'openModules',
    'openUevents',
    'parseMachine',
    'parseRecording',
    'parseRules',
    'parseUevent',
    'planColdplug',
    'publishIndexes',
    'readBoundDevices',
    'readDevices',
    'readHeader',
    'readModuleInfo',
    'recordLine',
  ]);
  const page = readFileSync(join(import.meta.dirname, '../../../docs/library.md'), 'utf8');
  for (const name of Object.keys(plugd)) t.match(page, `\`${name}`, `docs/library.md names ${name}`);
  t.end();
});
