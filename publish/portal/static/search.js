// The search page: only the entries that hold every word asked for; where there are none, with one letter different.
"use strict";
(() => {
  const SMALL = new Set(["a", "an", "and", "at", "by", "for", "in", "of", "on", "the", "to", "with"]);
  const SHORTEST = 4; // shorter words are too like each other

  const wordsOf = (text) =>
    text.normalize("NFD").replace(/[\u0300-\u036f'’]/g, "").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);

  // one letter added, left out, changed, or two neighbours swapped
  function isOneEdit(one, other) {
    let start = 0;
    while (start < one.length && one[start] === other[start]) start += 1;
    const [a, b] = [one.slice(start), other.slice(start)];
    if (a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1)) return true;
    return a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  }

  // a word that is still being typed is compared with the beginning of longer ones
  function isNear(word, held) {
    if (word.length < SHORTEST || held.length < word.length - 1) return false;
    return [held, ...[-1, 0, 1].map((more) => held.slice(0, word.length + more))].some((part) => isOneEdit(word, part));
  }

  const box = document.getElementById("q");
  const status = document.getElementById("found");
  const entries = [...document.querySelectorAll("[data-findable] > li")].map((item) => ({
    item,
    held: [...new Set(wordsOf(`${item.textContent} ${item.dataset.words}`))],
  }));

  function matching(asked, fits) {
    return new Set(
      entries.filter(({ held }) => asked.every((word) => held.some((part) => fits(word, part)))).map(({ item }) => item),
    );
  }

  function narrow() {
    const all = wordsOf(box.value);
    const telling = all.filter((word) => !SMALL.has(word));
    const asked = telling.length ? telling : all;
    const holds = (word, part) => part.includes(word);
    let shown = matching(asked, holds);
    const isLoose = shown.size === 0;
    if (isLoose) shown = matching(asked, (word, part) => holds(word, part) || isNear(word, part));
    for (const { item } of entries) item.hidden = !shown.has(item);
    // a heading without entries is hidden
    for (const part of document.querySelectorAll("main section")) {
      part.hidden = !part.querySelector("[data-findable] > li:not([hidden])");
    }
    const count = `${shown.size} found for “${box.value}”`;
    status.textContent = asked.length ? (isLoose && shown.size ? `${count}, spelled with one letter different` : count) : "";
  }

  box.value = new URLSearchParams(location.search).get("q") || "";
  box.addEventListener("input", narrow);
  narrow();
})();
