"""The pages of an LMS and of a trust: what stands out, where it stands, its figures, its pictures, its gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from publish.portal import charts
from publish.portal import wording as words
from publish.portal.gaps import Gaps
from publish.portal.lookup import Lookup, point, span_of
from publish.portal.model import Record, Value
from publish.portal.pictures import Pictures
from publish.portal.standing_out import StandingOut

MOST_SIDE_BY_SIDE = 40
MOST_GROUPS = 60


class OrganisationViews:
    """Builds what the templates `lms.html` and `trust.html` show."""

    def __init__(self, lookup: Lookup, pictures: Pictures, gaps: Gaps) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.pictures = pictures
        self.gaps = gaps
        self.standing_out = StandingOut(lookup)
        self.spans = {
            key: _capped_span(values) for key, values in lookup.by_indicator.items() if key[0] in ("lms", "trust")
        }

    def lms(self, lms: Record) -> dict[str, Any]:
        """Return the context of an LMS page."""
        code = lms["lms_code"]
        trusts = self.lookup.trusts_of[code]
        values = self.lookup.by_organisation["lms", code]
        everybody = [*values, *(v for t in trusts for v in self.lookup.by_organisation["trust", t["code"]])]
        return {
            "lms": lms,
            "trusts": trusts,
            "notable": self.standing_out.among(everybody, self.gaps.of("lms_code", code)),
            "positions": self.lookup.positions["lms", code],
            "tables": self.tables(values),
            "side_by_side": self.side_by_side(trusts),
            "funnels": self.pictures.funnels_with({trust["code"] for trust in trusts}),
            "charts": self.pictures.over_time("lms", code, values),
            "inequality": self.inequality("lms", code),
            "incomplete": _by_gap(value for value in values if value.is_incomplete),
            "missing": self.gaps.of("lms_code", code),
            "changes": [row for row in self.edition.change_counts if row["lms_code"] == code],
        }

    def trust(self, trust: Record) -> dict[str, Any]:
        """Return the context of a trust page."""
        code = trust["code"]
        values = self.lookup.by_organisation["trust", code]
        lms = next((row for row in self.edition.lms if row["lms_code"] == trust["lms_code"]), None)
        return {
            "trust": trust,
            "lms": lms,
            "notable": self.standing_out.among(values, self.gaps.of("trust_code", code)),
            "positions": self.lookup.positions["trust", code],
            "board": self.edition.board.get(code, []),
            "tables": self.tables(values),
            "funnels": self.pictures.funnels_with({code}),
            "charts": self.pictures.over_time("trust", code, values),
            "inequality": self.inequality("trust", code),
            "compliance": self.edition.compliance.get(code, []),
            "missing": self.gaps.of("trust_code", code),
        }

    def tables(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        """Return the values by publisher, each with its small pictures."""
        found: dict[str, list[dict[str, Any]]] = {}
        empty: dict[str, list[Value]] = {}
        for value in values:
            series = self.edition.series.get(value.key, [])
            span = self.spans.get((value.level, value.indicator_id, value.source_id), (0.0, 1.0))
            if _is_empty(value):
                empty.setdefault(value.source_id, []).append(value)
                continue
            found.setdefault(value.source_id, []).append(
                {
                    "value": value,
                    "whisker": charts.whisker(point(value), value.comparator_value, span),
                    "spark": charts.spark([row["value"] for row in series]),
                }
            )
        return [
            {
                "source_id": source,
                "rows": found.get(source, []),
                "empty": _by_gap(empty.get(source, [])),
                "has_adjusted": any(row["value"].adjusted_value is not None for row in found.get(source, [])),
                "warnings": sorted({word for row in found.get(source, []) for word in row["value"].usage_warnings}),
            }
            for source in dict.fromkeys([*found, *empty])
        ]

    def side_by_side(self, trusts: Sequence[Record]) -> dict[str, Any]:
        """Return the trusts' newest values as a table: a row an indicator, a column a trust."""
        rows: dict[tuple[str, str], dict[str, Value]] = {}
        for trust in trusts:
            for value in self.lookup.by_organisation["trust", trust["code"]]:
                rows.setdefault((value.indicator_id, value.source_id), {})[trust["code"]] = value
        ordered = sorted(rows.items(), key=lambda item: self.lookup.importance(next(iter(item[1].values()))))
        return {
            "rows": [
                {
                    "any": max(cells.values(), key=lambda value: value.period_end),
                    "cells": [cells.get(trust["code"]) for trust in trusts],
                }
                for _, cells in ordered[:MOST_SIDE_BY_SIDE]
            ],
            "left_out": max(0, len(ordered) - MOST_SIDE_BY_SIDE),
        }

    def inequality(self, level: str, code: str) -> dict[str, Any]:
        """Return the rates by ethnicity and deprivation, most unequal indicator first."""
        rows = self.edition.inequality.get((level, code), [])
        return {"rows": rows[:MOST_GROUPS], "left_out": max(0, len(rows) - MOST_GROUPS)}


def _is_empty(value: Value) -> bool:
    """Whether a row holds no number at all: such values are named in one line below the table."""
    numbers = (value.value, value.value_min, value.value_max, value.adjusted_value)
    return not value.is_suppressed and all(number is None for number in numbers)


def _by_gap(values: Iterable[Value]) -> list[dict[str, Any]]:
    """Return values by release, period and why they are incomplete: one line says it for all of them."""
    found: dict[tuple[str, str, str], list[Value]] = {}
    for value in values:
        found.setdefault((value.release_key, value.period_label, words.why_no_value(value)), []).append(value)
    return [{"any": group[0], "why": why, "values": group} for (_, _, why), group in found.items()]


def _capped_span(values: list[Value]) -> tuple[float, float]:
    """Return a scale that a few tiny trusts with huge intervals do not squeeze: at most three times the comparator."""
    low, high = span_of(values)
    compare = [value.comparator_value for value in values if value.comparator_value]
    middle = [value.value for value in values if value.value]
    ceilings = [3 * max(compare)] if compare else []
    return (low, max(min([high, *ceilings]), max(middle, default=0.0)) or 1.0)
