"""The header of a table: which of its first rows it is, and which known layout it comes nearest to.

People put titles, blank rows and `sep=` lines above a header. The header is the first of the first 20 rows that has all
required columns of a layout; failing that, the row nearest to a layout. A further row of that kind is the header of a
second table, and the file is refused: no rows may be left out as text above a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from expectations.columns import Column, header_key
from perinatal.dropped_files import Unusable

if TYPE_CHECKING:
    from ingest.registry import Source  # takes half a second to import, in the child that reads workbooks too

LOOKED_AT: Final = 20  # rows among which the header is looked for
SEPARATOR: Final = re.compile(r"\ufeff?\"?sep=(.?)", re.IGNORECASE)  # what Excel writes above a table for itself
FEWEST_KNOWN: Final = 2  # known names that make a row without all of them the likely header


@dataclass(frozen=True)
class Fit:
    """How a header compares with one layout.

    `places` says at which positions each column could stand; `missing` are the first published names of required
    columns that stand nowhere, `extra` the names that the layout does not know. `digits` are the positions
    of columns of numbers and dates.
    """

    layout: str
    places: dict[str, list[int]]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    digits: frozenset[int] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Tell whether every required column is there, each once."""
        return not self.missing and all(len(places) == 1 for places in self.places.values())


@dataclass(frozen=True)
class HeaderRow:
    """The row that is taken for the header: its index among the rows looked at, its cells, its best fit."""

    index: int
    cells: list[str]
    fit: Fit | None = None

    @property
    def known(self) -> int:
        """Return how many of its names are known."""
        return len(self.fit.places) if self.fit else 0

    @property
    def is_whole(self) -> bool:
        """Tell whether a layout's required columns are all there."""
        return self.fit is not None and self.fit.is_whole


Finder = Callable[[Sequence[list[str]]], HeaderRow]


def first_text(rows: Sequence[list[str]]) -> HeaderRow:
    """Take the first row with any text for the header; a `sep=` line is none."""
    texts = (place for place, row in enumerate(rows) if any(map(str.strip, row)) and not SEPARATOR.match(row[0]))
    index = next(texts, 0)
    return HeaderRow(index, list(rows[index]) if rows else [])


def finder(source: Source) -> Finder:
    """Return the function that finds the header of a source's tables among their first rows."""

    def find(rows: Sequence[list[str]]) -> HeaderRow:
        """Return the first row that a layout fits, else the nearest one, else the first with any text."""
        found = [HeaderRow(place, list(row), fit_of(row, source)) for place, row in enumerate(rows) if any(row)]
        best = max(found, key=lambda one: (one.is_whole, 0 if one.is_whole else one.known), default=None)
        if best and (best.is_whole or best.known >= FEWEST_KNOWN):
            return best
        first = first_text(rows)
        return next((one for one in found if one.index == first.index), first)

    return find


def one_table(rows: Iterable[tuple[int, list[str]]], find: Finder, at: str) -> Iterator[list[str]]:
    """Hand on the rows of a table, its header first. Raises Unusable at the header of a second table.

    `rows` come with their numbers, which the error gives behind `at`.
    """
    names: frozenset[str] = frozenset()
    for number, row in rows:
        if not names:
            names = frozenset(filter(None, row))
        elif not names.isdisjoint(row) and find([row]).is_whole:
            what = "a second header: the file holds several tables; save each as a file of its own"
            raise Unusable("several_tables", f"{at} {number}: {what}")
        yield row


def fit_of(header: Iterable[str], source: Source) -> Fit | None:
    """Return the best fit of a header among the layouts of a source; None where no name of it is known."""
    known = [fit for fit in fits_of(header, source) if fit.places]
    return max(known, key=lambda fit: (fit.is_whole, len(fit.places) - len(fit.missing)), default=None)


def fits_of(header: Iterable[str], source: Source) -> list[Fit]:
    """Return how a header compares with each layout of a source."""
    names = list(header)
    keys = [header_key(name) for name in names]
    return [_fit(layout, names, keys, columns) for layout, columns in source.columns.items()]


def _fit(layout: str, names: list[str], keys: list[str], columns: tuple[Column, ...]) -> Fit:
    places = places_of(keys, columns)
    taken = {place for found in places.values() for place in found}
    extra = [name for place, name in enumerate(names) if name.strip() and place not in taken]
    digits = {place for column in columns if column.holds_digits for place in places.get(column.name, ())}
    return Fit(layout, places, missing_from(places, columns), tuple(extra), frozenset(digits))


def missing_from(places: Collection[str], columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the first published names of required columns that are not among those with a place."""
    return tuple(column.published_names[0] for column in columns if column.required and column.name not in places)


def places_of(keys: list[str], columns: tuple[Column, ...]) -> dict[str, list[int]]:
    """Return where each column of a contract could stand in a header: column name → positions, if any.

    Plain names come first, so that a pattern never takes what another column is plainly called.
    """
    found: dict[str, list[int]] = {}
    for look in (_by_name, _by_pattern):
        for column in columns:
            places = [] if column.name in found else look(column, keys, found)
            if places:
                found[column.name] = places
    return found


def _is_pattern(published: str) -> bool:
    return len(published) > 2 and published.startswith("/") and published.endswith("/")


def _by_name(column: Column, keys: list[str], taken: dict[str, list[int]]) -> list[int]:  # noqa: ARG001 - one signature
    """Return where the first of a column's published names stands that the header has."""
    names = (header_key(name) for name in column.published_names if not _is_pattern(name))
    return next(([keys.index(name)] for name in names if name in keys), [])


def _by_pattern(column: Column, keys: list[str], taken: dict[str, list[int]]) -> list[int]:
    """Return where a pattern of a column's published names fits a header that no other column has."""
    patterns = [name[1:-1] for name in column.published_names if _is_pattern(name)]
    used = {place for places in taken.values() for place in places}
    free = (place for place in range(len(keys)) if place not in used)
    return [place for place in free if any(re.fullmatch(pattern, keys[place]) for pattern in patterns)]
