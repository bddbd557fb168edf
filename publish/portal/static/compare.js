// The comparison: reads the choice from the address, lays out what compare/*.json says, and writes the choice back.
"use strict";
(() => {
  const MOST = 6;
  const SVG = "http://www.w3.org/2000/svg";
  const LOOKS = { "tag-better": "improve", "tag-worse": "concern", "tag-neutral": "neutral" };
  const root = document.body.dataset.root;
  const at = (id) => document.getElementById(id);
  const box = document.querySelector("[data-compare]");
  const status = at("said");
  let everyone = new Map();
  let indicators = new Map();
  let chosen = [];
  let indicator = "";

  const read = async (name) => {
    const answer = await fetch(`${root}compare/${name}.json`);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.json();
  };

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text || "";
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function drawn(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  }

  // --- the choice: in the address, in the list, from peers
  function fromAddress(first) {
    const asked = new URLSearchParams(location.search);
    const codes = [...new Set((asked.get("t") || "").split(",").map((code) => code.trim().toUpperCase()).filter(Boolean))];
    const unknown = codes.filter((code) => !everyone.has(code));
    const wanted = asked.get("i") || first;
    indicator = indicators.has(wanted) ? wanted : indicators.has(first) ? first : indicators.keys().next().value;
    chosen = codes.filter((code) => everyone.has(code)).slice(0, MOST);
    const notes = [];
    if (unknown.length) notes.push(`Not known in this edition: ${unknown.join(", ")}.`);
    if (codes.length - unknown.length > MOST) notes.push(`Only the first ${MOST} are shown.`);
    if (wanted !== indicator) notes.push(`No indicator ${wanted} in this edition: another is shown.`);
    return notes.join(" ");
  }

  function address() {
    return `compare.html?t=${chosen.map(encodeURIComponent).join(",")}&i=${encodeURIComponent(indicator)}`;
  }

  function peersBy(kind) {
    const own = everyone.get(chosen[0]);
    if (!own) return [];
    const near = (one) => (own.births && one.births ? Math.abs(one.births - own.births) : Infinity);
    const others = [...everyone.values()].filter((one) => one !== own && one.level === own.level);
    const alike = kind === "size" ? others.filter((one) => one.births && own.births) : others.filter((one) => own[kind] && one[kind] === own[kind]);
    return alike.sort((one, other) => near(one) - near(other) || one.code.localeCompare(other.code)).slice(0, MOST - 1);
  }

  function take(codes, note = "") {
    chosen = codes;
    history.replaceState(null, "", address());
    return show(note);
  }

  function listChosen() {
    at("chosen").replaceChildren(
      ...chosen.map((code) => {
        const item = element("li");
        const button = element("button", "Remove", { type: "button", "aria-label": `Remove ${everyone.get(code).name}` });
        button.addEventListener("click", () => take(chosen.filter((other) => other !== code)));
        item.append(element("a", everyone.get(code).name, { href: root + everyone.get(code).page }), " ", button);
        return item;
      }),
    );
  }

  // --- the result: a table in words, a chart of the source that most of the chosen have
  function cell(row, name, interval) {
    const made = element("td", "", { class: "n" });
    if (row[name]) made.append(element("span", row[name], name === "shown" ? { class: "v" } : {}));
    if (row[interval]) made.append(element("span", row[interval], { class: "sub" }));
    return made;
  }

  function tableRow(row) {
    const made = element("tr");
    const head = element("th", "", { scope: "row" });
    head.append(element("a", everyone.get(row.code).name, { href: root + everyone.get(row.code).page }));
    const verdict = element("td");
    if (row.verdict) verdict.append(element("strong", row.verdict, { class: `tag ${row.look}` }));
    for (const words of [row.whose, row.against, row.why]) if (words) verdict.append(element("span", words, { class: "sub" }));
    const source = element("td");
    source.append(element("a", `${row.source} ${row.period}`, { href: root + row.release }));
    made.append(head, cell(row, "shown", "interval"), cell(row, "adjusted", "adjusted_interval"), verdict, element("td", row.trend), source);
    return made;
  }

  function drawnRows(rows) {
    const count = new Map();
    for (const row of rows) count.set(row.source, (count.get(row.source) || 0) + 1);
    const most = [...count].sort((one, other) => other[1] - one[1])[0];
    return most ? rows.filter((row) => row.source === most[0]) : [];
  }

  function chart(rows, about) {
    const svg = at("chart");
    const ends = rows.flatMap((row) => [row.value, row.lower_95, row.upper_95, row.value_min, row.value_max, row.comparator_value]).filter((end) => end !== undefined);
    const high = Math.max(...ends, 0) || 1;
    const x = (value) => (260 + (value / high) * 420).toFixed(1);
    const height = 30 + rows.length * 34;
    svg.setAttribute("viewBox", `0 0 720 ${height}`);
    const parts = [];
    rows.forEach((row, place) => {
      const y = 24 + place * 34;
      const name = everyone.get(row.code).name;
      parts.push(drawn("text", { class: "t", x: 4, y: y + 4 }, name.length > 38 ? `${name.slice(0, 37)}…` : name));
      parts.push(drawn("path", { class: "grid", d: `M260 ${y}H680` }));
      if (row.comparator_value !== undefined) parts.push(drawn("path", { class: "l-tick", d: `M${x(row.comparator_value)} ${y - 11}V${y + 11}` }));
      if (row.lower_95 !== undefined && row.upper_95 !== undefined) parts.push(drawn("path", { class: "whisk", d: `M${x(row.lower_95)} ${y}H${x(row.upper_95)}` }));
      if (row.value === undefined && row.value_min !== undefined) parts.push(drawn("path", { class: "bounds", d: `M${x(row.value_min)} ${y}H${x(row.value_max)}` }));
      if (row.value !== undefined) parts.push(mark(x(row.value), y, LOOKS[row.look] || "common"));
    });
    svg.replaceChildren(...parts);
    const says = rows.map((row) => `${everyone.get(row.code).name} ${row.shown}`).join("; ");
    svg.setAttribute("aria-label", `Chart: ${about.name}, ${about.unit}. ${says || "no values"}. The tick is what each is compared with.`);
  }

  function mark(x, y, look) {
    const shape = { improve: `M${x} ${y - 7}l7 7l-7 7l-7 -7z`, concern: `M${x} ${y - 7}l7 12h-14z`, neutral: `M${x - 6} ${y - 6}h12v12h-12z` }[look];
    return shape ? drawn("path", { class: `mark ${look}`, d: shape }) : drawn("circle", { class: "dot-common", cx: x, cy: y, r: 5 });
  }

  async function show(note) {
    listChosen();
    at("indicator").value = indicator;
    at("address").href = address();
    const about = await read(`values-${indicators.get(indicator).file}`);
    const rows = chosen.flatMap((code) => about.values.filter((row) => row.code === code));
    const without = chosen.filter((code) => !rows.some((row) => row.code === code)).map((code) => everyone.get(code).name);
    at("result").textContent = `${about.name}, ${about.unit}`;
    document.querySelector("#table caption").textContent = `${about.name}: newest values`;
    document.querySelector("#table tbody").replaceChildren(...rows.map(tableRow));
    chart(drawnRows(rows), about);
    const notes = [note];
    if (chosen.length < 2) notes.push("Choose at least two organisations.");
    if (without.length) notes.push(`No value of this indicator: ${without.join(", ")}.`);
    status.textContent = notes.filter(Boolean).join(" ");
  }

  function listen() {
    const options = [...everyone.values()].map((one) => new Option("", `${one.name} (${one.code})`));
    at("everyone").append(...options);
    at("indicator").append(...[...indicators.values()].map((one) => new Option(one.name, one.id)));
    at("indicator").addEventListener("change", (event) => {
      indicator = event.target.value;
      take(chosen);
    });
    at("choice").addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = at("add").value.trim();
      const code = (typed.match(/\(([^()]+)\)$/) || [null, typed])[1].toUpperCase();
      if (!everyone.has(code)) status.textContent = `No trust or local maternity system ${typed}: choose from the list.`;
      else if (chosen.includes(code)) status.textContent = "It is chosen already.";
      else if (chosen.length >= MOST) status.textContent = `At most ${MOST}: remove one first.`;
      else {
        at("add").value = "";
        take([...chosen, code]);
      }
    });
    at("peers").addEventListener("change", (event) => {
      const found = peersBy(event.target.value).map((one) => one.code);
      event.target.value = "";
      if (!chosen.length) status.textContent = "Choose an organisation first.";
      else take([chosen[0], ...found], found.length ? "" : "It has no such peers in this edition.");
    });
  }

  async function start() {
    const found = await read("organisations");
    everyone = new Map(found.organisations.map((one) => [one.code, one]));
    indicators = new Map(found.indicators.map((one) => [one.id, one]));
    if (!indicators.size) throw new Error("no indicator can be compared");
    const note = fromAddress(found.first);
    listen();
    box.hidden = false;
    at("without").hidden = true;
    await show(note);
  }

  start().catch((error) => {
    // opened as a file, or offline: the links below lead on
    console.info("no comparison:", error.message);
  });
})();
