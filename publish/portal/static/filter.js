// Filters over the parts of an organisation's page: without them the page shows everything, part by part.
"use strict";
(() => {
  const KINDS = [
    ["topic", "Topic", "All topics"],
    ["source", "Source", "All sources"],
    ["verdict", "Verdict", "All verdicts"],
    ["period", "Period", "All periods"],
  ];
  const NAMES = { none: "No verdict", worse: "Worse", better: "Better", similar: "Similar", higher: "Higher", lower: "Lower" };

  function asked(row, kind) {
    if (kind === "topic") return row.dataset.topic || row.closest("details").dataset.topic;
    return row.dataset[kind];
  }

  function chooser(part, rows, kind, label, all) {
    const found = [...new Set(rows.map((row) => asked(row, kind)))];
    if (kind !== "topic") found.sort();
    const select = document.createElement("select");
    select.id = `filter-${part.dataset.filter}-${kind}`;
    select.append(new Option(all, ""), ...found.map((word) => new Option(NAMES[word] || word, word)));
    const name = document.createElement("label");
    name.htmlFor = select.id;
    name.textContent = label;
    const box = document.createElement("div");
    box.append(name, select);
    return { box, select, kind };
  }

  for (const part of document.querySelectorAll("[data-filter]")) {
    const rows = [...part.querySelectorAll("tr[data-source]")];
    if (rows.length < 2) continue;
    const opened = [...part.querySelectorAll("details.topic[open]")];
    const form = document.createElement("form");
    form.className = "filter";
    form.setAttribute("aria-label", `Filter: ${part.dataset.filter}`);
    const status = document.createElement("output");
    const choosers = KINDS.map(([kind, label, all]) => chooser(part, rows, kind, label, all));
    const narrow = () => {
      const chosen = choosers.filter(({ select }) => select.value);
      let count = 0;
      for (const row of rows) {
        row.hidden = !chosen.every(({ select, kind }) => asked(row, kind) === select.value);
        count += row.hidden ? 0 : 1;
      }
      for (const topic of part.querySelectorAll("details.topic")) {
        const left = topic.querySelectorAll("tr[data-source]:not([hidden])").length;
        topic.hidden = !left;
        topic.open = chosen.length ? left > 0 : opened.includes(topic);
      }
      status.textContent = chosen.length ? `${count} of ${rows.length} shown` : `${rows.length} in all`;
    };
    const reset = document.createElement("button");
    reset.type = "reset";
    reset.className = "toggle";
    reset.textContent = "Show all";
    form.append(...choosers.map(({ box }) => box), reset, status);
    form.addEventListener("change", narrow);
    form.addEventListener("reset", () => setTimeout(narrow));
    form.addEventListener("submit", (event) => event.preventDefault());
    part.prepend(form);
    narrow();
  }
})();
