/* Shouze: tabs of a record's page, files in a form, masked values. The page works without this. */
(() => {
  'use strict';
  const $ = (sel, from = document) => from.querySelector(sel);
  const $$ = (sel, from = document) => [...from.querySelectorAll(sel)];
  const make = (tag, props = {}, ...kids) => { const el = Object.assign(document.createElement(tag), props); el.append(...kids); return el; };

  // ---- tabs: the address keeps which one
  const tabs = (nav) => {
    const panels = $$('.panels > .panel');
    const links = $$('a[href^="#"]', nav);
    const show = (id) => {
      const target = id && document.getElementById(id);
      const panel = (target && target.closest('.panel')) || panels[0];
      $('.panels').classList.add('chosen');
      panels.forEach((p) => p.classList.toggle('now', p === panel));
      links.forEach((a) => {
        const mine = a.hash === `#${panel.id}`;
        a.classList.toggle('on', mine);
        if (mine) a.setAttribute('aria-current', 'true'); else a.removeAttribute('aria-current');
      });
      dispatchEvent(new Event('resize'));
      return panel;
    };
    links.forEach((a) => a.addEventListener('click', (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      history.replaceState(null, '', a.hash);
      show(a.hash.slice(1));
      a.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }));
    nav.addEventListener('keydown', (e) => {
      const all = $$('a', nav), at = all.indexOf(document.activeElement), step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (step && at >= 0) { e.preventDefault(); all[(at + step + all.length) % all.length].focus(); }
    });
    addEventListener('hashchange', () => show(location.hash.slice(1)));
    show(location.hash.slice(1));
  };

  // ---- files: sent as soon as they are chosen, shown, taken away again; the form itself carries only their token
  const files = (box) => {
    const form = box.closest('form'), list = $('.files', box), refused = $('.refused', box), sending = $('.sending', box);
    const token = form.elements.upload_box, csrf = form.elements.csrf_token;
    const address = () => `/uploads/${token.value}`;
    let busy = 0;
    const changed = () => {  // the form knows that it is not as it was opened
      form.elements.upload_names.value = $$('[data-file]', list).map((li) => li.dataset.file).join(' ');
      token.dispatchEvent(new Event('change', { bubbles: true }));
    };
    const tell = () => { sending.textContent = busy ? box.dataset.tSending : ''; };
    const refuse = (text) => refused.append(make('li', { textContent: text }));
    const tile = (f) => {
      const pic = make('a', { className: 'pic', href: f.url, target: '_blank', rel: 'noopener' });
      if (f.thumb) pic.append(make('img', { src: f.thumb, alt: f.name, width: 320, height: 320 }));
      else pic.append(make('span', { className: 'ext', textContent: f.name.split('.').pop().toUpperCase() }));
      const cut = make('button', { type: 'button', className: 'btn plain', textContent: box.dataset.tRemove });
      cut.setAttribute('aria-label', `${box.dataset.tRemove} ${f.name}`);
      const li = make('li', {}, pic, make('p', {}, make('span', { textContent: f.name }), make('small', { textContent: f.note })), cut);
      li.dataset.file = f.id;
      cut.onclick = async () => {
        cut.disabled = true;
        if (await send(`${address()}/${f.id}`, new FormData())) { li.remove(); changed(); } else cut.disabled = false;
      };
      return li;
    };
    const add = (found) => found.forEach((f) => { if (!$(`[data-file="${CSS.escape(f.id)}"]`, list)) list.append(tile(f)); });
    const send = async (url, body) => {
      try {
        const answer = await fetch(url, { method: 'POST', body, headers: { Accept: 'application/json', 'X-CSRFToken': csrf.value } });
        const data = await answer.json();
        if (!answer.ok) { refuse(data.error || box.dataset.tLost); return null; }
        return data;
      } catch { refuse(box.dataset.tLost); return null; }
    };
    const take = async (input) => {
      const chosen = [...input.files];
      refused.replaceChildren();
      for (const file of chosen) {  // one request each: a large one does not hold up the others' result
        busy += 1; tell();
        const body = new FormData();
        body.append('files', file, file.name);
        const data = await send(address(), body);
        busy -= 1; tell();
        if (data) { add(data.files); data.refused.forEach((r) => refuse(`${r.name}：${r.error}`)); changed(); }
      }
      input.value = '';
    };
    $$('input[type=file]', box).forEach((input) => input.addEventListener('change', (e) => { e.stopPropagation(); take(input); }));
    $$('[name="drop-file"]', box).forEach((tick) => {  // what the server showed after a failed try becomes a tile like the others
      const li = tick.closest('li'), img = $('img', li), link = $('p a', li);
      li.replaceWith(tile({ id: tick.value, name: link.textContent, url: link.getAttribute('href'), thumb: img ? img.getAttribute('src') : '', note: $('small', li).textContent }));
    });
    form.addEventListener('submit', (e) => { if (busy) { e.preventDefault(); e.stopImmediatePropagation(); sending.textContent = box.dataset.tWait; } }, true);
    token.addEventListener('restore', async () => {
      try {
        const answer = await fetch(address(), { headers: { Accept: 'application/json' } });
        if (answer.ok) add((await answer.json()).files);
      } catch { /* the files are gone or the network is; what was typed is back */ }
    });
  };

  // ---- a masked value, in its place
  const reveal = (form) => form.addEventListener('submit', async (e) => {
    e.preventDefault();
    e.stopPropagation();
    const answer = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { Accept: 'application/json' } }).catch(() => null);
    if (!answer || !answer.ok) { form.submit(); return; }
    const value = (await answer.json()).value, dd = form.closest('dd');
    dd.replaceChildren(make('span', { className: 'code', textContent: value }));
  });

  document.addEventListener('DOMContentLoaded', () => {
    $$('[data-tabs]').forEach(tabs);
    $$('[data-upload]').forEach(files);
    $$('[data-reveal]').forEach(reveal);
  });
})();
