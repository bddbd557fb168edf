"""The pages of an LMS and of a trust: what stands out, where it stands, its figures, its pictures, its gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from publish.portal import charts
from publish.portal import wording as words
from publish.portal.charts import Point
from publish.portal.funnels import Funnel
from publish.portal.lookup import ENGLAND, Lookup, point, series_point, span_of
from publish.portal.model import Record, Value

MOST_STANDING_OUT = 14
MOST_SIDE_BY_SIDE = 40
MOST_FUNNELS = 3
MOST_CHARTS = 6
MOST_GROUPS = 60
FEWEST_POINTS = 3  # two points are no course: the tables' small lines show them


@dataclass(frozen=True)
class Notable:
    """One thing that stands out: a tag, who, which indicator, and the sentence that says why."""

    tag: str
    look: str
    value_of: str
    page: str | None
    indicator_id: str
    sentence: str
    order: tuple[int, str, str]


@dataclass(frozen=True)
class Gap:
    """Trusts that are missing from the newest figures of a source."""

    figures: str
    trusts: Sequence[Record]
    last_seen: date | None

    @property
    def since(self) -> str:
        """Say when the last of them was seen."""
        return f"; last seen in the period to {words.day(self.last_seen)}" if self.last_seen else ""


@dataclass(frozen=True)
class Picture:
    """A chart with its heading, key, table, and where its numbers come from."""

    heading: str
    svg: Markup
    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    release_keys: Sequence[str]
    note: str = ""
    indicator_id: str = ""


class OrganisationViews:
    """Builds what the templates `lms.html` and `trust.html` show."""

    def __init__(self, lookup: Lookup, funnels: dict[tuple[str, str], Funnel]) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.funnels = funnels
        self.spans = {
            key: _capped_span(values) for key, values in lookup.by_indicator.items() if key[0] in ("lms", "trust")
        }
        missing = [row for row in self.edition.completeness if row.get("is_missing_now")]
        # told once a publisher, however many of its datasets it is
        self.missing = list({(row["source_id"], row["trust_code"]): row for row in missing}.values())

    def lms(self, lms: Record) -> dict[str, Any]:
        """Return the context of an LMS page."""
        code = lms["lms_code"]
        trusts = self.lookup.trusts_of[code]
        values = self.lookup.by_organisation["lms", code]
        everybody = [*values, *(v for t in trusts for v in self.lookup.by_organisation["trust", t["code"]])]
        return {
            "lms": lms,
            "trusts": trusts,
            "notable": self.standing_out(everybody, self.gaps("lms_code", code)),
            "positions": self.lookup.positions["lms", code],
            "tables": self.tables(values),
            "side_by_side": self.side_by_side(trusts),
            "funnels": self.funnel_pictures({trust["code"] for trust in trusts}),
            "charts": self.charts("lms", code, values),
            "inequality": self.inequality("lms", code),
            "incomplete": _by_gap(value for value in values if value.is_complete is False),
            "missing": self.gaps("lms_code", code),
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
            "notable": self.standing_out(values, self.gaps("trust_code", code)),
            "positions": self.lookup.positions["trust", code],
            "board": self.edition.board.get(code, []),
            "tables": self.tables(values),
            "funnels": self.funnel_pictures({code}),
            "charts": self.charts("trust", code, values),
            "inequality": self.inequality("trust", code),
            "compliance": self.edition.compliance.get(code, []),
            "missing": self.gaps("trust_code", code),
        }

    def gaps(self, column: str, code: str) -> list[Gap]:
        """Return which trusts are missing from the newest figures of a source, one gap a source and cadence."""
        return self._gaps(row for row in self.missing if row.get(column) == code)

    def all_gaps(self) -> list[Gap]:
        """Return which trusts are missing from the newest figures of a source."""
        return self._gaps(self.missing)

    def _gaps(self, missing: Iterable[Record]) -> list[Gap]:
        found: dict[tuple[str, int], list[Record]] = {}
        for row in missing:
            found.setdefault((row["source_id"], row.get("period_months") or 0), []).append(row)
        return [self._gap(source, months, rows) for (source, months), rows in sorted(found.items())]

    def _gap(self, source: str, months: int, rows: Sequence[Record]) -> Gap:
        seen = [row["newest_reported"] for row in rows if row["newest_reported"]]
        cadence = words.cadence(months)
        return Gap(
            figures=f"newest {cadence} figures of {self.lookup.publisher(source)}".replace("  ", " "),
            trusts=[self.edition.trusts.get(r["trust_code"], {"code": r["trust_code"], "name": None}) for r in rows],
            last_seen=max(seen, default=None),
        )

    def tables(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        """Return the values by publisher, each with its small pictures."""
        found: dict[str, list[dict[str, Any]]] = {}
        empty: dict[str, list[Value]] = {}
        for value in values:
            series = self.edition.series.get(value.key, [])
            span = self.spans.get((value.level, value.indicator_id, value.source_id), (0.0, 1.0))
            if _says_nothing(value):
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

    # --- what stands out

    def standing_out(self, values: Iterable[Value], missing: Sequence[Gap]) -> dict[str, Any]:
        """Return signals, values worse or better than their comparator, worsening trends, missing trusts."""
        found = [notable for value in values for notable in self._notables(value)]
        found += [_missing(gap) for gap in missing]
        found.sort(key=lambda notable: notable.order)
        return {"shown": found[:MOST_STANDING_OUT], "more": max(0, len(found) - MOST_STANDING_OUT), "asked": True}

    def _notables(self, value: Value) -> Iterable[Notable]:
        yield from self._signals(value)
        if not self.lookup.may_stand_out(value):
            return
        if value.comparison in ("worse", "better") and value.value is not None:
            strength = "even its 99.8% interval lies" if value.direction_998 else "its whole 95% interval lies"
            side = "above" if value.value > (value.comparator_value or 0) else "below"
            yield self._notable(
                value,
                words.label(value.comparison),
                value.comparison,
                f"{words.with_unit(value.value, value.unit)} ({words.interval(value)}) in {value.period_label}: "
                f"{strength} {side} {_against(value)}",
                {"worse": 2, "better": 6}[value.comparison] - (1 if value.direction_998 else 0),
            )
        if value.recent_trend in ("worse", "better"):
            yield self._notable(
                value,
                words.TREND_WORDS[value.recent_trend],
                value.recent_trend,
                f"over the last five points, to {words.with_unit(value.value, value.unit)} in {value.period_label}",
                {"worse": 3, "better": 7}[value.recent_trend],
            )

    def _signals(self, value: Value) -> Iterable[Notable]:
        points = self.edition.signals.get(value.key)
        if not points:
            return
        last = points[-1]
        if last.get("cusum_signal"):
            yield self._notable(
                value,
                f"{words.label(last['cusum_signal'])} signal",
                last["cusum_signal"],
                f"the events up to {last['period_label']} point to a doubling of England's rate (CUSUM)",
                0,
            )
        if last.get("point_type") == "special_cause_concern":
            yield self._notable(
                value, "Concern", "worse", f"special cause in {last['period_label']}: {last['special_cause_type']}", 2
            )

    def _notable(self, value: Value, tag: str, look: str, sentence: str, rank: int) -> Notable:
        page = f"trust/{words.slug(value.code)}.html" if value.level == "trust" else None
        order = (rank * 10 + self.lookup.importance(value)[0], value.indicator_name, value.name)
        return Notable(tag, words.tag_look(look), value.name, page, value.indicator_id, sentence, order)

    # --- pictures

    def funnel_pictures(self, codes: set[str]) -> list[Picture]:
        """Return the funnels of the most important indicators in which one of these trusts has a point."""
        wanted = [funnel for funnel in self.funnels.values() if any(row["code"] in codes for row in funnel.points)]
        wanted.sort(key=self._funnel_order)
        return [self.funnel_picture(funnel, codes) for funnel in wanted[:MOST_FUNNELS]]

    def _funnel_order(self, funnel: Funnel) -> tuple[int, str, str]:
        about = self.edition.indicators[funnel.indicator_id]
        return (0 if about.get("ambition_id") else 1, funnel.source_id, funnel.indicator_id)

    def funnel_picture(self, funnel: Funnel, codes: set[str]) -> Picture:
        """Return a funnel with some trusts named."""
        own = [row for row in funnel.points if row["code"] in codes]
        others = [(row["denominator"], row["value"]) for row in funnel.points if row["code"] not in codes]
        name = self.lookup.indicator_name(funnel.indicator_id)
        low, high = (words.number(end, funnel.unit) for end in funnel.limits.baseline)
        baseline = f"between {low} and {high} (bounds)" if funnel.is_bounded else low
        outside = words.listing([f"{row['name']} ({row['significance'].lower()})" for row in funnel.outside]) or "none"
        alternative = (
            f"Funnel plot: {name}, {funnel.period_label}, {len(funnel.points)} trusts by {funnel.denominator.lower()}. "
            f"England {baseline}{_unit(funnel.unit)}. Outside the 99.8% limits: {outside}."
        )
        return Picture(
            heading=f"{name}, {funnel.period_label}",
            svg=charts.funnel(
                funnel.limits,
                others,
                [(row["denominator"], row["value"], row["code"]) for row in own],
                funnel.unit,
                funnel.denominator,
                alternative,
            ),
            key="funnel",
            columns=("Trust", funnel.denominator, "Number", f"Value ({funnel.unit})", "Against the limits"),
            rows=[
                (
                    f"{row['name']} ({row['code']})",
                    words.counted(row["denominator"]),
                    words.counted(row["numerator"]),
                    words.number(row["value"], row["unit"]),
                    row["significance"],
                )
                for row in own
            ],
            release_keys=sorted({row["release_key"] for row in own or funnel.points}),
            note=_funnel_note(funnel, baseline),
            indicator_id=funnel.indicator_id,
        )

    def charts(self, level: str, code: str, values: Sequence[Value]) -> list[Picture]:
        """Return charts over time: SPC where the edition has one (concerns first), else the trend of what matters."""
        found: list[tuple[tuple[int, int], Picture]] = []
        for place, value in enumerate(values):
            signal = self.edition.signals.get((level, code, value.indicator_id, value.source_id))
            series = self.edition.series.get(value.key, [])
            if signal:
                concern = signal[-1].get("point_type") == "special_cause_concern"
                found.append(((0 if concern else 1, place), self.spc_picture(value, signal)))
            elif sum(row["value"] is not None or row["min"] is not None for row in series) >= FEWEST_POINTS:
                found.append(((1, place), self.trend_picture(value, series)))
        found.sort(key=lambda item: item[0])
        return [picture for _, picture in found[:MOST_CHARTS]]

    def trend_picture(self, value: Value, series: Sequence[Record]) -> Picture:
        """Return values over time with intervals, beside what they are compared with."""
        england = {
            row["start"]: row["value"]
            for row in self.edition.series.get((*ENGLAND, value.indicator_id, value.source_id), [])
        }
        compare = [row["comparator"] if row["comparator"] is not None else england.get(row["start"]) for row in series]
        points = [series_point(row) for row in series]
        name = f"{value.indicator_name}: {self.lookup.publisher(value.source_id)}"
        return Picture(
            heading=name,
            svg=charts.trend(points, compare, value.unit, _trend_words(value, points)),
            key="trend",
            columns=("Period", f"Value ({value.unit})", "95% interval", "Number", "Denominator", "Compared with"),
            rows=[_series_row(row, against, value.unit) for row, against in zip(series, compare, strict=True)],
            release_keys=list(dict.fromkeys(row["release_key"] for row in series)),
            indicator_id=value.indicator_id,
        )

    def spc_picture(self, value: Value, signal: Sequence[Record]) -> Picture:
        """Return an XmR chart from `marts.signal`."""
        last = signal[-1]
        points = [Point(row["period_label"], row["value"], kind=row.get("point_type") or "") for row in signal]
        limits = (last.get("lower_process_limit"), last.get("process_mean"), last.get("upper_process_limit"))
        special = [row["period_label"] for row in signal if (row.get("point_type") or "").startswith("special")]
        alternative = (
            f"SPC chart: {value.indicator_name}, {value.name}, {signal[0]['period_label']} to {last['period_label']}. "
            f"Newest {words.with_unit(last['value'], value.unit)}; mean {words.number(limits[1], value.unit)}. "
            f"Special causes: {words.listing(special) or 'none'}."
        )
        notes = [words.SPC_WORDS.get(last.get("point_type") or "", "")]
        notes += [words.ASSURANCE_WORDS.get(last.get("assurance") or "", "")]
        notes += ["Fewer than 13 points: the limits are provisional." if last.get("is_short_series") else ""]
        return Picture(
            heading=f"{value.indicator_name}: {self.lookup.publisher(value.source_id)}",
            svg=charts.spc(points, limits, last.get("target"), value.unit, alternative),
            key="spc",
            columns=("Period", f"Value ({value.unit})", "Special cause"),
            rows=[
                (row["period_label"], words.number(row["value"], value.unit), row.get("special_cause_type") or "")
                for row in signal
            ],
            release_keys=list(dict.fromkeys(row["release_key"] for row in signal)),
            note=". ".join(note.rstrip(".") for note in notes if note) + ".",
            indicator_id=value.indicator_id,
        )

    def inequality(self, level: str, code: str) -> dict[str, Any]:
        """Return the rates by ethnicity and deprivation, most unequal indicator first."""
        rows = self.edition.inequality.get((level, code), [])
        return {"rows": rows[:MOST_GROUPS], "left_out": max(0, len(rows) - MOST_GROUPS)}


def _says_nothing(value: Value) -> bool:
    """Whether a row holds no number at all: such values are named in one line below the table."""
    numbers = (value.value, value.value_min, value.value_max, value.adjusted_value)
    return not value.is_suppressed and all(number is None for number in numbers)


def _by_gap(values: Iterable[Value]) -> list[dict[str, Any]]:
    """Return values by release, period and why they are incomplete: one line says it for all of them."""
    found: dict[tuple[str, str, str], list[Value]] = {}
    for value in values:
        found.setdefault((value.release_key, value.period_label, words.why_no_value(value)), []).append(value)
    return [{"any": group[0], "why": why, "values": group} for (_, _, why), group in found.items()]


def _against(value: Value) -> str:
    return f"{words.comparator_name(value)} ({words.number(value.comparator_value, value.unit)})"


def _missing(gap: Gap) -> Notable:
    names = [str(trust["name"] or trust["code"]) for trust in gap.trusts]
    page = f"trust/{words.slug(gap.trusts[0]['code'])}.html" if len(names) == 1 and gap.trusts[0]["name"] else None
    told = names[0] if len(names) == 1 else words.listing([words.without_nhs(name) for name in names])
    sentence = f"missing from the {gap.figures}{gap.since}"
    return Notable("Missing", "tag-grey", told, page, "", sentence, (45, gap.figures, told))


def _capped_span(values: list[Value]) -> tuple[float, float]:
    """Return a scale that a few tiny trusts with huge intervals do not squeeze: at most three times the comparator."""
    low, high = span_of(values)
    compare = [value.comparator_value for value in values if value.comparator_value]
    middle = [value.value for value in values if value.value]
    ceilings = [3 * max(compare)] if compare else []
    return (low, max(min([high, *ceilings]), max(middle, default=0.0)) or 1.0)


def _unit(unit: str) -> str:
    return unit if unit == "%" else f" {unit}"


def _funnel_note(funnel: Funnel, baseline: str) -> str:
    kind = "allowing for over-dispersion" if funnel.over_dispersed else "not allowing for over-dispersion"
    note = f"England: {baseline}{_unit(funnel.unit)}. Limits at 95% and 99.8%, {kind}."
    if funnel.is_bounded:
        note += (
            " A masked trust leaves England incomplete: the lower limits belong to the lower bound, the upper limits"
        )
        note += " to the upper."
    if funnel.skipped:
        note += f" {words.plural(funnel.skipped, 'trust')} not drawn: masked, withheld or without counts."
    return note + " Crude rates: no allowance for how ill the women and babies are whom a trust cares for."


def _trend_words(value: Value, points: Sequence[Point]) -> str:
    known = [point for point in points if point.value is not None]
    told = f"Chart over time: {value.indicator_name}, {value.name}. "
    if known:
        first, last = known[0], known[-1]
        told += (
            f"{words.with_unit(first.value, value.unit)} in {first.label}, "
            f"{words.with_unit(last.value, value.unit)} in {last.label}. "
        )
    if len(known) < len(points):
        told += f"{words.plural(len(points) - len(known), 'period')} without a value. "
    return told + f"Recent trend: {words.TREND_WORDS.get(value.recent_trend or '', 'not given').lower()}."


def _series_row(row: Record, against: float | None, unit: str) -> Sequence[str]:
    if row["value"] is not None:
        shown = words.number(row["value"], unit)
    elif row["masked"]:
        shown = "Masked"
    elif row["min"] is not None and row["max"] is not None:
        shown = f"Between {words.number(row['min'], unit)} and {words.number(row['max'], unit)}"
    else:
        shown = "No value"
    ends = (row["lower"], row["upper"])
    span = "" if None in ends else " to ".join(f"{e:.1f}" if row["withheld"] else words.number(e, unit) for e in ends)
    return (
        row["label"],
        shown,
        span,
        words.counted(row["numerator"]),
        words.counted(row["denominator"]),
        words.number(against, unit),
    )
