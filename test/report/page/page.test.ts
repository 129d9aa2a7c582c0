import { createHash } from 'node:crypto';
import t from 'tap';
import type { Snapshot } from '../../../agent/explain/snapshot/snapshot.ts';
import { headline } from '../../../agent/report/page/overview.ts';
import { page } from '../../../agent/report/page/page.ts';
import { device, SNAPSHOT } from './made-snapshot.ts';

const NASTY = `"'><script>pwned()</script><img src=x onerror=pwned()></style></title><!--\u0000]]>&#60;b javascript:pwned()`;

/** Words of plugd's own, and times: what no outsider writes. */
const OWN = new Set([
  'kind',
  'state',
  'result',
  'verdict',
  'fate',
  'why',
  'source',
  'made',
  'date',
  'time',
  'to',
  'readiness',
  'waits',
  'by',
]);

/** The same snapshot with every text of an outsider replaced. */
function poisoned(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return OWN.has(key) ? value : key === 'devpath' ? `${value}${NASTY}` : NASTY;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, name === 'phases' ? item : poisoned(item, name)]),
  );
}

/** The tags of a document without the values of their attributes, and without what its one style and one script hold. */
function tags(text: string): readonly string[] {
  return (
    text
      .replace(/<style>.*?<\/style>/s, '<style></style>')
      .replace(/<script>.*?<\/script>/s, '<script></script>')
      .replaceAll(/"[^"<>]*"/g, '""')
      .match(/<[^>]*>/g) ?? []
  );
}

t.test('the page is one file, which loads nothing', (t) => {
  const text = page(SNAPSHOT);
  t.match(text, /^\s*<!doctype html>/);
  t.notMatch(tags(text).join('\n'), /\s(src|style|on\w+|action|srcset)=/);
  t.notMatch(text, /(https?:)?\/\/[a-z]+\.[a-z]/, 'no address of the network');
  t.same(
    [...text.matchAll(/href="([^"#]?)/g)].filter(([, first]) => first !== ''),
    [],
    'links lead into the page',
  );
  for (const [, element, content] of text.matchAll(/<(style|script)>(.*?)<\/\1>/gs)) {
    const digest = createHash('sha256')
      .update(content ?? '')
      .digest('base64');
    t.match(text, `${element}-src 'sha256-${digest}'`, `the policy allows this ${element}`);
  }
  t.match(
    text,
    /default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'"/,
  );
  t.end();
});

t.test('every link has its target, and no name stands twice', (t) => {
  const text = page(SNAPSHOT);
  const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
  t.equal(new Set(ids).size, ids.length);
  for (const [, target = ''] of text.matchAll(/href="#([^"]*)"/g)) t.ok(ids.includes(target), target);
  t.end();
});

t.test('nothing that an outsider wrote becomes markup', (t) => {
  const [clean, dirty] = [page(SNAPSHOT), page(poisoned(SNAPSHOT) as Snapshot)];
  const kinds = (text: string) =>
    [...new Set(tags(text).map((tag) => /^<\/?[a-z0-9!-]*/.exec(tag)?.[0] ?? ''))].toSorted();
  t.same(kinds(dirty), kinds(clean), 'no element that the clean page does not have');
  t.equal(dirty.match(/<script/g)?.length, 1);
  t.equal(dirty.match(/<style/g)?.length, 1);
  t.notMatch(dirty, '<img');
  t.notMatch(tags(dirty).join('\n'), /\son\w+=/);
  t.match(dirty, '&lt;script&gt;pwned()');
  t.notMatch(dirty, /[\u0000\u001B]/);
  t.end();
});

t.test('what the page tells', (t) => {
  const text = page(SNAPSHOT)
    .replaceAll(/<(style|script)>.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&times;', '×')
    .replaceAll(/\s+/g, ' ');
  const rows: Readonly<Record<string, RegExp>> = {
    'the machine and its kernel': /Acme Rocket 9 Linux 6\.1\.0-test for x86_64 in \/mnt\/image/,
    'the verdict on a recording': /1 device would lose what it has/,
    'what needs attention, with its reason and remedy': /this tree has no module virtio_x .*no key signed it .*sign it/,
    'what is wrong before what is well': /wrong keys no key none in \.machine remedy enrol one .*ok modules/,
    'a row for alike devices': /cpu0 … cpu10 ×4/,
    'names of hardware': /Acme 9000/,
    'the candidates and the rules':
      /matches e1000e by pci:v0000\*e1000e modules\.alias.*rule e1000e : blacklist e1000e/,
    'the critical path': /critical path\): mii 10 ms e1000e 1\.30 s/,
    'what waited for what': /1\.30 s after mii/,
    'who asked for a module': /mii loaded , used by 2 .*0000:00:01\.0 for e1000e options/,
    'what the kernel asked for': /kvm/,
    'a failed build of an out-of-tree module':
      /failed nvidia 1\.0 its build failed for 6\.1\.0-test; also for 5\.0 log \/var\/make\.log/,
    'the keys':
      /untrusted Acme signing key RSA 2048, until 2030-01-01, in \.platform, MokListRT, to be enrolled at the next boot, revoked by dbx/,
  };
  for (const [name, pattern] of Object.entries(rows)) t.match(text, pattern, name);
  t.end();
});

t.test('an explanation stands once', (t) => {
  const long =
    'a reason that is long enough to be worth a reference instead of being told again for every device of its kind, '.repeat(
      2,
    );
  const twins = ['a', 'b'].map((name) => device(`/devices/${name}`, { reason: long }));
  const text = page({ ...SNAPSHOT, recorded: undefined, devices: twins });
  t.equal(text.split(long).length - 1, 1);
  t.match(text, /as for <a href="#d0">a<\/a>/);
  t.end();
});

t.test('a machine of which little is known', (t) => {
  const { recorded: _, run: __, ...rest } = SNAPSHOT;
  const text = page({
    ...rest,
    noTree: 'there is no tree',
    devices: [],
    modules: [],
    checks: [],
    outOfTree: [],
    keys: [],
  });
  t.match(text, /No device asks for a driver or has one/);
  t.match(text, /there is no tree/);
  for (const id of ['attention', 'timeline', 'dkms', 'keys']) t.notMatch(text, `id="${id}"`);
  t.end();
});

const good = { ...SNAPSHOT, recorded: undefined, checks: [], devices: [device('/devices/a')] };
const lost = (fate: 'lost' | 'kept' | 'unknown') => device('/devices/a', { fate });
const headlines: Readonly<Record<string, readonly [snapshot: Snapshot, standing: string, text: RegExp]>> = {
  'all is well': [good, 'good', /^Nothing is wrong$/],
  'warnings are things to know': [
    { ...good, checks: SNAPSHOT.checks.slice(3) },
    'warn',
    /^Nothing is wrong, 1 thing to know$/,
  ],
  'wrong checks come first': [{ ...good, checks: SNAPSHOT.checks }, 'bad', /^1 thing is wrong$/],
  'a device that fails is wrong, too': [
    { ...good, devices: [device('/devices/a', { driver: undefined, verdict: 'failed' })] },
    'bad',
    /^1 device does not work$/,
  ],
  'a recording that loses something': [
    { ...SNAPSHOT, devices: [lost('lost'), lost('kept')] },
    'bad',
    /^1 device would lose/,
  ],
  'a recording that loses nothing': [{ ...SNAPSHOT, devices: [lost('kept')] }, 'good', /^Every driver/],
  'a recording that cannot be judged as a whole': [
    { ...SNAPSHOT, devices: [lost('unknown')] },
    'warn',
    /^Every driver/,
  ],
  'a recording without a tree': [{ ...SNAPSHOT, noTree: 'none' }, 'idle', /^The machine as it was recorded$/],
};
t.test('the verdict in a sentence', (t) => {
  for (const [name, [snapshot, standing, text]] of Object.entries(headlines))
    t.match(headline(snapshot), { standing, text }, name);
  t.end();
});
