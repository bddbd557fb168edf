"""Columns of a printed page: the boxes of its text in the order in which people read them.

A gutter is a strip that words of hardly any line cross. Lines that run across it (titles, summaries) part the page into
bands; in each band the columns follow each other from left to right.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

NARROWEST_GUTTER: Final = 9  # points
FEWEST_LINES: Final = 8  # of a page whose columns can be told
LEAST_SHARE: Final = 0.15  # of the words that stand in a column, and of the width where no gutter is sought
CROSSING: Final = 0.2  # of the lines that may run across a gutter
SAME_LINE: Final = 3  # points between the tops of words of one line


class Word(NamedTuple):
    """A printed word: its box on the page, in points from the top left."""

    x0: float
    x1: float
    top: float
    bottom: float


class Box(NamedTuple):
    """A part of a page, in points from the top left."""

    x0: float
    top: float
    x1: float
    bottom: float


def boxes_in_reading_order(page: Any) -> list[Box]:
    """Return the boxes of a pdfplumber page, the whole page where it has one column."""
    left, top, right, bottom = page.bbox
    words = [Word(word["x0"], word["x1"], word["top"], word["bottom"]) for word in page.extract_words()]
    gutters = _gutters(words)
    if not gutters:
        return [Box(left, top, right, bottom)]
    edges = [left, *gutters, right]
    found = []
    for start, end, runs_across in _bands(words, gutters, top, bottom):
        columns = [(left, right)] if runs_across else list(itertools.pairwise(edges))
        found += [Box(one, start, other, end) for one, other in columns]
    return found


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Put words whose tops are nearly the same on one line, from the top of the page."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.top):
        if lines and word.top - lines[-1][0].top <= SAME_LINE:
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def _gutters(words: Sequence[Word]) -> list[float]:
    """Return the middle of each gutter, from left to right; none where a column would hold hardly any words."""
    lines = _lines(words)
    if len(lines) < FEWEST_LINES:
        return []
    left, right = min(word.x0 for word in words), max(word.x1 for word in words)
    margin = LEAST_SHARE * (right - left)
    covered = Counter(x for word in words for x in range(math.floor(word.x0), math.ceil(word.x1)))
    middles: list[float] = []
    run: list[int] = []
    for x in range(round(left + margin), round(right - margin) + 1):
        if covered[x] <= CROSSING * len(lines):
            run.append(x)
            continue
        middles += [(run[0] + run[-1] + 1) / 2] if len(run) >= NARROWEST_GUTTER else []
        run = []
    return middles if _all_columns_hold_words(words, middles) else []


def _all_columns_hold_words(words: Sequence[Word], middles: Sequence[float]) -> bool:
    if not middles:
        return False
    counts = Counter(sum(word.x0 > middle for middle in middles) for word in words)
    return all(counts[column] >= LEAST_SHARE * len(words) for column in range(len(middles) + 1))


def _bands(
    words: Sequence[Word], gutters: Sequence[float], top: float, bottom: float
) -> Iterator[tuple[float, float, bool]]:
    """Yield (top, bottom, whether its lines run across the gutters) of each band of a page."""
    start, across = top, None
    for line in _lines(words):
        runs_across = any(_crosses(line, gutter) for gutter in gutters)
        if across is not None and runs_across != across:
            edge = min(word.top for word in line) - 0.5
            yield start, edge, across
            start = edge
        across = runs_across
    yield start, bottom, bool(across)


def _crosses(line: Sequence[Word], gutter: float) -> bool:
    """Tell whether a line runs across a gutter: a word lies on it, or no more than a blank parts its neighbours."""
    before = max((word.x1 for word in line if word.x0 < gutter), default=None)
    after = min((word.x0 for word in line if word.x0 >= gutter), default=None)
    return before is not None and (before > gutter or (after is not None and after - before < NARROWEST_GUTTER))
