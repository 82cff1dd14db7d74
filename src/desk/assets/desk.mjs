// What the pages do beyond links and forms. htmx fetches and swaps; here are the keys, the slider, the
// dialogs, the live tail. Text of strangers is only ever set as text.
const byId = (id) => document.getElementById(id);
const say = (words) => {
  const place = byId('said');
  if (place) place.textContent = words;
};

// ---- light and dark
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
function turnTheme() {
  const root = document.documentElement;
  const now = root.dataset.theme ?? (prefersDark.matches ? 'dark' : 'light');
  root.dataset.theme = now === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem('waybill-theme', root.dataset.theme);
  } catch {
    // Then it holds for this page.
  }
  say(root.dataset.theme);
}

// ---- dialogs
document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element)) return;
  const opener = target.closest('[data-dialog]');
  if (opener) byId(opener.dataset.dialog)?.showModal();
  if (target.closest('[data-close]')) target.closest('dialog')?.close();
  if (target.closest('#help-open')) byId('help')?.showModal();
  if (target.closest('#theme')) turnTheme();
});

// ---- fields left empty stay out of addresses
document.addEventListener('htmx:config:request', ({ detail }) => {
  const { body, method } = detail.ctx.request;
  if (method !== 'GET' || !body) return;
  for (const [name, value] of [...body]) if (value === '') body.delete(name);
});

// ---- the slider
const slider = byId('slider');
const at = byId('at');
if (slider && at) {
  const isLast = () => Number(slider.value) + Number(slider.step) > Number(slider.max);
  const show = () => {
    const words = isLast() ? '' : new Date(Number(slider.value)).toISOString();
    at.value = words;
    slider.setAttribute(
      'aria-valuetext',
      words === '' ? 'now' : words.slice(0, 19).replace('T', ' '),
    );
    htmx.trigger(byId('when'), 'desk:slide');
  };
  // A drag fires faster than anybody can read; the last position always counts.
  let waiting;
  slider.addEventListener('input', () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      show();
    }, 60);
  });
  const jump = (byMs) => {
    slider.value = String(Number(slider.value) + byMs);
    show();
  };
  const long = Number(slider.max) - Number(slider.min);
  const step = Math.max(Number(slider.step), Math.round(long / 200));
  slider.form.addEventListener('desk:back', ({ detail }) => jump(-step * (detail?.far ? 10 : 1)));
  slider.form.addEventListener('desk:on', ({ detail }) => jump(step * (detail?.far ? 10 : 1)));
}

// ---- keys
let afterG = false;
const isTyping = (target) =>
  target instanceof Element &&
  target.closest('input:not([type=range]), select, textarea, [contenteditable]');

function neighbour(step) {
  const links = [...document.querySelectorAll('.list .id, .tail .id[href]')];
  if (links.length === 0) return;
  const now = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, now === -1 ? 0 : now + step))].focus();
}

const onTime = (name, far) =>
  byId('when')?.dispatchEvent(new CustomEvent(`desk:${name}`, { detail: { far } }));

const keys = {
  '?': () => byId('help')?.showModal(),
  t: turnTheme,
  j: () => neighbour(1),
  k: () => neighbour(-1),
  p: () => byId('pause')?.click(),
  n: () => document.querySelector('[data-step=now]')?.click(),
  '[': () => onTime('back', false),
  ']': () => onTime('on', false),
  '{': () => onTime('back', true),
  '}': () => onTime('on', true),
  '/': () => {
    const field = byId('first-field');
    if (field) field.focus();
    else location.assign('/search');
  },
};

document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
  if (document.querySelector('dialog[open]')) return;
  if (afterG) {
    afterG = false;
    const link = [...document.querySelectorAll('[data-key]')].find(
      (each) => each.dataset.key === key,
    );
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  if (key === 'g') {
    afterG = true;
    setTimeout(() => (afterG = false), 1500);
    return;
  }
  const action = keys[key];
  if (!action) return;
  event.preventDefault();
  action();
});

if (location.pathname === '/search' && location.search === '') byId('first-field')?.focus();

// ---- pages that are true now, kept true: the server says when the log has grown
const live = () => document.querySelector('[hx-trigger^="desk:tick"]');
const isBusy = () =>
  document.hidden || document.querySelector('dialog[open]') || !getSelection()?.isCollapsed;
let missed = false;
let lastTick = 0;
function tick() {
  const place = live();
  if (!place) return;
  missed = isBusy() || Date.now() - lastTick < 900;
  if (missed) return;
  lastTick = Date.now();
  htmx.trigger(place, 'desk:tick');
}
if (live() || byId('when')) {
  const source = new EventSource('/live');
  source.addEventListener('tick', tick);
  // What was missed while the page was hidden or being read is caught up with.
  setInterval(() => missed && tick(), 2000);
  addEventListener('pagehide', () => source.close());
}

// ---- the live tail
const tail = byId('tail');
if (tail) startTail();

function startTail() {
  const mostHeld = 2000;
  const state = byId('tail-state');
  const rows = tailRows(byId('tail-form'));
  let paused = false;
  let held = [];
  const tell = () => {
    const more = held.length >= mostHeld ? `${held.length} or more` : held.length;
    state.textContent = paused ? `paused, ${more} waiting` : 'live';
  };
  const source = new EventSource(`/tail/events?after=${tail.dataset.after}`);
  source.onopen = tell;
  source.onerror = () => (state.textContent = 'not connected; trying again');
  source.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (!paused) rows.put(event);
    else if (held.length < mostHeld) held.push(event);
    if (paused) tell();
  };
  addEventListener('pagehide', () => source.close());
  byId('pause').addEventListener('click', ({ currentTarget: button }) => {
    paused = !paused;
    button.setAttribute('aria-pressed', String(paused));
    button.textContent = paused ? 'Go on' : 'Pause';
    if (!paused) for (const event of held.splice(0)) rows.put(event);
    tell();
  });
  byId('clear').addEventListener('click', () => tail.replaceChildren());
}

/** The rows on the page, the youngest first; those that the form does not ask for are hidden. */
function tailRows(form) {
  const mostRows = 400;
  const fits = (row) => {
    const { type, text } = form.elements;
    const wanted = text.value.trim().toLowerCase();
    return (
      (type.value === '' || row.dataset.type === type.value) &&
      (wanted === '' || row.textContent.toLowerCase().includes(wanted))
    );
  };
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', () => {
    for (const row of tail.children) row.hidden = !fits(row);
  });
  return {
    put(event) {
      const row = tailRow(event);
      row.hidden = !fits(row);
      tail.prepend(row);
      while (tail.children.length > mostRows) tail.lastElementChild.remove();
    },
  };
}

/** As `tail-page.ts` has it. */
function tailRow({ position, stream, type, at: instant, letter, gist }) {
  const row = element('li', '', { class: 'new', 'data-type': type });
  const when = { datetime: instant, title: `position ${position}` };
  const href = `/letters/${encodeURIComponent(letter)}`;
  const what = letter
    ? element('a', `…${letter.slice(-12)}`, { class: 'id', href, title: letter })
    : element('span', stream, { class: 'id' });
  const parts = [
    element('time', instant.slice(11, 23), when),
    element('b', type),
    what,
    element('span', gist, { class: 'data' }),
  ];
  row.append(...parts.flatMap((part, index) => (index === 0 ? [part] : [' ', part])));
  return row;
}

/** Words go in as text: nothing in them is markup. */
function element(name, words, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = words;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
