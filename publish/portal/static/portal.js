// Everything here is a convenience: the pages work without it.
"use strict";
(() => {
  const root = document.body.dataset.root;

  // --- search: names as suggestions; a chosen name leads straight to its page
  const box = document.getElementById("q");
  const pages = new Map();
  let asked = false;

  async function offer() {
    if (asked) return;
    asked = true;
    try {
      const found = await (await fetch(root + "search.json")).json();
      const list = document.createElement("datalist");
      list.id = "suggestions";
      for (const item of found.entries) {
        const name = `${item.name} (${item.kind} ${item.code})`;
        pages.set(name, item.page);
        list.append(new Option("", name));
      }
      document.body.append(list);
      box.setAttribute("list", list.id);
    } catch (error) {
      // opened as a file, or offline: the form still leads to the list
      console.info("no suggestions:", error.message);
    }
  }
  box.addEventListener("focus", offer);
  box.form.addEventListener("submit", (event) => {
    const page = pages.get(box.value);
    if (page) {
      event.preventDefault();
      location.href = root + page;
    }
  });

  // --- tables that sort by a click on a heading
  const numberIn = (text) => {
    const match = text.replaceAll(",", "").match(/-?\d+(\.\d+)?/);
    return match ? Number(match[0]) : null;
  };
  const compare = (one, other) => {
    if (one === "" || other === "") return (one === "") - (other === "");
    const [a, b] = [numberIn(one), numberIn(other)];
    return a !== null && b !== null ? a - b : one.localeCompare(other, "en");
  };
  function sortBy(table, column, heading) {
    const upward = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", upward ? "ascending" : "descending");
    const textOf = (row) => row.cells[column].innerText.trim();
    const numeric = heading.classList.contains("n");
    const key = (row) => (numeric && numberIn(textOf(row)) === null ? "" : textOf(row));
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => (a === "" || b === "" || upward ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (heading.classList.contains("pic")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      const small = heading.querySelector(".sub");
      button.append(...[...heading.childNodes].filter((node) => node !== small));
      button.lastChild.textContent = button.lastChild.textContent.trimEnd();
      heading.prepend(button);
      button.addEventListener("click", () => sortBy(table, column, heading));
    });
  }

  // --- a link into a closed part opens it
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // --- on paper everything is open
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const item of closed) item.open = true;
  });
  addEventListener("afterprint", () => {
    for (const item of closed) item.open = false;
  });
})();
