import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { overridePaths, readConfFile, readConfFiles } from '../../../agent/dkms/conf/conf-files.ts';
import { confRequest } from './conf-request.ts';

const K = '6.1.0-56-amd64';

t.test('where overrides may be, the last one winning', async (t) => {
  const names = ['x', 'x-1', `x-1-${K}`, `x-1-${K}-x86_64`, `x--${K}`, `x--${K}-x86_64`];
  t.same(
    overridePaths(confRequest('/t')),
    names.map((name) => `/t/etc/${name}.conf`),
  );
  t.same(overridePaths(confRequest('/t', { module: '' })), [], 'the name is not known yet');
  for (const bad of ['../x', 'a\nb', 'a\0b']) {
    t.same(overridePaths(confRequest('/t', { module: bad })), [], `a name that is a path: ${JSON.stringify(bad)}`);
    t.same(overridePaths(confRequest('/t', { version: bad })), [], `a version: ${JSON.stringify(bad)}`);
  }
});

const FILES = { 'dkms.conf': 'own\n', etc: {} };

/** Writes overrides; gives the folder. */
function plant(folder: string, overrides: readonly string[]): string {
  for (const name of overrides) writeFileSync(`${folder}/etc/${name}.conf`, `${name}\n`);
  return folder;
}

t.test('the files that are there, in the order in which they count', async (t) => {
  const folder = plant(t.testdir(FILES), [`x--${K}`, 'x', 'x-2', 'y', `x-1-${K}`]);
  const read = readConfFiles(confRequest(folder));
  t.match(read, { kind: 'files', unread: [] });
  if (read.kind !== 'files') return;
  t.same(
    read.files.map(({ path }) => basename(path)),
    ['dkms.conf', 'x.conf', `x-1-${K}.conf`, `x--${K}.conf`],
  );
  t.same(
    read.files.map(({ text }) => text),
    ['own\n', 'x\n', `x-1-${K}\n`, `x--${K}\n`],
  );
});

t.test('what cannot be read', async (t) => {
  const folder = plant(t.testdir(FILES), ['x']);
  mkdirSync(`${folder}/etc/x-1.conf`);
  const request = confRequest(folder);
  t.match(readConfFiles(request), { kind: 'bad', error: { kind: 'unreadable', file: `${folder}/etc/x-1.conf` } });
  t.match(
    readConfFiles({ ...request, strict: false }),
    { kind: 'files', files: { length: 2 }, unread: [{ file: `${folder}/etc/x-1.conf` }] },
    'a look goes on without it',
  );
  symlinkSync('nowhere', `${folder}/etc/x--${K}.conf`);
  t.match(readConfFiles({ ...request, strict: false }), { files: { length: 2 } }, 'a link that leads nowhere is none');
  t.same(readConfFiles({ ...request, file: `${folder}/none` }), { kind: 'missing' }, "the package's own is missing");
  t.match(readConfFile(folder), { kind: 'bad', error: { why: 'a directory, not a file' } });
  t.match(readConfFile('/dev/null'), { kind: 'bad', error: { why: 'not a regular file' } });
  writeFileSync(`${folder}/large`, Buffer.alloc((1 << 20) + 1));
  t.match(readConfFile(`${folder}/large`), { kind: 'bad', error: { why: /larger than 1 MiB/ } });
});

t.test('an override that is there or not, nobody knows, is no override that is missing', async (t) => {
  const folder = t.testdir({ 'dkms.conf': 'own\n', etc: 'no folder\n' });
  t.match(readConfFiles(confRequest(folder)), { kind: 'bad', error: { why: 'a part of its path is not a directory' } });
});
