import t from 'tap';
import { openHost } from '../../agent/base/host.ts';
import { vouchingRings } from '../../agent/trust/vouching.ts';

const VERSIONS: Readonly<Record<string, readonly [string, boolean]>> = {
  mainline: ['Linux version 6.12.3 (me@here) (gcc 14) #1 SMP', false],
  Debian: ['Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12 …) #1 SMP Debian 6.1.192-2', true],
  Ubuntu: ['Linux version 6.8.0-31-generic (buildd@lcy02) (… Ubuntu 13.2.0) #31-Ubuntu SMP', true],
  Fedora: ['Linux version 6.11.4-301.fc41.x86_64 (mockbuild@x)', true],
  'Red Hat': ['Linux version 5.14.0-503.el9.x86_64 (mockbuild@x)', true],
  Arch: ['Linux version 6.12.1-arch1-1 (linux@archlinux)', false],
};
for (const [rule, [text, platform]] of Object.entries(VERSIONS)) {
  t.test(rule, (t) => {
    const proc = t.testdir({ version: text });
    const rings = vouchingRings(openHost({ proc }));
    t.equal(rings.has('.platform'), platform);
    t.ok(rings.has('.machine') && rings.has('.builtin_trusted_keys') && !rings.has('.blacklist'));
    t.end();
  });
}

t.test('a kernel that does not say who built it', (t) => {
  const proc = t.testdir({});
  t.notOk(vouchingRings(openHost({ proc })).has('.platform'));
  t.end();
});
