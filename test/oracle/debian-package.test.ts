/** The Debian packages, in a Debian of their own: dpkg installs, upgrades, purges them, and nothing is left or switched on. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { commandPath, runProgram } from '../fixtures/commands.ts';
import { runInRoot } from '../fixtures/roots/overlay-root.ts';
import { dkmsRoot } from './dkms/dkms-root.ts';

const root = join(import.meta.dirname, '../../..');
t.setTimeout(600_000);

const folder = mkdtempSync(join(tmpdir(), 'plugd-deb-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

async function build(name: string, revision: string): Promise<readonly string[]> {
  const out = join(folder, name);
  const script = join(root, 'deploy/debian/build.mjs');
  const built = await runProgram(process.execPath, [script, '--revision', revision, '--out', out], {
    env: { SOURCE_DATE_EPOCH: '1790000000' },
  });
  if (built.status !== 0) throw new Error(built.stderr);
  return readdirSync(out)
    .toSorted()
    .map((file) => join(out, file));
}

const hashes = (files: readonly string[]) =>
  files.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));

/** Each step of a package's life; what it prints is looked at below. `$1` and `$2` are the folders of the two versions. */
const LIFE = String.raw`
  set -e
  plugd_files() { find /usr /etc /var /opt /run -xdev \( -name '*plugd*' -o -lname '*plugd*' \) | sort; }
  plugd_files > /tmp/before
  dpkg -i "$1"/plugd_*.deb
  echo "version: $(plugd version)"
  echo "caches: $(ls /usr/lib/plugd/dist/*.cache | wc -l) of $(ls /usr/lib/plugd/dist/plugd.*.*.cjs | wc -l)"
  echo "switched on: $(find /etc/systemd -name '*plugd*' | wc -l)"
  echo "lookup: $(plugd lookup --kernel "$KERNEL" dummy | tr '\t' ' ')"
  echo "modprobe: $(PATH=/usr/lib/plugd/names:$PATH modprobe -n -v -S "$KERNEL" dummy)"
  echo "devices: $(plugd devices --json | head -c 20)"
  echo "coldplug: $(plugd coldplug -n --kernel "$KERNEL" -q; echo $?)"
  echo "page: $(zcat /usr/share/man/man8/plugd-modprobe.8.gz)"
  systemd-analyze --man=no verify plugd.service plugd-settle.service plugd-dkms.service 2>&1 | grep -i plugd | sed 's/^/verify: /' || true
  for cache in /usr/lib/plugd/dist/*.cache; do : > "$cache"; done
  dpkg-trigger --by-package=nodejs /usr/bin/node
  dpkg --configure -a
  echo "empty after a change of Node: $(find /usr/lib/plugd/dist -name '*.cache' -empty | wc -l)"
  rm -f /usr/lib/plugd/dist/*.cache
  dpkg -i "$2"/plugd_*.deb
  echo "upgraded: $(dpkg-query -W -f '\${Version}' plugd), $(ls /usr/lib/plugd/dist/*.cache | wc -l) caches"
  dpkg -i "$2"/plugd-dkms_*.deb
  echo "dkms: $(readlink -f /usr/sbin/dkms) $(dkms --version)"
  echo "provides: $(dpkg-query -W -f '\${Provides}' plugd-dkms)"
  test -x /usr/lib/dkms/common.postinst
  dpkg --purge plugd-dkms
  dpkg --purge plugd
  plugd_files > /tmp/after
  echo "left: $(comm -13 /tmp/before /tmp/after | tr '\n' ' ')"
`;

t.test('two builds are the same bytes; another revision is another package', async (t) => {
  const [first, second, other] = [await build('first', '1'), await build('second', '1'), await build('other', '2')];
  t.equal(first.length, 2);
  t.same(hashes(first), hashes(second));
  t.not(hashes(first)[1], hashes(other)[1]);
});

t.test('installed, used, upgraded, purged', async (t) => {
  const made = await dkmsRoot();
  if (made.kind === 'missing') {
    t.pass(made.sentence, { skip: made.sentence });
    return;
  }
  const node = await runProgram('dpkg-query', ['-W', '-f', '${Version}', 'nodejs']);
  if (node.status !== 0 || commandPath('systemd-analyze') === undefined) {
    t.pass('nodejs is not a package here', { skip: 'nodejs is not a package here, or systemd-analyze is missing' });
    return;
  }
  await build('old', '1');
  await build('new', '2');
  const script = LIFE.replaceAll(String.raw`\${`, '${');
  const ran = await runInRoot(
    made,
    ['env', `KERNEL=${made.kernel}`, 'sh', '-c', script, 'sh', '/debs/old', '/debs/new'],
    {
      shown: [{ outside: folder, inside: '/debs' }],
    },
  );
  const said = new Map(
    [...ran.stdout.matchAll(/^([a-zA-Z ]+): (.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  t.equal(ran.status, 0, ran.stdout + ran.stderr);
  t.match(said.get('version'), /^plugd \d/);
  t.match(said.get('caches'), /^(\d+) of \1$/, 'made where it is installed');
  t.equal(said.get('switched on'), '0');
  t.equal(said.get('lookup'), 'dummy dummy');
  t.match(said.get('modprobe'), /^insmod \S+\/dummy\.ko/);
  t.match(said.get('devices'), /^\{/);
  t.equal(said.get('coldplug'), '0');
  t.equal(said.get('page'), '.so man8/plugd-kmod.8');
  t.equal(said.get('verify'), undefined, 'systemd has no complaint about the units');
  t.equal(said.get('empty after a change of Node'), '0');
  t.match(said.get('upgraded'), /^\S+-2, [1-9]\d* caches$/);
  t.match(said.get('dkms'), /^\/usr\/lib\/plugd\/dist\/plugd\.cjs dkms-/);
  t.equal(said.get('provides'), 'dkms (= 3.4.3)');
  t.equal(said.get('left'), '', 'a purge leaves nothing');
});
