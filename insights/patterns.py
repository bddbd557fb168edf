"""The lexicon's small pattern language, compiled to regular expressions.

A pattern is words as a clinician would write them:

- `delay*`            any word that begins so; without the star, the whole word
- `(a|b c|d*)`        one of these, each a word or several
- `word?` `(…)?`      may be left out
- `~3`                up to three words may stand here
- `a & b`             both in the same sentence, in any order
- `a ~~3 b`           as `a ~3 b` or `b ~3 a`; one of these a pattern
- `<fail>`            a class of words, listed in taxonomy/word_classes.csv

Matching ignores case; hyphens, slashes and commas separate words; a match never crosses a full stop,
semicolon or colon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
SEPARATOR = r"[^\w.;:!?]+"
GAP_WORD = r"[a-z0-9]+(?:'[a-z]+)?"
TOKENS = re.compile(r"[()|&]|~\d+|[a-z0-9']+\*?\??|\?")
CLASS = re.compile(r"<([a-z_]+)>")
EITHER_ORDER = re.compile(r"(?P<first>.+?) ~~(?P<gap>\d+) (?P<second>.+)")
KEY_LENGTH = 3
SPELLINGS = (("fet", "foet"), ("haem", "hem"), ("paed", "ped"), ("oedema", "edema"), ("anaes", "anes"))


class PatternError(ValueError):
    """A pattern that the small language cannot read."""


class Word(NamedTuple):
    """One literal word, or the beginning of one."""

    text: str
    is_prefix: bool


@dataclass(frozen=True)
class Item:
    """One place in a sequence: alternatives of sequences, how many words may come before, optional or not."""

    alternatives: tuple[tuple[Item, ...], ...]
    word: Word | None
    gap: int
    optional: bool


Sequence = tuple[Item, ...]


class Branch(NamedTuple):
    """One alternative, compiled, with what tells cheaply that it cannot match.

    A match begins with one of `words` or with a word that begins with one of `beginnings`; of each set in `later` the
    text must hold a word with these first letters (KEY_LENGTH of them).
    """

    regex: re.Pattern[str]
    words: frozenset[str]
    beginnings: frozenset[str]
    later: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Part:
    """A compiled conjunct: its alternatives in order."""

    branches: tuple[Branch, ...]

    def match(self, text: str, position: int) -> re.Match[str] | None:
        """Match the first alternative that fits at a word's first letter."""
        return next((m for branch in self.branches if (m := branch.regex.match(text, position))), None)


def expand(pattern: str, classes: Mapping[str, str]) -> str:
    """Write out word classes and either-order gaps, so that `parse` can read the pattern. Raises PatternError."""
    unknown = sorted(set(CLASS.findall(pattern)) - set(classes))
    if unknown:
        raise PatternError(f"unknown word class {', '.join(unknown)} in pattern {pattern!r}")
    return " & ".join(_both_orders(CLASS.sub(lambda m: f"({classes[m[1]]})", part)) for part in pattern.split("&"))


def _both_orders(part: str) -> str:
    ordered = EITHER_ORDER.fullmatch(part.strip())
    if ordered is None:
        return part.strip()
    first, gap, second = ordered["first"], ordered["gap"], ordered["second"]
    return f"{first} ~{gap} {second} | {second} ~{gap} {first}"


def parse(pattern: str) -> list[list[Sequence]]:
    """Read a pattern into conjuncts, each a list of alternative sequences. Raises PatternError."""
    rest = TOKENS.sub("", pattern).strip()
    if rest:
        raise PatternError(f"unexpected {rest!r} in pattern {pattern!r}")
    tokens = TOKENS.findall(pattern)
    conjuncts: list[list[Sequence]] = []
    position = 0
    while True:
        alternatives, position = _alternatives(tokens, position, pattern)
        conjuncts.append(alternatives)
        if position == len(tokens):
            return conjuncts
        if tokens[position] != "&":
            raise PatternError(f"unexpected {tokens[position]!r} in pattern {pattern!r}")
        position += 1


def _alternatives(tokens: list[str], position: int, pattern: str) -> tuple[list[Sequence], int]:
    found: list[Sequence] = []
    while True:
        sequence, position = _sequence(tokens, position, pattern)
        found.append(sequence)
        if position == len(tokens) or tokens[position] != "|":
            return found, position
        position += 1


def _sequence(tokens: list[str], position: int, pattern: str) -> tuple[Sequence, int]:
    items: list[Item] = []
    gap = 0
    while position < len(tokens) and tokens[position] not in {"|", ")", "&"}:
        piece = tokens[position]
        position += 1
        if piece.startswith("~"):
            gap = int(piece[1:])
            continue
        if piece == "(":
            inner, position = _alternatives(tokens, position, pattern)
            if position == len(tokens) or tokens[position] != ")":
                raise PatternError(f"a bracket is not closed in pattern {pattern!r}")
            position += 1
            optional = position < len(tokens) and tokens[position] == "?"
            position += optional
            items.append(Item(tuple(inner), None, gap, optional))
        else:
            items.append(_word_item(piece, gap, pattern))
        gap = 0
    if not items or all(item.optional for item in items):
        raise PatternError(f"an empty place in pattern {pattern!r}")
    return tuple(items), position


def _word_item(token: str, gap: int, pattern: str) -> Item:
    text = token.rstrip("?*")
    is_prefix = "*" in token
    if not text or (is_prefix and len(text) < KEY_LENGTH):
        raise PatternError(f"{token!r} is too short in pattern {pattern!r}")
    return Item((), Word(text, is_prefix), gap, token.endswith("?"))


def compile_part(alternatives: list[Sequence]) -> Part:
    """Compile one conjunct to regular expressions to be tried at a word's first letter."""
    return Part(tuple(_branch(plain) for sequence in alternatives for plain in _without_optional_start(sequence)))


def _branch(sequence: Sequence) -> Branch:
    first = _first_words(sequence[0])
    return Branch(
        re.compile(rf"(?:{_sequence_regex(sequence)})(?!\w)"),
        frozenset(word.text for word in first if not word.is_prefix),
        frozenset(word.text for word in first if word.is_prefix),
        tuple(
            frozenset(word.text[:KEY_LENGTH] for word in _first_words(item))
            for item in sequence[1:]
            if not item.optional
        ),
    )


def _without_optional_start(sequence: Sequence) -> list[Sequence]:
    if not sequence[0].optional:
        return [sequence]
    first = sequence[0]
    required = Item(first.alternatives, first.word, 0, False)
    return [(required, *sequence[1:]), *_without_optional_start(sequence[1:])]


def _sequence_regex(sequence: Sequence) -> str:
    pieces = []
    for place, item in enumerate(sequence):
        separator = "" if place == 0 else SEPARATOR + _gap_regex(item.gap)
        body = separator + _item_regex(item)
        pieces.append(f"(?:{body})?" if item.optional else body)
    return "".join(pieces)


def _gap_regex(words: int) -> str:
    return rf"(?:{GAP_WORD}{SEPARATOR}){{0,{words}}}?" if words else ""


def _item_regex(item: Item) -> str:
    if item.word is None:
        return "(?:" + "|".join(_sequence_regex(inner) for inner in item.alternatives) + ")"
    ending = r"\w*(?:'\w+)?" if item.word.is_prefix else r"(?:'s)?"
    spellings = "|".join(re.escape(text) for text in _spellings(item.word.text))
    return rf"(?:{spellings}){ending}\b"


def _spellings(text: str) -> list[str]:
    variants = [text]
    for british, other in SPELLINGS:
        if british in text:
            variants.append(text.replace(british, other))
    return variants


def _first_words(item: Item) -> set[Word]:
    if item.word is None:
        return {word for inner in item.alternatives for word in _first_words(inner[0])}
    return {Word(text, item.word.is_prefix) for text in _spellings(item.word.text)}
