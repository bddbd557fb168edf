// Charts: what a point says beside it, arrow keys from point to point, and the picture as a file. Without this file
// every point is a link that names itself, and the table beside the chart has the numbers.
"use strict";
(() => {
  const NEAR = 18; // pixels within which a pointer means a point
  const SCALE = 2; // of the PNG: sharp on paper
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true"); // the point says the same
  tip.hidden = true;
  let shown = null; // the point whose words are shown

  function middle(point) {
    const box = point.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  }

  function show(point) {
    if (shown === point) return;
    shown = point;
    const [name, ...rest] = point.getAttribute("aria-label").split(": ");
    const strong = document.createElement("strong");
    strong.textContent = name;
    tip.replaceChildren(strong, rest.length ? `: ${rest.join(": ")}` : "");
    tip.hidden = false;
    const { x, y } = middle(point);
    const wide = document.documentElement.clientWidth;
    tip.style.left = `${scrollX + Math.min(Math.max(x - tip.offsetWidth / 2, 4), Math.max(wide - tip.offsetWidth - 4, 4))}px`;
    const above = y - tip.offsetHeight - 14;
    tip.style.top = `${scrollY + (above > 0 ? above : y + 14)}px`;
  }

  function hide() {
    shown = null;
    tip.hidden = true;
  }

  function nearest(points, event) {
    let best = null;
    let least = NEAR;
    for (const point of points) {
      const { x, y } = middle(point);
      const distance = Math.hypot(x - event.clientX, y - event.clientY);
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  // one stop of the Tab key a chart; arrow keys go from point to point, in the order in which they lie
  function walk(chart, points) {
    const along = chart.classList.contains("rows") ? "y" : "x";
    const ordered = () => [...points].sort((one, other) => middle(one)[along] - middle(other)[along]);
    const start = points.find((point) => point.querySelector(".own, .concern")) || points[points.length - 1];
    const stop = (point) => points.forEach((other) => other.setAttribute("tabindex", other === point ? "0" : "-1"));
    stop(start);
    chart.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      const order = ordered();
      const at = order.indexOf(document.activeElement);
      if (!step || at < 0) return;
      event.preventDefault();
      const next = order[Math.min(Math.max(at + step, 0), order.length - 1)];
      stop(next);
      next.focus();
    });
  }

  function point(chart) {
    const points = [...chart.querySelectorAll("a[aria-label]")];
    if (!points.length) return;
    walk(chart, points);
    let touched = false; // by a finger: the first touch shows the words, the second follows the link
    let before = null;
    chart.addEventListener("pointerdown", (event) => {
      touched = event.pointerType === "touch";
      before = shown;
    });
    chart.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      const found = nearest(points, event);
      if (found) show(found);
      else hide();
    });
    chart.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") hide();
    });
    chart.addEventListener("click", (event) => {
      if (!event.detail) return; // the Enter key
      const found = nearest(points, event) || event.target.closest("a");
      if (touched && found !== before) {
        event.preventDefault();
        if (found) show(found);
        else hide();
      } else if (found && !event.target.closest("a")) found.dispatchEvent(new MouseEvent("click", { bubbles: false, cancelable: true }));
    });
    chart.addEventListener("focusin", (event) => show(event.target));
    chart.addEventListener("focusout", hide);
  }

  // --- the picture as a file: with its heading, key and source, and the looks of the style sheet written into it
  const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "color",
    "font-family", "font-size", "font-weight", "text-anchor", "paint-order", "r"];
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  function plain(picture) {
    const copy = picture.cloneNode(true);
    for (const name of ["class", "role", "aria-label", "aria-hidden", "focusable"]) copy.removeAttribute(name);
    const originals = [...picture.querySelectorAll("*")];
    [...copy.querySelectorAll("*")].forEach((node, place) => {
      const style = getComputedStyle(originals[place]);
      if (style.display === "none") return node.remove();
      node.removeAttribute("class");
      for (const name of LOOKS) if (style.getPropertyValue(name)) node.setAttribute(name, style.getPropertyValue(name));
    });
    for (const link of copy.querySelectorAll("a")) {
      const group = element("g", {});
      group.append(element("title", {}, link.getAttribute("aria-label")), ...link.childNodes);
      link.replaceWith(group);
    }
    return copy;
  }

  function lines(text, most) {
    const found = [""];
    for (const word of text.trim().split(/\s+/)) {
      if (`${found.at(-1)} ${word}`.length > most) found.push(word);
      else found[found.length - 1] = `${found.at(-1)} ${word}`.trim();
    }
    return found;
  }

  function headingOf(figure) {
    return (figure.querySelector("figcaption") || figure.closest("section").querySelector("h3")).textContent.trim();
  }

  // charts as they look where there is room, out of sight
  function staged(charts) {
    const stage = document.createElement("div");
    stage.className = "figure stage";
    stage.setAttribute("aria-hidden", "true");
    stage.append(...charts.map((chart) => chart.cloneNode(true)));
    document.body.append(stage);
    const found = [...stage.children].map((chart) => {
      const copy = plain(chart);
      copy.setAttribute("font-size", getComputedStyle(chart).fontSize);
      return copy;
    });
    stage.remove();
    return found;
  }

  // a note or a source without its links to tables: they lead nowhere from a file
  function wordsOf(about) {
    const copy = about.cloneNode(true);
    for (const link of copy.querySelectorAll("a[href$='.csv']")) link.remove();
    return copy.textContent.trim();
  }

  function whole(figure, charts) {
    const [, , width, height] = charts[0].getAttribute("viewBox").split(" ").map(Number);
    const [edge, line] = [12, 15];
    const across = Math.min(charts.length, 3); // small multiples stand three in a row
    const broad = across * (width + edge) - edge;
    const made = element("svg", { xmlns: SVG, "font-family": "Arial, sans-serif" });
    let y = edge;
    const write = (text, size, weight = "normal") => {
      for (const part of lines(text, (broad / size) * 1.9)) {
        y += line;
        made.append(element("text", { x: edge, y, "font-size": size, "font-weight": weight, fill: "#212b32" }, part));
      }
    };
    if (document.querySelector(".synthetic")) write("SYNTHETIC SAMPLE DATA: every value is invented", 11, "bold");
    write(headingOf(figure), 13, "bold");
    write(document.querySelector("h1").textContent, 11);
    y += 8;
    const copies = staged(charts);
    for (const [place, chart] of charts.entries()) {
      const at = { x: edge + (place % across) * (width + edge), y };
      const head = charts.length > 1 ? chart.parentElement.querySelector("h4").textContent.trim() : "";
      if (head) made.append(element("text", { x: at.x, y: y + 10, "font-size": 8, "font-weight": "bold", fill: "#212b32" }, lines(head, 38)[0]));
      for (const [key, value] of Object.entries({ ...at, y: y + (head ? 14 : 0), width, height })) copies[place].setAttribute(key, value);
      made.append(copies[place]);
      if (place % across === across - 1 || place === charts.length - 1) y += height + (head ? 26 : 12);
    }
    for (const item of figure.querySelectorAll(".keys li")) {
      const sample = item.querySelector("svg");
      if (!sample) continue;
      y += line;
      const drawn = plain(sample);
      for (const [key, value] of Object.entries({ x: edge, y: y - 12, width: 26, height: 16 })) drawn.setAttribute(key, value);
      made.append(drawn, element("text", { x: edge + 32, y, "font-size": 10, fill: "#212b32" }, item.textContent.trim()));
    }
    for (const about of figure.querySelectorAll(".note, .source")) write(wordsOf(about), 10);
    write(document.querySelector(".footer p").textContent.split(". ")[0], 10);
    const size = [broad + 2 * edge, y + edge];
    made.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    made.setAttribute("width", size[0]);
    made.setAttribute("height", size[1]);
    made.prepend(element("rect", { width: size[0], height: size[1], fill: "#fff" }));
    return { made, size };
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function drawn({ made }) {
    return new Blob([new XMLSerializer().serializeToString(made)], { type: "image/svg+xml" });
  }

  async function painted(picture) {
    const image = new Image();
    image.src = URL.createObjectURL(drawn(picture));
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = picture.size.map((length) => length * SCALE);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  function button(text, says, look) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = look;
    made.textContent = text;
    made.setAttribute("aria-label", says);
    return made;
  }

  // --- the table instead of the picture
  function swap(drawing, details, heading) {
    const made = button("Table", `Table instead of chart: ${heading}`, "toggle");
    made.setAttribute("aria-pressed", "false");
    made.addEventListener("click", () => {
      const table = made.getAttribute("aria-pressed") === "false";
      made.setAttribute("aria-pressed", String(table));
      drawing.hidden = table;
      details.open = table;
    });
    return made;
  }

  function tools(figure, charts) {
    const heading = headingOf(figure);
    const name = `${document.querySelector("h1").textContent} ${heading}`.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 100);
    const line = document.createElement("div");
    line.className = "tools";
    const [drawing, details] = [figure.querySelector(".drawing"), figure.querySelector("details")];
    if (details) line.append(swap(drawing, details, heading));
    for (const [kind, make] of [["SVG", drawn], ["PNG", painted]]) {
      const saves = button(`Save ${kind}`, `Save ${kind}: ${heading}`, "save");
      saves.addEventListener("click", async () => save(await make(whole(figure, charts)), `${name}.${kind.toLowerCase()}`));
      line.append(saves);
    }
    drawing.before(line);
  }

  document.body.append(tip);
  for (const chart of document.querySelectorAll("svg.chart")) point(chart);
  for (const figure of document.querySelectorAll(".figure")) {
    const charts = [...figure.querySelectorAll("svg.chart")];
    if (charts.length) tools(figure, charts);
  }
  addEventListener("scroll", () => shown && document.activeElement !== shown && hide(), { passive: true });
})();
