"use strict";
(() => {
  const table = document.getElementById("overview");
  if (!table) return;
  const least = document.getElementById("least"), name = document.getElementById("name");
  const rows = [...table.tBodies[0].rows];
  const parts = new Map(rows.map((row) => [row.dataset.n, [...document.querySelectorAll(`[data-n="${row.dataset.n}"]`)]]));

  function filter() {
    const wanted = name.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const names = `${row.dataset.query}\n${row.dataset.reference}`.toLowerCase();
      const on = Number(row.dataset.score) >= Number(least.value) && names.includes(wanted);
      for (const part of parts.get(row.dataset.n)) part.classList.toggle("off", !on);
      shown += on;
    }
    for (const section of document.querySelectorAll("section.query")) {
      section.classList.toggle("off", !section.querySelector("article:not(.off)"));
    }
    document.getElementById("least-shown").value = Number(least.value).toFixed(2);
    document.getElementById("count").textContent = `${shown} of ${rows.length} shown`;
  }

  function sort(button) {
    const head = button.parentElement, key = button.dataset.key;
    const down = head.ariaSort ? head.ariaSort === "ascending" : key === "score";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const words = key === "query" || key === "reference";
    const compare = (a, b) => words ? a.dataset[key].localeCompare(b.dataset[key]) : a.dataset[key] - b.dataset[key];
    rows.sort((a, b) => (down ? -1 : 1) * compare(a, b) || a.dataset.n - b.dataset.n);
    for (const row of rows) {
      table.tBodies[0].append(row);
      const card = document.getElementById(`s${row.dataset.n}`);
      card.parentElement.append(card);
    }
  }

  document.querySelector(".controls").addEventListener("submit", (event) => event.preventDefault());
  least.addEventListener("input", filter);
  name.addEventListener("input", filter);
  for (const button of table.querySelectorAll("th button")) button.addEventListener("click", () => sort(button));
  filter();
})();
