"""Where each shown figure comes from: file, hash and number of the row, on a page for each release and indicator.

A trust's figure is a row of the file. That of an area is the publisher's own row for it where that says the same,
else the sum of its trusts' rows, which stand beside it. Figures by group have a page for each kind of group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from perinatal.made_files import MadeFiles
from perinatal.spreadsheet_safe import safe_columns
from perinatal.sql import literal
from publish import marts
from publish.partition import KEY, Files, Parts, rows_as
from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.model import Record, Value

NEEDED = ("core.fct_observation", "marts.trust_indicator")
ListingKey = tuple[str, str, str, bool]  # release, indicator, breakdown, only trusts
LEVELS = ("england", "region", "lms", "trust")
# levels of a file's rows that figures of areas are made from, beside those of the areas themselves
PARTS = ("trust", "region", "england", "icb", "utla")
# groups that pages show for other levels than England: rates by group, and the most deprived fifth of who we are
GROUPED = """
    indicator_id in (select indicator_id from marts.inequality)
    or indicator_id = 'msds_deprivation_decile_at_booking' and regexp_matches(breakdown_value, '^0[12]( |$)')
"""


def figures(has: Callable[[str], bool]) -> str:
    """Return the query of the newest figures (of years, and of shorter periods) with their rows in the file.

    `has` tells whether the edition holds a table.
    """
    grouped = f"breakdown = 'all' or {GROUPED}" if has("marts.inequality") else "breakdown = 'all'"
    parts = [
        f"select {literal(level)} as level, {mart.code} as code, {mart.organisation_name} as name, "
        f"{mart.lms or 'null'} as lms_code, indicator_id, source_id, period_label, period_start, period_end, "
        "months_covered, breakdown, breakdown_value, numerator, denominator, value, unit, is_suppressed, release_key, "
        f"{'null::double as value_min, null::double as value_max' if level == 'trust' else 'value_min, value_max'} "
        f"from {mart.table} where {'true' if level == 'england' else grouped}"
        for level, mart in marts.BY_LEVEL.items()
        if has(mart.table)
    ]
    return f"""
with
    figure as ({" union all ".join(parts)}),
    newest as (
        select *
        from figure
        qualify
            row_number() over (
                partition by
                    level, code, source_id, indicator_id, breakdown, breakdown_value,
                    date_diff('month', period_start, period_end) >= 11
                order by period_end desc, period_start desc
            )
            = 1
    ),
    observation as (
        select * from core.fct_observation where exclusion_rule is null and publisher_status is null
    )
select newest.*, observation.source_row, observation.source_row_count
from newest
left join
    observation
    on observation.level = case newest.level when 'lms' then 'icb' else newest.level end
    and observation.organisation_code = newest.code
    and observation.source_id = newest.source_id
    and observation.indicator_id = newest.indicator_id
    and observation.period_start = newest.period_start
    and observation.period_end = newest.period_end
    and observation.breakdown = newest.breakdown
    and observation.breakdown_value = newest.breakdown_value
    and observation.release_key = newest.release_key
    and (
        newest.level = 'trust'
        or observation.value is not distinct from newest.value
        and observation.numerator is not distinct from newest.numerator
    )
order by newest.release_key, newest.indicator_id, newest.breakdown, newest.level, newest.name, newest.code,
    breakdown_value
"""


@dataclass(frozen=True)
class Origin:
    """A figure and where it comes from: `row` in words, `anchor` on its page."""

    level: str
    name: str
    group: str
    period: str
    value: float | None
    unit: str
    numerator: float | None
    denominator: float | None
    is_suppressed: bool
    value_min: float | None
    value_max: float | None
    row: str
    anchor: str


class Listing:
    """The figures of one release and indicator, for everybody or by one kind of group."""

    def __init__(self, lookup: Lookup, key: ListingKey) -> None:
        self.release_key, self.indicator_id, self.breakdown, self.is_of_trusts = key
        part = "" if self.breakdown == "all" else f"-{words.slug(self.breakdown)}{'-trusts' * self.is_of_trusts}"
        self.stem = (
            f"{lookup.release_page(self.release_key).removesuffix('.html')}/{words.slug(self.indicator_id)}{part}"
        )
        self.rows: list[Origin] = []
        self._taken: dict[str, None] = {}

    def new_anchor(self, level: str, code: str, group: str) -> str:
        """Return the anchor of the next row: the organisation for everybody's newest figure, else its place."""
        named = f"{level}-{words.slug(code)}"
        anchor = f"g{len(self.rows)}" if group or named in self._taken else named
        self._taken[anchor] = None
        return anchor

    @property
    def page(self) -> str:
        """Return the page, from the root."""
        return f"{self.stem}.html"

    @property
    def name(self) -> str:
        """Return what its links say: the kind of group, or that it is for everybody."""
        if self.breakdown == "all":
            return "rows"
        return f"by {words.label(self.breakdown).lower()}{' of each trust' * self.is_of_trusts}"


class Origins:
    """The listings of an edition, and the address of each figure in them."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.listings: dict[ListingKey, Listing] = {}
        self._anchors: dict[tuple[Any, ...], str] = {}
        self._trusts: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
        rows = lookup.edition.figures
        for row in rows:
            if row["level"] == "trust" and row["source_row"] is not None:
                self._trusts[(row["lms_code"], *_series(row))].append(row)
        for row in sorted(rows, key=lambda row: LEVELS.index(row["level"])):
            self._add(row)

    def _add(self, row: Record) -> None:
        key = _listing_key(row["release_key"], row["indicator_id"], row["breakdown"], row["level"])
        listing = self.listings.get(key) or self.listings.setdefault(key, Listing(self.lookup, key))
        group = "" if row["breakdown"] == "all" else row["breakdown_value"]
        anchor = listing.new_anchor(row["level"], row["code"], group)
        self._anchors[(*key, row["level"], row["code"], group, row["period_end"])] = anchor
        listing.rows.append(
            Origin(
                row["level"],
                row["name"] or row["code"],
                group,
                words.period(row),
                row["value"],
                row["unit"],
                row["numerator"],
                row["denominator"],
                row["is_suppressed"],
                row["value_min"],
                row["value_max"],
                self._row(row),
                anchor,
            )
        )

    def _row(self, row: Record) -> str:
        """Say which row or rows of the file a figure is."""
        if row["source_row"] is not None:
            more = (row["source_row_count"] or 1) - 1
            return f"{row['source_row']:,}" + (f" and {more} more of the same indicator" if more > 0 else "")
        if row["level"] == "lms":
            parts = self._trusts[(row["code"], *_series(row))]
            if parts:
                rows = ", ".join(f"{part['source_row']:,} ({part['code']})" for part in parts)
                return f"sum of {rows}"
            return (
                "sum over its local authorities: see the CSV below"
                if row["value"] is not None
                else "none: no row of it is there"
            )
        return "sum over its local maternity systems"

    def page(self, row: Value | Record) -> str:
        """Return the address of a shown figure's row, from the root; the page of its release where it has none."""
        get = row.get if isinstance(row, dict) else lambda name: getattr(row, name, None)
        release_key, breakdown = str(get("release_key")), get("breakdown") or "all"
        level, code = _organisation(get)
        key = _listing_key(release_key, str(get("indicator_id")), breakdown, level)
        listing = self.listings.get(key)
        if listing is None:
            return self.lookup.release_page(release_key)
        group = "" if breakdown == "all" else get("group") or get("breakdown_value")
        anchor = self._anchors.get((*key, level, code, group, get("period_end")))
        return f"{listing.page}#{anchor}" if anchor else listing.page

    def addresses(self) -> dict[str, list[tuple[str, list[str]]]]:
        """Return by release each page of its figures, with the anchor of each figure."""
        found: dict[str, list[tuple[str, list[str]]]] = {key: [] for key, *_ in self.listings}
        anchors: dict[ListingKey, list[str]] = defaultdict(list)
        for (release, indicator, breakdown, is_of_trusts, *figure), anchor in self._anchors.items():
            anchors[release, indicator, breakdown, is_of_trusts].append(f"{figure} {anchor}")
        for key, listing in self.listings.items():
            found[key[0]].append((listing.page, anchors[key]))
        return found

    def of_release(self, release_key: str) -> dict[str, list[Listing]]:
        """Return a release's listings by indicator, in the order of the indicators' names."""
        found: dict[str, list[Listing]] = defaultdict(list)
        for listing in self.listings.values():
            if listing.release_key == release_key:
                found[listing.indicator_id].append(listing)
        return dict(sorted(found.items(), key=lambda item: self.lookup.indicator_name(item[0]).lower()))

    def write_tables(self, connection: duckdb.DuckDBPyConnection, made: MadeFiles) -> None:
        """Write the CSV beside each listing: all its rows of the file, those of earlier periods too."""
        if not self.listings:
            return
        asked = [
            {
                "stem": listing.stem, "release_key": key[0], "indicator_id": key[1], "breakdown": key[2],
                "level": "trust" if key[3] else None,
                "is_england_only": all(row.level == "england" for row in listing.rows),
            }
            for key, listing in self.listings.items()
        ]  # fmt: skip
        connection.register("asked", pa.Table.from_pylist(asked))
        connection.execute(f"""
            create or replace temp table row_of_file as
            select
                observation.level, organisation_code, organisation_name, indicator_id, period_label, period_start,
                period_end, breakdown, breakdown_value, numerator, denominator, value, is_suppressed,
                list_contains(usage_warnings, 'synthetic') as is_synthetic, release_key, source_row, source_row_count,
                stem
            from core.fct_observation as observation
            inner join asked using (release_key, indicator_id, breakdown)
            where
                exclusion_rule is null
                and publisher_status is null
                and observation.level in ({", ".join(map(literal, PARTS))})
                and (not is_england_only or observation.level = 'england')
                and observation.level = coalesce(asked.level, observation.level)
        """)
        columns = rows_as(safe_columns(connection.sql("select * exclude (stem) from row_of_file")))
        order = f"{KEY}, source_row, breakdown_value, period_start, period_end, level, organisation_code"
        parts = Parts(connection, f"select * exclude (stem), stem as {KEY} from row_of_file", order)
        parts.write(made, Files("csv", lambda stem: stem, columns))
        connection.unregister("asked")


def _listing_key(release_key: str, indicator_id: str, breakdown: str, level: str | None) -> ListingKey:
    """Return the listing of a figure; by group those of trusts, who are many, stand apart."""
    return (release_key, indicator_id, breakdown, breakdown != "all" and level == "trust")


def _series(row: Record) -> tuple[Any, ...]:
    names = ("indicator_id", "source_id", "period_start", "period_end", "breakdown", "breakdown_value")
    return tuple(row[name] for name in names)


def _organisation(get: Any) -> tuple[str | None, str | None]:
    """Return level and code of whoever a row is about, in each of the shapes that marts have."""
    if get("trust_code"):
        return "trust", get("trust_code")
    return get("level"), get("code") or get("organisation_code")
