"""What the workbooks show, read from an edition in a few queries for all LMSs at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from perinatal.sql import literals
from publish import marts
from publish.portal import page_queries
from publish.portal import wording as words
from publish.portal.answers import EVERY_FIGURE, Answers
from publish.portal.model import Record, SeriesKey, Value
from publish.portal.reader import Reader
from publish.portal.rows import NOT_COMPARED, is_empty
from publish.portal.topics import ORDER, OUTCOME, PROCESS, topic_of

POINTS: Final = 12  # of a sparkline
CHANGES_SHOWN: Final = 200

# the last points of each LMS, of the newest value's period length: months and years never stand in one line
SERIES = f"""
with
    newest as (
        select code, source_id, indicator_id, arg_max(months_covered, (period_end, period_start)) as months_covered
        from headline
        where level = 'lms'
        group by all
    ),
    last_points as (
        select code, source_id, indicator_id, period_start, value
        from headline
        inner join newest using (code, source_id, indicator_id, months_covered)
        where level = 'lms'
        qualify
            row_number() over (partition by code, source_id, indicator_id order by period_start desc) <= {POINTS}
    )
select code, indicator_id, source_id, list(value order by period_start) as points
from last_points
group by all
"""

POSITIONS = f"select * from ({page_queries.POSITIONS}) where level = 'lms'"

ATTENTION = """
select *
from marts.attention
order by lms_code, level, array_position(['death', 'harm', 'outcome', 'process'], tier), rank, organisation_code
"""

# the groups of the newest period of each breakdown; a set without any group that differs comes last
INEQUALITY = f"""
select
    *,
    coalesce(ratio_lower_95 > 1 or ratio_upper_95 < 1, false) as differs,
    bool_or(coalesce(ratio_lower_95 > 1 or ratio_upper_95 < 1, false)) over one_set as any_differs
from ({page_queries.INEQUALITY})
where level = 'lms' and indicator_id in (select indicator_id from headline)
window one_set as (partition by organisation_code, indicator_id, source_id, breakdown)
order by organisation_code, not any_differs, indicator_name, indicator_id, source_id, breakdown, "group"
"""

# what is not merely new, row by row; what is new, counted by indicator
CHANGES = f"""
with
    listed as (
        select
            lms_code, source_id, indicator_id, organisation_name, period_label, period_end, months_covered,
            breakdown_value, change, reason, changed_columns, old_value, new_value, 1 as figures
        from marts.edition_change
        where change <> 'added'
        qualify
            row_number() over (
                partition by lms_code
                order by mart, source_id, indicator_id, organisation_code, period_start, breakdown, breakdown_value
            )
            <= {CHANGES_SHOWN}
    ),
    new as (
        select lms_code, source_id, indicator_id, change, reason, count(*)::integer as figures
        from marts.edition_change
        where change = 'added'
        group by all
    )
select changed.*, indicator.indicator_name, indicator.unit
from (select * from listed union all by name select * from new) as changed
left join core.dim_indicator as indicator using (indicator_id)
where lms_code is not null
order by
    lms_code, change = 'added', indicator_name, indicator_id, source_id, organisation_name, period_end,
    breakdown_value, change, reason, period_label, old_value, new_value
"""

MISSING = f"""
select completeness.*, trusts.name as trust_name
from quality.org_completeness as completeness
left join core.dim_organisation as trusts
    on trusts.code = completeness.trust_code and trusts.level = 'trust' and trusts.valid_to = {page_queries.FAR}
where is_missing_now
order by lms_code, source_id, dataset, period_months, trust_code
"""


@dataclass(frozen=True)
class Line:
    """An indicator of one source: the LMS's newest value and those of its trusts for the same time, by code."""

    any: Value
    own: Value | None
    trusts: dict[str, Value]
    points: Sequence[float | None]
    position: Record | None

    @property
    def values(self) -> Iterable[Value]:
        """Return all values of the line."""
        return [*([self.own] if self.own else []), *self.trusts.values()]


class Figures:
    """The figures of all LMSs of one edition. A table that the edition does not hold gives nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        reader = Reader(connection)
        self.indicators = {row["indicator_id"]: row for row in reader.rows("select * from core.dim_indicator")}
        self.releases = {row["release_key"]: row for row in reader.rows("select * from core.dim_release")}
        self.warnings = {row["usage_warning"]: row["says"] for row in reader.all_of("reference.usage_warning", "rowid")}
        self.publishers = {row["source_id"]: words.short_publisher(row["publisher"]) for row in self.releases.values()}
        _make_headline(connection, reader, [name for name, about in self.indicators.items() if _is_shown(name, about)])
        self.values: dict[SeriesKey, Value] = {}
        for row in reader.rows(page_queries.NEWEST):
            value = Value(**row)
            self.values[value.key] = value
        self.series: dict[tuple[str, str, str], list[float | None]] = {
            (row["code"], row["indicator_id"], row["source_id"]): row["points"] for row in reader.rows(SERIES)
        }
        self.positions = {
            (row["organisation_code"], row["indicator_id"], row["source_id"]): row
            for row in reader.rows(POSITIONS, "marts.ambition_position")
        }
        self.answers = Answers(reader.annotations())
        self.attention = _by_lms(reader.rows(ATTENTION, "marts.attention"))
        self.inequality = _by_lms(reader.rows(INEQUALITY, "marts.inequality"))
        self.changes = _by_lms(reader.rows(CHANGES, "marts.edition_change"))
        self.missing = _by_lms(reader.rows(MISSING, "quality.org_completeness"))
        self._of_lms: dict[str, dict[tuple[str, str], list[Value]]] = defaultdict(dict)
        for value in self.values.values():
            if value.lms_code and not is_empty(value):
                self._of_lms[value.lms_code].setdefault((value.indicator_id, value.source_id), []).append(value)

    def publisher(self, source_id: str) -> str:
        """Return the letters of a source's publisher; those of figures inside another source's file."""
        return self.publishers.get(source_id) or source_id.upper()

    def answered(self, line: Line) -> str:
        """Return what the LMS and its trusts say to a line's figures, each with who and when."""
        return "; ".join(words.answered(row) for value in line.values for row in self.answers.beside(value))

    def answers_to_all(self, lms_code: str) -> list[Record]:
        """Return what the LMS and its trusts say to every figure of theirs."""
        return [row for row in self.answers.about(EVERY_FIGURE) if row["lms_code"] == lms_code]

    def lines(self, lms_code: str, kind: str) -> list[Line]:
        """Return the indicators of a kind that an LMS or a trust of it has figures of, by topic and name."""
        found = [self._line(lms_code, values) for values in self._of_lms[lms_code].values()]
        of_kind = [line for line in found if topic_of(line.any.indicator_id).kind == kind]
        return sorted(of_kind, key=_order)

    def _line(self, lms_code: str, values: Sequence[Value]) -> Line:
        newest = max(value.period_end for value in values)
        current = [value for value in values if value.period_end == newest]
        own = next((value for value in current if value.level == "lms"), None)
        some = own or current[0]
        key = (lms_code, some.indicator_id, some.source_id)
        position = self.positions.get(key)
        return Line(
            any=some,
            own=own,
            trusts={value.code: value for value in current if value.level == "trust"},
            points=self.series.get(key, []) if own else [],
            position=position if position and position["period_end"] == newest else None,
        )


def _is_shown(indicator_id: str, about: Record) -> bool:
    """Whether workbooks show an indicator: a rate, proportion or ratio of an outcome or a part of care."""
    return about["statistic"] not in NOT_COMPARED and topic_of(indicator_id).kind in (OUTCOME, PROCESS)


def _make_headline(connection: duckdb.DuckDBPyConnection, reader: Reader, indicators: Sequence[str]) -> None:
    """Put LMSs' and trusts' values for everybody under the name that the pages' queries know."""
    levels = [level for level in ("lms", "trust") if reader.has(marts.BY_LEVEL[level].table)]
    parts = " union all ".join(page_queries.headline(level, marts.BY_LEVEL[level]) for level in levels)
    connection.execute(
        f"create or replace temp table headline as select * from ({parts}) "
        f"where indicator_id in ({literals(indicators) or 'null'})"
    )


def _order(line: Line) -> tuple[int, str, str, str]:
    value = line.any
    return (ORDER[topic_of(value.indicator_id)], value.indicator_name, value.indicator_id, value.source_id)


def _by_lms(rows: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        found[row["lms_code"]].append(row)
    return found
