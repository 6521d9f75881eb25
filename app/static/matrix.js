/* The matrix of a role: find rows, one entity at a time, cells that say at once what was ticked. Works without it too. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  function narrow() {
    const words = one("[data-m-find]").value.trim().toLowerCase(), held = one("[data-m-held]").checked, only = one("[data-m-one]").value;
    let shown = 0;
    for (const body of all(".matrix tbody")) {
      const rows = all("tr[data-m-row]", body);
      for (const row of rows) {
        row.hidden = Boolean((words && !row.dataset.mRow.toLowerCase().includes(words)) || (held && row.classList.contains("nothing")) || (only && row.id !== only));
        shown += row.hidden ? 0 : 1;
      }
      body.hidden = rows.every((row) => row.hidden);
    }
    one("[data-m-none]").hidden = shown > 0;
  }

  function mark(choice) {
    const found = [document.createElement("span")];
    found[0].className = choice.nextElementSibling.className;
    found[0].textContent = choice.dataset.word;
    const states = choice.parentElement.nextElementSibling;
    const only = states && states.matches(".states") ? all("input:checked", states).map((box) => box.dataset.word) : [];
    if (only.length) {
      const small = document.createElement("small");
      small.className = "only";
      small.textContent = only.length > 3 ? `${only[0]}…${only.length}` : only.join("、");
      found.push(small);
    }
    return found;
  }

  function retell(cell) {
    const now = one(".now", cell), picked = all('input[name^="g-"]:checked', cell);
    if (one(".colpick", cell)) {
      const words = all(".colpick thead th", cell).map((head) => head.textContent);
      const counts = ["hidden-", "readonly-"].map((name) => all(`input[name^="${name}"]:checked`, cell).length);
      const parts = counts.map((count, n) => (count ? `${words[n + 1]} ${count}` : "")).filter(Boolean);
      now.textContent = parts.join(" ") || "·";
    } else {
      now.replaceChildren(...(picked.length ? picked.flatMap(mark) : ["·"]));
    }
    const row = cell.closest("tr");
    const holds = all('input[name^="g-"]:checked', row).length > 0;
    row.classList.toggle("held", holds);
    row.classList.toggle("nothing", !holds);
    cell.classList.add("touched");
  }

  function place(cell) {
    const pop = one(".pop", cell);
    pop.classList.remove("left", "above");
    const box = pop.getBoundingClientRect();
    pop.classList.toggle("left", box.right > document.documentElement.clientWidth - 8);
    pop.classList.toggle("above", box.bottom > window.innerHeight - 60 && box.height < cell.getBoundingClientRect().top - 100);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!one("[data-m-find]")) return;
    for (const input of all("[data-m-find], [data-m-held], [data-m-one]")) input.addEventListener("input", narrow);
    one("[data-m-find]").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
    const phone = window.matchMedia("(max-width: 720px)").matches, first = one(".matrix.edit tr.bad, .matrix.edit tr.held") || one(".matrix.edit tr[data-m-row]");
    if (phone && first && !one(".summary")) { one("[data-m-one]").value = first.id; narrow(); }
    const cells = all("details.cell");
    for (const cell of cells) {
      cell.addEventListener("change", () => retell(cell));
      cell.addEventListener("toggle", () => {
        if (!cell.open) return;
        for (const other of cells) if (other !== cell && other.open) other.open = false;
        place(cell);
      });
      cell.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && cell.open) { cell.open = false; one("summary", cell).focus(); }
      });
    }
    document.addEventListener("click", (event) => {
      for (const cell of cells) if (cell.open && !cell.contains(event.target)) cell.open = false;
    });
    for (const link of all(".summary a")) link.addEventListener("click", () => {
      const cell = document.getElementById(link.hash.slice(1));
      if (cell && cell.matches("details")) { window.setTimeout(() => { cell.open = true; }, 0); }
    });
  });
})();
