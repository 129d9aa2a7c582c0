/** The page of `plugd report` in a real browser: what it shows with and without scripts, its keys, and axe's verdict on it. */
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { page } from '../../agent/report/page/page.ts';
import { chromiumPath, withTab, type Tab, type View } from '../fixtures/chromium.ts';
import { device, SNAPSHOT } from '../report/page/made-snapshot.ts';

const browser = chromiumPath();
const require = createRequire(import.meta.url);

/** axe-core's script, or undefined where npm has not put it. */
function axe(): string | undefined {
  try {
    return readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  } catch {
    return undefined;
  }
}

const WIDE: View = { width: 1280, height: 900, scheme: 'light' };
const VIEWS: Readonly<Record<string, View>> = {
  'wide and light': WIDE,
  'wide and dark': { ...WIDE, scheme: 'dark' },
  'narrow and light': { width: 390, height: 844, scheme: 'light' },
  'narrow and dark': { width: 390, height: 844, scheme: 'dark' },
};

/** Text that would run if it could. */
const NASTY = `"><img src=x onerror="pwned=1"><script>pwned=1</script><svg onload=pwned=1>`;

t.setTimeout(600_000);

const skip = browser === undefined ? 'there is no chromium (Debian: apt install chromium)' : false;
t.test('the page in a browser', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plugd-page-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    const path = join(folder, `${name}.html`);
    writeFileSync(path, text);
    return path;
  };
  const plain = file('plain', page(SNAPSHOT));
  const devices = Array.from({ length: 40 }, (_, i) =>
    device(`/devices/pci0000:00/0000:00:${i}.0`, { reason: `${i}` }),
  );
  const nasty = file(
    'nasty',
    page({
      ...SNAPSHOT,
      title: NASTY,
      devices: [...SNAPSHOT.devices, device(`/devices/${NASTY}`, { hardware: NASTY, reason: NASTY })],
    }),
  );
  const many = file('many', page({ ...SNAPSHOT, devices: [...SNAPSHOT.devices, ...devices] }));
  await withTab(browser ?? '', async (tab) => {
    await t.test('without scripts all is there', async (t) => {
      await tab.open(plain, { ...WIDE, scripts: false });
      t.equal(
        await tab.value('getComputedStyle(document.querySelector(".filter")).display'),
        'none',
        'no dead search field',
      );
      t.match(
        await tab.value('document.querySelector("main").textContent'),
        /1 device would lose what it has[^]*cpu0 … cpu10/,
      );
      t.ok(await tab.value('document.querySelector("#d0 summary").offsetHeight > 0'));
    });
    await t.test('nothing of an outsider runs', async (t) => {
      await tab.open(nasty, WIDE);
      t.equal(await tab.value('typeof pwned'), 'undefined');
      t.equal(await tab.value('document.images.length + document.scripts.length'), 1);
      t.match(await tab.value('document.querySelector("h1").textContent'), NASTY);
    });
    await t.test('search, filters and keys', async (t) => searchAndKeys(t, tab, many));
    await t.test('the timeline', async (t) => timeline(t, tab, plain));
    for (const [name, view] of Object.entries(VIEWS)) {
      await t.test(name, async (t) => {
        await tab.open(plain, view);
        t.equal(
          await tab.value('document.documentElement.scrollWidth'),
          view.width,
          'nothing is wider than the window',
        );
        await axeOf(t, tab);
      });
    }
    t.same(tab.complaints, [], 'no error, and nothing that the policy of the page refused');
  });
});

async function searchAndKeys(t: Test, tab: Tab, file: string): Promise<void> {
  const shown = async () =>
    tab.value<number>('[...document.querySelectorAll(".tree li")].filter((item) => item.offsetParent).length');
  const settle = async () => tab.value('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))');
  const type = async (text: string) => {
    await tab.value(
      `(() => { const q = document.querySelector('[name=q]'); q.value = ${JSON.stringify(text)}; q.dispatchEvent(new Event('input', { bubbles: true })); })()`,
    );
    await settle();
  };
  await tab.open(file, WIDE);
  const all = await shown();
  await tab.press('/');
  t.equal(await tab.value('document.activeElement.name'), 'q', '/ leads to the search field');
  await type('VIRTIO0');
  t.equal(await shown(), 2, 'a device and the one it is behind');
  t.match(await tab.value('document.querySelector(".found").textContent'), /^1 of \d+ rows$/);
  await type('nothing has this');
  t.equal(await shown(), 0);
  await tab.press('Escape');
  t.equal(await shown(), all, 'Escape shows all again');
  await tab.value(
    `(() => { const s = document.querySelector('[name=standing]'); s.value = 'bad'; s.dispatchEvent(new Event('input', { bubbles: true })); })()`,
  );
  await settle();
  t.equal(await shown(), 2);
  await tab.value('location.hash = "#d0"');
  await settle();
  t.ok(await tab.value('document.querySelector("#d0 > details").open'), 'a link opens its device');
  const focused = async () => tab.value<string>('document.activeElement.closest("li").id');
  await tab.press('ArrowLeft');
  t.notOk(await tab.value('document.querySelector("#d0 > details").open'));
  await tab.press('ArrowDown');
  t.equal(await focused(), 'd1');
  await tab.press('ArrowRight');
  t.ok(await tab.value('document.querySelector("#d1 > details").open'));
  await tab.press('ArrowLeft');
  await tab.press('ArrowLeft');
  t.equal(await focused(), 'd0', 'from a closed row to the one it is behind');
}

async function timeline(t: Test, tab: Tab, file: string): Promise<void> {
  await tab.open(file, WIDE);
  const width = async () => tab.value<number>('document.querySelector(".plot").offsetWidth');
  const before = await width();
  await tab.value('document.querySelector(".scroll").focus()');
  await tab.press('+');
  t.ok((await width()) > before * 1.3, '+ makes it wider');
  await tab.press('0');
  t.equal(await width(), before, '0 fits it in');
  await tab.value('document.querySelector("[data-module=e1000e] a").focus()');
  t.equal(await tab.value('document.querySelector(".chain").textContent'), 'e1000e waited for mii');
  t.same(await tab.value('[...document.querySelectorAll(".rows .near")].map((row) => row.dataset.module)'), [
    'mii',
    'e1000e',
  ]);
  await tab.value('document.querySelector("[name=critical]").click()');
  t.same(
    await tab.value(
      '[...document.querySelectorAll(".rows [data-module]:not([hidden])")].map((row) => row.dataset.module)',
    ),
    ['mii', 'e1000e'],
  );
}

async function axeOf(t: Test, tab: Tab): Promise<void> {
  const script = axe();
  if (script === undefined) {
    t.comment('axe-core is not installed: npm ci');
    return;
  }
  await tab.value('for (const details of document.querySelectorAll("details")) details.open = true');
  await tab.value(`${script};undefined`);
  const found = await tab.value<ReadonlyArray<{ id: string; impact: string; nodes: number }>>(
    'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => html + failureSummary) })))',
  );
  t.same(found, [], 'axe finds nothing');
}
