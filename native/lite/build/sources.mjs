/**
 * Debian's source packages of the engine and of the decompressors, through an APT configuration of the build's own: the machine's package
 * state stays as it is. They are kept in the cache (~/.cache/plugd/lite-sources), and each archive must have the sum that stands here.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Missing } from '../../recipes/build-tool.mjs';

const SUITE = 'trixie';

/** What is built in, by Debian's name; `sha256` is of the archive as its authors released it. */
export const SOURCES = {
  quickjs: {
    version: '2025.04.26',
    sha256: 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe',
  },
  'xz-utils': {
    version: '5.8.1',
    sha256: '0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e',
  },
  libzstd: {
    version: '1.5.7+dfsg',
    sha256: '0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5',
  },
};

/** Where sources and the engine's objects are kept. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plugd/lite-sources');

function run(file, args, options = {}) {
  const ended = spawnSync(file, args, { encoding: 'utf8', ...options });
  if (ended.error !== undefined) throw new Missing(`${file} cannot be run: ${ended.error.message}.`);
  return ended;
}

/** The last line of what a program complained about. */
function complaint({ stderr, status }) {
  return (stderr ?? '').trim().split('\n').at(-1) || `it ended with ${status}`;
}

/** The places of Debian's own archive in the machine's sources; mirrors stay as they are. */
function archives() {
  const etc = '/etc/apt';
  const folder = join(etc, 'sources.list.d');
  const files = [
    join(etc, 'sources.list'),
    ...(existsSync(folder) ? readdirSync(folder).map((n) => join(folder, n)) : []),
  ];
  const texts = files
    .filter((file) => existsSync(file) && /\.(list|sources)$/.test(file))
    .map((f) => readFileSync(f, 'utf8'));
  const found = texts.join('\n').match(/https?:\/\/\S+\/debian\/?(?=\s|$)/g) ?? [];
  return [...new Set(found.map((url) => url.replace(/\/$/, '')))];
}

/** An APT whose lists are the suite's sources alone, or packages of another architecture; its options for apt-get. */
function ownApt(folder, kind = 'deb-src') {
  const [archive] = archives();
  if (archive === undefined) throw new Missing("APT knows no archive of Debian's, which has the engine's source.");
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(
    join(folder, 'parts/sources.list'),
    `${kind} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${archive} ${SUITE} main\n`,
  );
  // Given with -c, so it is read after the machine's own configuration, whose proxies stay.
  writeFileSync(
    join(folder, 'apt.conf'),
    [
      `Dir::State "${folder}/state";`,
      `Dir::State::status "${folder}/status";`,
      `Dir::Cache "${folder}/cache";`,
      'Dir::Etc::sourcelist "/dev/null";',
      `Dir::Etc::sourceparts "${folder}/parts";`,
      'Dir::Etc::preferences "/dev/null";',
      'Dir::Etc::preferencesparts "/dev/null";',
      'APT::Default-Release "";',
      'APT::Sandbox::User "root";',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      'Acquire::Languages "none";',
      '',
    ].join('\n'),
  );
  return ['-c', join(folder, 'apt.conf')];
}

function archiveOf(name, folder) {
  return readdirSync(folder).find((file) => file.startsWith(`${name}_`) && /\.orig\.tar\.\w+$/.test(file));
}

function fetchArchives(folder) {
  const options = ownApt(join(cache, 'apt'));
  const updated = run('apt-get', [...options, 'update', '-qq']);
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(SOURCES)) {
    if (archiveOf(name, folder) !== undefined) continue;
    const args = [...options, 'source', '-qq', '--download-only', '--tar-only', name];
    const ended = run('apt-get', args, { cwd: folder });
    // Of a package whose Debian part has gone from the mirror, the authors' archive is still there.
    if (archiveOf(name, folder) === undefined)
      throw new Missing(
        `Debian's source package ${name} cannot be had: ${complaint(ended.status === 0 ? updated : ended)}.`,
      );
  }
}

/** The folder of a package's source, unpacked: `sourceOf('quickjs')`. Errors: `Missing`. */
export function sourceOf(name) {
  const { version, sha256 } = SOURCES[name];
  const target = join(cache, `${name}-${version}`);
  if (existsSync(target)) return target;
  const fetched = join(cache, 'archives');
  mkdirSync(fetched, { recursive: true });
  if (archiveOf(name, fetched) === undefined) fetchArchives(fetched);
  const archive = join(fetched, archiveOf(name, fetched));
  const sum = createHash('sha256').update(readFileSync(archive)).digest('hex');
  if (sum !== sha256) {
    rmSync(archive);
    throw new Missing(
      `${archive} is not ${name} ${version}: its sum is ${sum}; another version needs its sum in sources.mjs.`,
    );
  }
  const half = `${target}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  const ended = run('tar', ['-xf', archive, '-C', half, '--strip-components=1']);
  if (ended.status !== 0) throw new Missing(`${archive} cannot be unpacked: ${complaint(ended)}.`);
  renameSync(half, target);
  return target;
}

/** A package of another architecture, unpacked: `packageOf('musl-dev', 'arm64')`. Errors: `Missing`. */
export function packageOf(name, architecture) {
  const target = join(cache, `${name}-${architecture}`);
  if (existsSync(target)) return target;
  const half = `${target}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  const options = [...ownApt(join(cache, `apt-${architecture}`), 'deb'), '-o', `APT::Architecture=${architecture}`];
  const updated = run('apt-get', [...options, 'update', '-qq']);
  const ended = run('apt-get', [...options, 'download', '-qq', name], { cwd: half });
  const archive = readdirSync(half).find((file) => file.endsWith('.deb'));
  if (archive === undefined)
    throw new Missing(
      `Debian's package ${name}:${architecture} cannot be had: ${complaint(ended.status === 0 ? updated : ended)}.`,
    );
  const unpacked = run('dpkg-deb', ['-x', join(half, archive), half]);
  if (unpacked.status !== 0) throw new Missing(`${archive} cannot be unpacked: ${complaint(unpacked)}.`);
  renameSync(half, target);
  return target;
}
