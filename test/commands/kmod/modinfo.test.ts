import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { builtinInfo } from '../../../agent/facts/modfiles/module-info.ts';
import type { ModuleInfoRecord } from '../../../agent/records/module-info.ts';
import { moduleInfoBody, moduleInfoHead } from '../../../agent/report/module-info-text.ts';
import { elfImage, moduleImage } from '../../fixtures/elf-image.ts';
import { isOfSchema } from '../../schemas.ts';

const root = join(import.meta.dirname, '../../../..');
const validate = isOfSchema('modinfo');

const image = moduleImage({
  modinfo: [
    'license=GPL',
    'alias=a',
    'alias=b',
    'parm=debug:Level: 0 to 3',
    'parmtype=debug:int',
    'parm=only',
    'author=J\xc3\xb6rg',
    'raw=\xff',
  ],
});
const buildId = Buffer.from('040000000200000003000000474e550001ab', 'hex');

t.test('--json', (t) => {
  const base = t.testdir({});
  const tree = join(base, 'lib/modules/6.1.0');
  const put = (path: string, content: Buffer | string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  };
  put('modules.dep', 'kernel/a.ko.gz:\nkernel/text.ko:\nkernel/built.ko:\nkernel/marked.ko:\n');
  put('modules.builtin', 'kernel/in.ko\n');
  put('modules.builtin.modinfo', 'in.license=GPL\0in.parm=p:text\0');
  put('kernel/a.ko.gz', gzipSync(image));
  put('kernel/text.ko', 'some text');
  put('kernel/built.ko', elfImage({ sections: { '.modinfo': 'x=1\0', '.note.gnu.build-id': buildId } }));
  put('kernel/marked.ko', Buffer.concat([image, Buffer.from('~Module signature appended~\n')]));
  const run = spawnSync(
    process.execPath,
    [
      join(root, 'dist/agent/cli.js'),
      'modinfo',
      '--json',
      '-b',
      base,
      '-k',
      '6.1.0',
      'a',
      'text',
      'built',
      'in',
      'none',
      'marked',
    ],
    { encoding: 'utf8' },
  );
  t.equal(run.status, 1);
  t.match(
    run.stderr,
    /^modinfo: ERROR: could not get modinfo from 'text': Exec format error \(not an ELF file\)\nmodinfo: ERROR: Module none not found\.\n$/,
  );
  const records = JSON.parse(run.stdout) as ModuleInfoRecord[];
  t.ok(validate(records), JSON.stringify(validate.errors));
  const a = {
    fields: { license: ['GPL'], alias: ['a', 'b'], author: ['Jörg'], raw: ['\xff'] },
    parameters: [{ name: 'debug', description: 'Level: 0 to 3', type: 'int' }],
  };
  const expected = [
    { name: 'a', builtin: false, filename: `${tree}/kernel/a.ko.gz`, compression: 'gzip', ...a },
    {
      name: 'text',
      builtin: false,
      filename: `${tree}/kernel/text.ko`,
      fields: {},
      parameters: [],
      error: 'not an ELF file',
    },
    {
      name: 'built',
      builtin: false,
      filename: `${tree}/kernel/built.ko`,
      fields: { x: ['1'] },
      parameters: [],
      buildId: '01ab',
    },
    { name: 'in', builtin: true, fields: { license: ['GPL'] }, parameters: [{ name: 'p', description: 'text' }] },
    {
      name: 'marked',
      builtin: false,
      filename: `${tree}/kernel/marked.ko`,
      ...a,
      signature: { damaged: 'a signature of no bytes' },
    },
  ];
  t.same(
    records,
    expected.map((record) => ({ schemaVersion: 1, ...record })),
  );
  t.end();
});

t.test('what is printed, row by row', (t) => {
  const fields = [
    { key: 'license', value: 'GPL' },
    { key: 'parm', value: 'a:first' },
    { key: 'parm', value: 'b:second' },
    { key: 'parmtype', value: 'b:int' },
    { key: 'parmtype', value: 'c:charp' },
    { key: 'a_key_of_sixteen', value: 'x' },
  ];
  const newline = { field: undefined, separator: '\n' } as const;
  const nul = { field: undefined, separator: '\0' } as const;
  const rows: ReadonlyArray<readonly [name: string, text: string, expected: string]> = [
    ['a file', moduleInfoHead({ name: 'm', path: '/m.ko' }, newline), 'filename:       /m.ko\n'],
    [
      'a builtin module',
      moduleInfoHead({ name: 'm', path: undefined }, newline),
      'name:           m\nfilename:       (builtin)\n',
    ],
    ['-0 a file', moduleInfoHead({ name: 'm', path: '/m.ko' }, nul), 'filename:       /m.ko\0'],
    ['-F filename', moduleInfoHead({ name: 'm', path: '/m.ko' }, { ...newline, field: 'filename' }), '/m.ko\n'],
    ['-F name of a file', moduleInfoHead({ name: 'm', path: '/m.ko' }, { ...newline, field: 'name' }), ''],
    [
      '-F name of a builtin module',
      moduleInfoHead({ name: 'm', path: undefined }, { ...newline, field: 'name' }),
      'm\n',
    ],
    [
      'fields, then parameters from the last to the first',
      moduleInfoBody(fields, newline),
      'license:        GPL\na_key_of_sixteen:x\nparm:           c:charp\nparm:           b:second (int)\nparm:           a:first\n',
    ],
    ['-0', moduleInfoBody(fields.slice(0, 2), nul), 'license=GPL\0parm:           a:first\0'],
    ['-p', moduleInfoBody(fields, { ...newline, field: 'parm' }), 'c: (charp)\nb:second (int)\na:first\n'],
    ['-F parmtype', moduleInfoBody(fields, { ...newline, field: 'parmtype' }), 'b:int\nc:charp\n'],
    ['-F of nothing', moduleInfoBody(fields, { ...newline, field: 'License' }), ''],
  ];
  for (const [name, text, expected] of rows) t.equal(text, expected, name);
  t.end();
});

t.test('builtin modules', (t) => {
  const text = 'a.x=1\0a.y=2\0ab.x=3\0a.z=4\0b.x=5';
  t.same(builtinInfo(text, 'a'), [
    { key: 'x', value: '1' },
    { key: 'y', value: '2' },
  ]);
  t.same(builtinInfo(text, 'ab'), [{ key: 'x', value: '3' }]);
  t.same(builtinInfo(text, 'b'), [{ key: 'x', value: '5' }], 'the last one without a NUL');
  t.equal(builtinInfo(text, 'c'), undefined);
  t.equal(builtinInfo('', 'a'), undefined);
  t.end();
});
