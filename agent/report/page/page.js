/* The page is whole without this: it adds search and filters, keys in the tree, zoom, and what waited for what. */
'use strict';
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const one = (selector, from = document) => from.querySelector(selector);
/* What a row says, to be searched. */
const textOf = (row) => (row.text ??= row.details.textContent.toLowerCase());
/* What the module of a bar waited for. */
const needs = (bar) => (bar.dataset.after ?? '').split(' ').filter((name) => name !== '');
const names = (bars) => bars.map((bar) => bar.dataset.module).join(', ');

for (const element of all('form[hidden], .keys[hidden]')) element.hidden = false;
for (const form of all('form')) form.addEventListener('submit', (event) => event.preventDefault());

/* A link to a device or a module opens what it leads to, also when a filter hides it. */
const follow = () => {
  const target = location.hash === '' ? null : document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null) return;
  if (target.hidden) clear();
  const details = one(':scope > details', target);
  if (details !== null) details.open = true;
  target.scrollIntoView();
  /* Rows above it that were never shown get their heights only now. */
  requestAnimationFrame(() => requestAnimationFrame(() => target.scrollIntoView()));
  if (details !== null) one('summary', details).focus({ preventScroll: true });
};

/* Devices. */
const filter = one('.filter');
const rows = all('.tree li').map((item) => ({
  item,
  details: item.firstElementChild,
  summary: item.firstElementChild.firstElementChild,
  parent: item.parentElement.closest('li'),
  text: undefined,
}));
const byItem = new Map(rows.map((row) => [row.item, row]));

function search() {
  const { q, standing, bus } = filter.elements;
  const words = q.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const free = words.length === 0 && standing.value === '' && bus.value === '';
  let found = 0;
  for (const { item } of rows) item.hidden = !free;
  for (const row of rows) {
    const { item } = row;
    const hit =
      (standing.value === '' || item.classList.contains(standing.value)) &&
      (bus.value === '' || item.dataset.bus === bus.value) &&
      words.every((word) => textOf(row).includes(word));
    item.classList.toggle('above', !hit && !free);
    if (!hit) continue;
    found++;
    for (let at = item; at !== undefined && at !== null; at = byItem.get(at).parent) at.hidden = false;
  }
  one('.found', filter).textContent = free ? '' : found === 0 ? 'Nothing matches.' : `${found} of ${rows.length} rows`;
}

function clear() {
  filter.reset();
  search();
}

if (filter !== null) {
  let asked = 0;
  filter.addEventListener('input', () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(search);
  });
  filter.addEventListener('click', ({ target }) => {
    const what = target instanceof HTMLButtonElement ? target.dataset.do : undefined;
    if (what !== undefined) for (const { item, details } of rows) if (!item.hidden) details.open = what === 'open';
  });
  filter.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') clear();
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    filter.elements.q.focus();
  });
}

/* Arrows in the tree, as in any other. */
one('.tree')?.addEventListener('keydown', (event) => {
  const at = rows.findIndex(({ summary }) => summary === event.target);
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const { details, parent } = rows[at];
  const shown = rows.filter(({ item }) => !item.hidden);
  const place = shown.indexOf(rows[at]);
  const to = {
    ArrowDown: () => shown[place + 1],
    ArrowUp: () => shown[place - 1],
    Home: () => shown[0],
    End: () => shown.at(-1),
    ArrowRight: () => void (details.open = true),
    ArrowLeft: () => (details.open ? void (details.open = false) : byItem.get(parent)),
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  to()?.summary.focus();
});

/* The timeline. */
const timeline = one('#timeline');
if (timeline !== null) {
  const [zoom, scroll, plot, list, chain] = ['.zoom', '.scroll', '.plot', '.rows', '.chain'].map((name) =>
    one(name, timeline),
  );
  const { zoom: range, critical } = zoom.elements;
  const bars = all('li', list);
  const byModule = new Map(bars.map((bar) => [bar.dataset.module, bar]));
  /* The moment at `x` pixels from the left stays where it is. */
  const setZoom = (value, x = scroll.clientWidth / 2) => {
    const before = plot.scrollWidth;
    const at = (scroll.scrollLeft + x) / before;
    range.value = String(value);
    plot.style.width = `${100 * 2 ** Number(range.value)}%`;
    scroll.scrollLeft = at * plot.scrollWidth - x;
  };
  range.addEventListener('input', () => setZoom(range.value));
  scroll.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      setZoom(Number(range.value) - Math.sign(event.deltaY) * 0.5, event.clientX - scroll.getBoundingClientRect().left);
    },
    { passive: false },
  );
  scroll.addEventListener('keydown', ({ key }) => {
    const step = { '+': 0.5, '-': -0.5, 0: -10 }[key];
    if (step !== undefined) setZoom(Number(range.value) + step);
  });
  critical.addEventListener('change', () => {
    for (const bar of bars)
      bar.hidden = critical.checked && bar.dataset.module !== undefined && !bar.classList.contains('critical');
  });
  const near = (bar) => {
    const name = bar?.dataset.module;
    const before = name === undefined ? [] : needs(bar);
    const after = name === undefined ? [] : bars.filter((other) => needs(other).includes(name));
    list.classList.toggle('one', before.length + after.length > 0);
    const those = new Set([bar, ...before.map((each) => byModule.get(each)), ...after]);
    for (const each of bars) each.classList.toggle('near', those.has(each));
    chain.textContent =
      before.length + after.length === 0
        ? ''
        : `${name}${before.length > 0 ? ` waited for ${before.join(', ')}` : ''}${after.length > 0 ? `${before.length > 0 ? ';' : ''} ${names(after)} waited for it` : ''}`;
  };
  for (const type of ['mouseover', 'focusin']) list.addEventListener(type, ({ target }) => near(target.closest('li')));
  for (const type of ['mouseleave', 'focusout']) list.addEventListener(type, () => near(null));
}

/* On paper what is open is shown: what needs attention stands open above, the rest as it is. */
addEventListener('hashchange', follow);
follow();
