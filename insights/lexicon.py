"""The lexicon (taxonomy/lexicon.csv): every pattern of every theme, matched in one pass over a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple, TypeVar

from insights.patterns import KEY_LENGTH, WORD, Branch, Part, PatternError, compile_part, expand, parse
from insights.themes import TAXONOMY, theme_ids
from perinatal.csv_rows import read_rows
from perinatal.errors import PerinatalError

Key = TypeVar("Key")
Value = TypeVar("Value")
COLUMNS = ("theme_id", "kind", "pattern")
CLASS_COLUMNS = ("name", "words")
ANY_THEME = "*"
THEME_KINDS = frozenset({"include", "topic", "context", "exclude"})
CUE_KINDS = frozenset(
    {"assurance", "directive", "imperative", "problem", "contrast", "absence", "absence_after", "process"}
    | {"background", "itself", "substance"}
)
SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
STRAIGHTENED = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "\u00a0": " "})
COMBINATIONS = 8  # of the parts of an `a & b` pattern that are tried in one sentence


class Span(NamedTuple):
    """A stretch of text, as character offsets [start, end)."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Entry:
    """One line of the lexicon; `parts` are indexes into the lexicon's distinct compiled parts."""

    theme_id: str
    kind: str
    pattern: str
    parts: tuple[int, ...]


class Match(NamedTuple):
    """An entry found in a text."""

    entry: Entry
    span: Span


class Start(NamedTuple):
    """An alternative of a part (by its index)."""

    part: int
    branch: Branch


@dataclass(frozen=True)
class Lexicon:
    """Compiled entries with an index from a word, or its beginning, to the alternatives that may start there."""

    entries: tuple[Entry, ...]
    by_word: dict[str, tuple[Start, ...]]
    by_beginning: dict[str, tuple[Start, ...]]
    by_first_part: dict[int, tuple[Entry, ...]]

    def find(self, text: str) -> list[Match]:
        """Find all matches in `text`, in order of the lexicon, then of position."""
        lowered = normalise(text)
        spans = self._part_spans(lowered)
        sentences = sentence_spans(lowered)
        return [
            Match(entry, span)
            for part in sorted(spans)
            for entry in self.by_first_part.get(part, ())
            for span in _entry_spans(entry, spans, sentences)
        ]

    def _part_spans(self, lowered: str) -> dict[int, list[Span]]:
        spans: dict[int, list[Span]] = defaultdict(list)
        words = list(WORD.finditer(lowered))
        present = {word.group()[:KEY_LENGTH] for word in words}
        for word in words:
            position = word.start()
            for part, branch in self._starts(word.group()):
                if part in spans and spans[part][-1].start == position:
                    continue  # an earlier alternative fits here already
                if any(later.isdisjoint(present) for later in branch.later):
                    continue
                match = branch.regex.match(lowered, position)
                if match:
                    spans[part].append(Span(position, match.end()))
        return spans

    def _starts(self, word: str) -> Iterator[Start]:
        yield from self.by_word.get(word, ())
        stem, apostrophe, _ = word.partition("'")
        if apostrophe:
            yield from self.by_word.get(stem, ())
        for length in range(KEY_LENGTH, len(word) + 1):
            yield from self.by_beginning.get(word[:length], ())


def normalise(text: str) -> str:
    """Lower-case and straighten quotes, one character for one, so that offsets stay true."""
    straight = text.translate(STRAIGHTENED)
    lowered = straight.lower()
    return lowered if len(lowered) == len(text) else "".join(_lower_one(c) for c in straight)


def _lower_one(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def sentence_spans(text: str) -> list[Span]:
    """Find the sentences of a text as offsets."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    starts = [0, *ends[:-1]]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


def _entry_spans(entry: Entry, spans: dict[int, list[Span]], sentences: list[Span]) -> list[Span]:
    if len(entry.parts) == 1:
        return spans[entry.parts[0]]
    if not all(part in spans for part in entry.parts):
        return []
    found = []
    for sentence in sentences:
        inside = [[s for s in spans[part] if sentence.start <= s.start < sentence.end] for part in entry.parts]
        best = _tightest(inside)
        if best:
            found.append(best)
        if best and entry.kind == "exclude":
            found += [span for spans in inside for span in spans]
    return found


def _tightest(choices: list[list[Span]]) -> Span | None:
    """Find the shortest stretch that holds one non-overlapping span of each choice."""
    best: Span | None = None
    for combination in product(*(spans[:COMBINATIONS] for spans in choices)):
        if any(a.overlaps(b) for i, a in enumerate(combination) for b in combination[:i]):
            continue
        stretch = Span(min(s.start for s in combination), max(s.end for s in combination))
        if best is None or stretch.end - stretch.start < best.end - best.start:
            best = stretch
    return best


def load_lexicon(path: Path) -> Lexicon:
    """Read and compile a lexicon. Raises PerinatalError naming the row of a pattern that cannot be read."""
    classes = {row["name"]: row["words"] for _, row in read_rows(TAXONOMY / "word_classes.csv", CLASS_COLUMNS)}
    distinct: dict[str, int] = {}
    parts: list[Part] = []
    entries: list[Entry] = []
    for line, row in read_rows(path, COLUMNS):
        theme_id, kind = _checked_kind(path, line, row)
        indexes = []
        try:
            written_out = expand(row["pattern"], classes)
            for source, conjunct in zip(written_out.split("&"), parse(written_out), strict=True):
                key = " ".join(source.split())
                if key not in distinct:
                    distinct[key] = len(parts)
                    parts.append(compile_part(conjunct))
                indexes.append(distinct[key])
        except PatternError as error:
            raise PerinatalError(f"{path}, line {line}: {error}. See insights/patterns.py.") from error
        entries.append(Entry(theme_id, kind, row["pattern"], tuple(indexes)))
    return _indexed(tuple(entries), tuple(parts))


def _checked_kind(path: Path, line: int, row: dict[str, str]) -> tuple[str, str]:
    theme_id, kind = row["theme_id"], row["kind"]
    allowed = CUE_KINDS if theme_id == ANY_THEME else THEME_KINDS if theme_id in theme_ids() else frozenset()
    if kind not in allowed:
        raise PerinatalError(
            f"{path}, line {line}: theme {theme_id!r} with kind {kind!r}. Expected a theme of themes.csv with "
            f"{', '.join(sorted(THEME_KINDS))}, or {ANY_THEME} with {', '.join(sorted(CUE_KINDS))}."
        )
    return theme_id, kind


def _indexed(entries: tuple[Entry, ...], parts: tuple[Part, ...]) -> Lexicon:
    by_word: dict[str, list[Start]] = defaultdict(list)
    by_beginning: dict[str, list[Start]] = defaultdict(list)
    for index, part in enumerate(parts):
        for branch in part.branches:
            for word in branch.words:
                by_word[word].append(Start(index, branch))
            for beginning in branch.beginnings:
                by_beginning[beginning].append(Start(index, branch))
    by_first: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_first[entry.parts[0]].append(entry)
    return Lexicon(entries, _frozen(by_word), _frozen(by_beginning), _frozen(by_first))


def _frozen(lists: dict[Key, list[Value]]) -> dict[Key, tuple[Value, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


@cache
def default_lexicon() -> Lexicon:
    """Load the project's lexicon, once."""
    return load_lexicon(TAXONOMY / "lexicon.csv")
