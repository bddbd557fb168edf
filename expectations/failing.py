"""The rows that fail one standard: how many of each release, which organisations, a few to show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb

from perinatal.sql import identifier

EXAMPLES = 5
MOST_RANGES = 5000  # of failing rows that are kept with a result: beyond, a warning is about the release as a whole
ORGANISATION_NAMES = ("organisation_name", "trust_name", "org_name", "published_name", "area_name", "unit_name", "name")
ORGANISATION_CODES = ("trust_code", "organisation_code", "org_code", "published_code", "area_code", "lms_code")

Shown = Callable[[Sequence[str]], Sequence[str]]


class FailingRows:
    """The failing rows of one standard on an open connection. `shown` picks the columns that people may see."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str, shown: Shown) -> None:
        self._connection = connection
        self.rows = connection.sql(sql)
        self._shown = list(shown(self.rows.columns))

    @property
    def has_numbers(self) -> bool:
        """Tell whether these are rows of a published file."""
        return "source_row" in self.rows.columns

    @cached_property
    def examples(self) -> list[dict[str, Any]]:
        """Return a few rows, the first of the file where they have a number there."""
        if not self._shown:
            return []
        shown = self.rows.project(", ".join(map(identifier, self._shown)))
        return records((shown.order("source_row") if "source_row" in self._shown else shown).limit(EXAMPLES))

    def releases(self) -> dict[str, int]:
        """Return how many failing rows each release has, where they say of which they are."""
        if "release_key" not in self.rows.columns:
            return {}
        counted = self.rows.filter("release_key is not null").aggregate("release_key, count(*)").order("release_key")
        return dict(counted.fetchall())

    def organisations(self) -> tuple[list[str], int]:
        """Return the organisations with most failing rows, by name where there is one, and the number of all."""
        column = next((name for name in (*ORGANISATION_NAMES, *ORGANISATION_CODES) if name in self._shown), None)
        if column is None:
            return [], 0
        named = self.rows.filter(f"{identifier(column)} is not null")
        counted = named.aggregate(f"{identifier(column)}::varchar as named, count(*) as found")
        names = [name for name, _ in counted.order("found desc, named").limit(3).fetchall()]
        if column not in ORGANISATION_NAMES:
            names = [self._name_of(code) for code in names]
        [(count,)] = counted.aggregate("count(*)").fetchall()
        return names, count

    def _name_of(self, code: str) -> str:
        if not self._knows_organisations:
            return code
        # read to the end: an unread rest would hold the connection
        query = "select name from organisation_today where code = ? and name is not null"
        found = self._connection.execute(query, [code]).fetchall()
        return f"{found[0][0]} ({code})" if found else code

    @cached_property
    def _knows_organisations(self) -> bool:
        return bool(self._connection.execute("from duckdb_views() where view_name = 'organisation_today'").fetchall())

    def affected_lms(self) -> list[str]:
        """Return the LMSs that failing rows name, or whose trusts they name (at the release gate)."""
        if "lms_code" in self.rows.columns:
            codes = self.rows.project("lms_code").distinct().order("lms_code").fetchall()
            return [code for (code,) in codes if code]
        named = next((name for name in ("trust_code", "organisation_code") if name in self.rows.columns), None)
        if named is None or not self._knows_organisations:
            return []
        trusts = self.rows.project(f"{identifier(named)}::varchar as trust_code").distinct().fetchall()
        found = self._connection.execute(
            "select distinct lms_code from organisation_today "
            "where level = 'trust' and list_contains(?, code) and lms_code is not null order by lms_code",
            [[code for (code,) in trusts]],
        ).fetchall()
        return [code for (code,) in found]

    def source_rows(self) -> list[list[int]]:
        """Return the numbers of the failing rows of the file as (first, last) ranges; none where they are too many."""
        if not self.has_numbers:
            return []
        numbers = self.rows.project("source_row").filter("source_row is not null").distinct()
        placed = numbers.project("source_row, source_row - row_number() over (order by source_row) as island")
        ranges = placed.aggregate("min(source_row) as first, max(source_row) as last, island").order("first")
        found = ranges.project("first, last").limit(MOST_RANGES + 1).fetchall()
        return [] if len(found) > MOST_RANGES else [[first, last] for first, last in found]


def records(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Return rows as plain dictionaries that JSON can carry."""
    return [
        {name: plain(value) for name, value in zip(relation.columns, row, strict=True)} for row in relation.fetchall()
    ]


def plain(value: Any) -> Any:
    """Return a value as JSON can carry it.

    Fractions have three digits: all sixteen of a share of births would give the number of births away.
    """
    if isinstance(value, float | Decimal):
        number = float(value)
        if not math.isfinite(number):
            return str(number)
        return number if number.is_integer() else float(f"{number:.3g}")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
