/* Shouze: the page works without this; here is what makes it quicker. Loaded in the head, so that the theme never flashes. */
(() => {
  'use strict';
  const root = document.documentElement;
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* full or forbidden */ } },
    drop(key) { try { localStorage.removeItem(key); } catch { /* forbidden */ } },
  };
  const $ = (sel, from = document) => from.querySelector(sel);
  const $$ = (sel, from = document) => [...from.querySelectorAll(sel)];
  const on = (type, fn, opts) => document.addEventListener(type, fn, opts);
  const make = (tag, props = {}, ...kids) => { const el = Object.assign(document.createElement(tag), props); el.append(...kids); return el; };
  const words = (label) => [...label.childNodes].filter((n) => !(n.getAttribute && n.getAttribute('aria-hidden'))).map((n) => n.textContent).join('').trim();
  const say = (name) => document.body.dataset['t' + name] || '';

  // theme: only a choice that differs from the system's is kept
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  const theme = store.get('theme');
  root.classList.add('on');
  if (theme === 'dark' || theme === 'light') root.dataset.theme = theme;
  const toggleTheme = () => {
    const dark = (root.dataset.theme || (systemDark.matches ? 'dark' : 'light')) === 'light';
    if (dark === systemDark.matches) { delete root.dataset.theme; store.drop('theme'); }
    else { root.dataset.theme = dark ? 'dark' : 'light'; store.set('theme', root.dataset.theme); }
  };

  // navigation drawer
  let opener = null;
  const drawer = (open) => {
    const page = $('.page');
    if (!$('#nav') || root.classList.contains('nav-open') === open) return;
    root.classList.toggle('nav-open', open);
    page.inert = open;
    const thumb = $('.thumb');
    if (thumb) thumb.inert = open;
    if (open) { opener = document.activeElement; ($('#nav [aria-current]') || $('#nav a')).focus({ preventScroll: true }); }
    else if (opener) opener.focus();
  };

  // confirm dialog
  const ask = (text, then) => {
    const box = $('#confirm');
    if (!box || !box.showModal) { if (confirm(text)) then(); return; }
    $('#confirm-text').textContent = text;
    box.returnValue = '';
    box.onclose = () => { if (box.returnValue === 'yes') then(); };
    box.showModal();
  };

  // ---- combobox: server-side type-ahead, safe with an input method
  let serial = 0;
  const combobox = (combo) => {
    const hidden = $('input[type=hidden]', combo);
    const input = $('input[type=text]', combo);
    if (combo.dataset.ready || !input || input.readOnly) return;
    combo.dataset.ready = '1';
    const id = 'lk' + ++serial;
    const label = $(`label[for="${CSS.escape(input.id)}"]`);
    const list = make('ul', { id, hidden: true });
    const status = make('p', { hidden: true });
    const drop = make('div', { className: 'drop', hidden: true }, list, status);
    const clear = make('button', { type: 'button', hidden: !input.value });
    list.setAttribute('role', 'listbox');
    if (label) list.setAttribute('aria-label', words(label));
    status.setAttribute('role', 'status');
    clear.setAttribute('aria-label', say('Clear') + (label ? ' ' + words(label) : ''));
    clear.innerHTML = '<svg class="i" aria-hidden="true"><path d="m5 5 8 8m0-8-8 8"/></svg>';
    for (const [k, v] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-expanded', 'false'], ['aria-controls', id]]) input.setAttribute(k, v);
    combo.append(clear, drop);
    let timer, slow, request, composing = false, active = -1, options = [];
    const fit = () => { drop.hidden = list.hidden && status.hidden; };
    const tell = (text, bad = false) => { status.hidden = !text; status.textContent = text; status.classList.toggle('bad', bad); fit(); };
    const close = () => { list.hidden = true; fit(); active = -1; input.setAttribute('aria-expanded', 'false'); input.removeAttribute('aria-activedescendant'); };
    const halt = () => { clearTimeout(timer); clearTimeout(slow); if (request) request.abort(); request = null; combo.classList.remove('busy'); };
    const check = () => input.setCustomValidity(input.value.trim() && !hidden.value ? say('Pick') : '');
    const point = (n) => {
      active = n;
      [...list.children].forEach((li, i) => li.setAttribute('aria-selected', String(i === n)));
      if (n < 0) { input.removeAttribute('aria-activedescendant'); return; }
      input.setAttribute('aria-activedescendant', list.children[n].id);
      list.children[n].scrollIntoView({ block: 'nearest' });
    };
    const pick = (option) => {
      halt(); close(); tell('');
      hidden.value = option ? option.id : '';
      input.value = option ? option.text : '';
      clear.hidden = !option;
      check();
      input.dispatchEvent(new Event('change', { bubbles: true }));
    };
    const show = (data) => {
      options = Array.isArray(data.results) ? data.results : [];
      list.replaceChildren(...options.map((o, i) => {
        const li = make('li', { id: `${id}-${i}`, textContent: o.text });
        if (o.sub) li.append(make('small', { textContent: o.sub }));
        li.setAttribute('role', 'option');
        return li;
      }));
      list.hidden = !options.length;
      input.setAttribute('aria-expanded', String(!!options.length));
      point(-1);
      tell(!options.length ? say('None') : data.more ? say('More') : '');
    };
    const look = async () => {
      halt();
      const mine = request = new AbortController();
      slow = setTimeout(() => { combo.classList.add('busy'); if (list.hidden) tell(say('Busy')); slow = setTimeout(() => tell(say('Slow')), 4000); }, 400);
      try {
        const url = new URL(combo.dataset.lookup, location.href);
        url.searchParams.set('q', input.value.trim());
        const answer = await fetch(url, { signal: mine.signal, headers: { Accept: 'application/json' } });
        if (!answer.ok) throw new Error(String(answer.status));
        const data = await answer.json();
        if (request !== mine) return;
        halt(); show(data);
      } catch (error) {
        if (error.name === 'AbortError' || request !== mine) return;
        halt(); close(); tell(say('Fail'), true);
      }
    };
    const typed = () => {
      if (composing) return;
      hidden.value = ''; clear.hidden = !input.value; check();
      halt();
      if (input.value.trim()) timer = setTimeout(look, 220); else { close(); tell(''); }
    };
    input.addEventListener('compositionstart', () => { composing = true; clearTimeout(timer); });
    input.addEventListener('compositionend', () => { composing = false; typed(); });
    input.addEventListener('input', typed);
    input.addEventListener('blur', () => setTimeout(() => { if (!combo.contains(document.activeElement)) { halt(); close(); tell(''); } }, 120));
    input.addEventListener('keydown', (e) => {
      if (e.isComposing || e.keyCode === 229) return;
      const n = options.length;
      if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
        e.preventDefault();
        if (list.hidden) look(); else point((active + (e.key === 'ArrowDown' ? 1 : active < 0 ? 0 : -1) + n) % n);
      } else if (e.key === 'Enter' && !list.hidden) { e.preventDefault(); if (n) pick(options[Math.max(active, 0)]); }
      else if (e.key === 'Escape' && !list.hidden) { e.preventDefault(); e.stopPropagation(); close(); }
      else if (e.key === 'Tab' && active >= 0) pick(options[active]);
    });
    drop.addEventListener('pointerdown', (e) => e.preventDefault());
    list.addEventListener('click', (e) => { const li = e.target.closest('li'); if (li) pick(options[[...list.children].indexOf(li)]); });
    clear.addEventListener('click', () => { pick(null); input.focus(); });
    combo.addEventListener('restore', () => { clear.hidden = !input.value; check(); });
    check();
  };

  // ---- rows of children
  const live = (box) => $$('.child', box).filter((tr) => !$('.remove input', tr).checked).length;
  const tally = (box) => {
    box.classList.toggle('filled', !!$('.child', box));
    $('.add', box).disabled = !!box.dataset.max && live(box) >= Number(box.dataset.max);
    const least = live(box) <= Number(box.dataset.min || 0);
    $$('.child', box).forEach((tr) => { const tick = $('.remove input', tr); tick.disabled = least && !tick.checked; });
  };
  const mark = (tr) => {
    const gone = $('.remove input', tr).checked;
    tr.classList.toggle('gone', gone);
    $$('td:not(.cut)', tr).forEach((td) => { td.inert = gone; });
    $$('[required], [data-required]', tr).forEach((el) => { el.dataset.required = '1'; el.required = !gone; });
  };
  const addRow = (box, number) => {
    const taken = $$('.child input[name$="-id"]', box).map((el) => Number((el.name.slice(box.dataset.name.length + 1).match(/^\d+/) || [-1])[0]));
    const n = number === undefined ? Math.max(-1, ...taken) + 1 : number;
    const tr = $('template', box).content.firstElementChild.cloneNode(true);
    for (const el of [tr, ...$$('*', tr)]) for (const a of [...el.attributes]) if (a.value.includes('__n__')) el.setAttribute(a.name, a.value.split('__n__').join(n));
    $('tbody', box).append(tr);
    $$('[data-lookup]', tr).forEach(combobox);
    tally(box);
    return tr;
  };

  // ---- drafts: kept on this device, offered, never put back unasked; no passwords, no identity numbers
  const secret = (el) => el.type === 'password' || el.type === 'file' || el.type === 'submit' || ['csrf_token', 'version', 'opened', 'next', 'form_key'].includes(el.name)
    || 'private' in el.dataset || /(^|[-_])id_?(card|number|no)$|identity|passw|secret|token|captcha/i.test(el.name) || /(^|\D)\d{17}[\dXx](\D|$)/.test(el.value);
  const draftKey = () => `draft:${document.body.dataset.user || ''}:${location.pathname}${location.search}`;
  const snapshot = (form) => [...form.elements].filter((el) => el.name && !secret(el) && ((el.type !== 'checkbox' && el.type !== 'radio') || el.checked)).map((el) => [el.name, el.value]);
  const restore = (form, pairs) => {
    for (const [name] of pairs) {
      const box = !form.elements[name] && $$('.children', form).find((b) => name.startsWith(b.dataset.name + '-'));
      if (box) { const n = name.slice(box.dataset.name.length + 1).match(/^\d+/); if (n) addRow(box, Number(n[0])); }
    }
    const seen = {};
    for (const [name, value] of pairs) (seen[name] = seen[name] || []).push(value);
    for (const el of form.elements) {
      if (!el.name || secret(el) || el.type === 'button') continue;
      if (el.type === 'checkbox' || el.type === 'radio') el.checked = (seen[el.name] || []).includes(el.value);
      else if (seen[el.name] && !(el.type === 'hidden' && /-id$/.test(el.name))) el.value = seen[el.name].shift();
    }
    $$('[data-lookup], [name=upload_box]', form).forEach((c) => c.dispatchEvent(new Event('restore')));
    $$('.child', form).forEach(mark);
    $$('.children', form).forEach(tally);
  };
  const drafts = (form) => {
    const key = draftKey(), saved = $('.saved', form), before = JSON.stringify(snapshot(form));
    const version = () => (form.elements.version || { value: '' }).value;
    let timer;
    const clock = (at) => at.toLocaleString(root.lang, { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit' });
    const keep = () => {
      const now = JSON.stringify(snapshot(form));
      form.dataset.dirty = now === before ? '' : '1';
      if (now === before) { if (saved) saved.textContent = ''; return; }
      store.set(key, JSON.stringify({ at: Date.now(), version: version(), pairs: JSON.parse(now) }));
      if (saved) saved.textContent = `${say('Dirty')} · ${say('Kept')} ${clock(new Date())}`;
    };
    const changed = () => { form.dataset.dirty = '1'; if (saved && !saved.textContent) saved.textContent = say('Dirty'); clearTimeout(timer); timer = setTimeout(keep, 900); };
    form.addEventListener('input', changed);
    form.addEventListener('change', changed);
    form.addEventListener('submit', () => { clearTimeout(timer); keep(); });
    if (document.getElementById('errors') || $('.clash')) { form.dataset.dirty = '1'; return; }
    let old;
    try { old = JSON.parse(store.get(key)); } catch { old = null; }
    if (!old || !old.pairs || JSON.stringify(old.pairs) === before) return;
    const yes = make('button', { type: 'button', className: 'btn primary', textContent: say('Restore') });
    const no = make('button', { type: 'button', className: 'btn plain', textContent: say('Drop') });
    const stale = old.version !== undefined && old.version !== version();
    const bar = make('div', { className: 'draft' }, make('p', { textContent: `${say('Draft')} ${clock(new Date(old.at))}${stale ? '。' + say('Stale') : ''}` }), yes, no);
    bar.setAttribute('role', 'status');
    yes.onclick = () => { restore(form, old.pairs); bar.remove(); changed(); };
    no.onclick = () => { store.drop(key); bar.remove(); };
    form.before(bar);
  };
  const tidyDrafts = () => {
    const sent = sessionStorage.getItem('sent');
    // only a page that the same person reached, and that reports nothing wrong, says that it was saved
    const user = document.body.dataset.user;
    if (sent && user && sent.startsWith(`draft:${user}:`) && !$('#errors') && !$('.clash') && !document.body.matches('.fault, .alone')) store.drop(sent);
    sessionStorage.removeItem('sent');
    for (const key of Object.keys(localStorage)) if (key.startsWith('draft:')) {
      try { if (Date.now() - JSON.parse(localStorage[key]).at > 30 * 864e5) store.drop(key); } catch { store.drop(key); }
    }
  };

  // ---- a checklist: fill what is open, count what is done
  const checklist = (box) => {
    const groups = $$('.ci', box), told = $('[data-tally]', box);
    const open = (g) => !$('input[type=radio]:checked', g);
    const count = () => { told.textContent = told.dataset.tally.replace('{n}', groups.filter((g) => !open(g)).length).replace('{all}', groups.length); };
    $('[data-fill]', box).addEventListener('click', (e) => {
      e.preventDefault();
      groups.filter(open).forEach((g) => { $('input[type=radio]', g).checked = true; });
      box.dispatchEvent(new Event('change', { bubbles: true }));
    });
    box.addEventListener('change', count);
    count();
  };
  // what this device takes for today: told, never trusted
  const today = () => { const d = new Date(); return [d.getFullYear(), String(d.getMonth() + 1).padStart(2, '0'), String(d.getDate()).padStart(2, '0')].join('-'); };

  // ---- keys
  let row = -1;
  const move = (step) => {
    const rows = $$('[data-row]');
    if (!rows.length) return;
    if (rows[row]) rows[row].classList.remove('on');
    row = Math.min(Math.max(row + step, 0), rows.length - 1);
    rows[row].classList.add('on');
    $('a', rows[row]).focus();
    rows[row].scrollIntoView({ block: 'nearest' });
  };
  const keys = {
    '/': () => { const q = $('#q'); if (q) { q.focus(); q.select(); } },
    j: () => move(1), k: () => move(-1),
    x: () => { const tick = $('tr.on .tick input'); if (tick) tick.click(); },
    e: () => { const a = $('[data-edit]'), at = $('[data-editable] tr.on th a'); if (a) a.click(); else if (at) location.href = at.pathname + '/edit'; },
    n: () => { const a = $('[data-new]'); if (a) a.click(); },
    '?': () => { const box = $('#help'); if (box && box.showModal) box.showModal(); },
  };
  on('keydown', (e) => {
    if (e.key === 'Escape') { drawer(false); $$('details.menu[open]').forEach((d) => { d.open = false; $('summary', d).focus(); }); }
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || $('dialog[open]') || e.target.closest('input, textarea, select, [contenteditable]')) return;
    if (keys[e.key] && store.get('keys') !== 'off') { e.preventDefault(); keys[e.key](); }
  });

  // ---- ticked rows
  const ticked = (all) => {
    const ticks = $$('.tick input[type=checkbox]'), count = $('.bulk .ticked'), whole = $('[data-all]');
    if (!whole) return;
    if (all) ticks.forEach((t) => { t.checked = whole.checked; });
    const n = ticks.filter((t) => t.checked).length;
    whole.checked = n === ticks.length;
    ticks.forEach((t) => t.closest('tr').classList.toggle('ticked', t.checked));
    if (!count) return;
    count.textContent = n ? count.dataset.text.replace('{n}', n) : '';
    $('.bulk').classList.toggle('on', !!n);
  };

  // ---- clicks
  on('click', (e) => {
    const hit = (sel) => e.target.closest(sel);
    $$('details.menu[open]').forEach((d) => { if (!d.contains(e.target)) d.open = false; });
    if (hit('[data-theme-toggle]')) toggleTheme();
    else if (hit('[data-nav-open]')) { e.preventDefault(); drawer(true); }
    else if (hit('[data-nav-close]')) { e.preventDefault(); drawer(false); }
    else if (hit('[data-print]')) print();
    else if (hit('[data-help]')) { hit('details').open = false; keys['?'](); }
    else if (hit('[data-signout]')) { try { Object.keys(localStorage).filter((k) => k.startsWith(`draft:${document.body.dataset.user}:`)).forEach(store.drop); } catch { /* forbidden */ } }
    else if (hit('.note button')) hit('.note').remove();
    else if (hit('.children .add')) { const tr = addRow(hit('.children')); const first = $('input:not([type=hidden]), select, textarea', tr); if (first) first.focus(); tr.dispatchEvent(new Event('change', { bubbles: true })); }
    else if (hit('.summary a[href^="#"]')) { const el = document.getElementById(hit('a').hash.slice(1)); if (el && el.focus) { e.preventDefault(); el.focus(); el.scrollIntoView({ block: 'center' }); } }
    else if (hit('a[data-confirm]')) { const a = hit('a'); e.preventDefault(); ask(a.dataset.confirm, () => { location.href = a.href; }); }
    else if (hit('tr[data-row]') && !hit('a, button, input, label, summary') && !String(getSelection())) {
      const a = $('th a', hit('tr'));
      if (a && (e.ctrlKey || e.metaKey)) window.open(a.href, '_blank', 'noopener'); else if (a) a.click();
    }
  });
  on('change', (e) => {
    if (e.target.matches('.remove input')) { const tr = e.target.closest('.child'); mark(tr); tally(tr.closest('.children')); }
    if (e.target.matches('.tick input, [data-all]')) ticked(e.target.matches('[data-all]'));
    if (e.target.matches('[data-keys]')) store.set('keys', e.target.checked ? '' : 'off');
  });

  // ---- sending: ask first, send once, warn before leaving
  on('submit', (e) => {
    const form = e.target;
    if (form.matches('.filters')) [...form.elements].forEach((el) => { const key = el.closest('.combo') && $('input[type=hidden]', el.closest('.combo')); el.disabled = !!el.name && (!el.value || (el.type === 'text' && !!key && !!key.value)); });
    if (form.method !== 'post') return;
    if (form.dataset.confirm && !form.dataset.sure) {
      e.preventDefault();
      ask(form.dataset.confirm, () => { form.dataset.sure = '1'; form.requestSubmit ? form.requestSubmit() : form.submit(); });
      return;
    }
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = '1';
    // a download leaves this page as it is: the form can be sent again after a while
    if ('again' in form.dataset) { const menu = form.closest('details'); setTimeout(() => { delete form.dataset.sent; if (menu) menu.open = false; }, 1500); return; }
    if ('draft' in form.dataset) sessionStorage.setItem('sent', draftKey());
    setTimeout(() => $$('button:not([type=button])', form).forEach((b) => { b.disabled = true; }), 0);
  });
  addEventListener('pageshow', () => { ticked(); $$('.filters :disabled').forEach((el) => { el.disabled = false; }); });
  addEventListener('pageshow', () => $$('form[data-sent], form[data-sure]').forEach((form) => {
    delete form.dataset.sent; delete form.dataset.sure;
    $$('button:not([type=button])', form).forEach((b) => { b.disabled = false; });
  }));
  addEventListener('beforeunload', (e) => { if ($$('form[data-draft]').some((f) => f.dataset.dirty && !f.dataset.sent)) { e.preventDefault(); e.returnValue = ''; } });

  // ---- a document that is being made
  const poll = (box) => {
    let wait = 1500;
    const again = async () => {
      try {
        const answer = await fetch(box.dataset.poll, { headers: { Accept: 'application/json', 'X-Background': '1' } });
        if (answer.ok && (await answer.json()).pending === false) { location.reload(); return; }
      } catch { /* the next try may do better */ }
      wait = Math.min(wait * 1.3, 15000);
      setTimeout(again, wait);
    };
    setTimeout(again, wait);
  };

  // ---- how far background work is
  const followJobs = (list) => {
    const was = $$('progress', list).map((bar) => bar.closest('li').id.slice(4)).join();
    const again = async () => {
      try {
        const answer = await fetch(list.dataset.jobs, { headers: { Accept: 'application/json', 'X-Background': '1' } });
        if (answer.ok) {
          const { jobs, open } = await answer.json();
          if (was !== open.join()) { location.reload(); return; }
          jobs.forEach((job) => { const bar = $(`#job-${CSS.escape(job.id)} progress`, list); if (bar) bar.value = job.progress; });
        }
      } catch { /* the next try may do better */ }
      setTimeout(again, 1500);
    };
    again();
  };

  // a table that fits may let its head stick; one that doesn't scrolls
  const fitTables = () => $$('.scroll').forEach((box) => { box.classList.remove('fit'); box.classList.toggle('fit', box.scrollWidth <= box.clientWidth); });

  on('DOMContentLoaded', () => {
    try { tidyDrafts(); } catch { /* storage forbidden */ }
    $$('[data-lookup]').forEach(combobox);
    $$('.children .add').forEach((b) => { b.type = 'button'; });
    $$('.children').forEach((box) => { for (let n = $$('.child', box).length; n < Number(box.dataset.min || 0); n++) addRow(box); $$('.child', box).forEach(mark); tally(box); });
    $$('[data-device-date]').forEach((el) => { el.value = el.value || today(); });
    $$('form[data-draft]').forEach(drafts);
    $$('[data-checklist]').forEach(checklist);
    $$('textarea[maxlength]').forEach((el) => {
      const count = make('span', { className: 'counter' });
      const show = () => { count.textContent = `${el.value.length}/${el.maxLength}`; count.classList.toggle('near', el.value.length > el.maxLength * 0.9); };
      el.after(count); el.addEventListener('input', show); show();
    });
    if ($('[data-print-now]')) setTimeout(print, 50);
    fitTables();
    addEventListener('resize', fitTables);
    $$('[data-poll]').forEach(poll);
    $$('[data-jobs]').forEach(followJobs);
    const tick = $('[data-keys]');
    if (tick) tick.checked = store.get('keys') !== 'off';
    const summary = document.getElementById('errors');
    if (summary) summary.focus();
    const here = $('#nav [aria-current]');
    if (here && $('#nav').scrollHeight > innerHeight) here.scrollIntoView({ block: 'nearest' });
  });
})();
