"""The charts of the pages, each with heading, key, table and sources: funnels, trends, SPC charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from perinatal import charts
from perinatal.charts import Point
from publish.portal import wording as words
from publish.portal.funnels import Funnel
from publish.portal.lookup import ENGLAND, Lookup
from publish.portal.model import Record, Value
from publish.portal.points import against_the_limits, of_funnel, of_series, of_signal

MOST_FUNNELS = 3
MOST_CHARTS = 3
FEWEST_POINTS = 3  # two points are no course: the tables' small lines show them


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


@dataclass(frozen=True)
class Drawn:
    """The drawing of a funnel, the place of each trust in it, and the places of those outside the 99.8% limits."""

    drawing: charts.Funnel
    places: dict[str, int]
    outside: Sequence[int]


class Pictures:
    """Draws the charts of one edition."""

    def __init__(self, lookup: Lookup, funnels: dict[tuple[str, str], Funnel]) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.funnels = funnels
        self._drawings: dict[tuple[str, str], Drawn] = {}

    def funnels_with(self, codes: set[str]) -> list[Picture]:
        """Return the funnels of the most important indicators in which one of these trusts has a point."""
        found = [key for key in self._by_importance if not codes.isdisjoint(self._drawn(key).places)]
        return [self.funnel(self.funnels[key], codes) for key in found[:MOST_FUNNELS]]

    @cached_property
    def _by_importance(self) -> list[tuple[str, str]]:
        return sorted(self.funnels, key=lambda key: self._funnel_order(self.funnels[key]))

    def _funnel_order(self, funnel: Funnel) -> tuple[int, str, str]:
        about = self.edition.indicators[funnel.indicator_id]
        return (0 if about.get("ambition_id") else 1, funnel.source_id, funnel.indicator_id)

    def _drawn(self, key: tuple[str, str]) -> Drawn:
        """Return the drawing of a funnel, made once for all the pages that it stands on."""
        if key not in self._drawings:
            funnel = self.funnels[key]
            rows = sorted(funnel.points, key=lambda row: (row["denominator"], row["code"]))
            outside = {row["code"] for row in funnel.outside}
            points = [(row["denominator"], of_funnel(row)) for row in rows]
            self._drawings[key] = Drawn(
                charts.Funnel(funnel.limits, points, funnel.unit, funnel.denominator),
                {row["code"]: place for place, row in enumerate(rows)},
                [place for place, row in enumerate(rows) if row["code"] in outside],
            )
        return self._drawings[key]

    def funnel(self, funnel: Funnel, codes: set[str]) -> Picture:
        """Return a funnel with some trusts marked and named, and those outside the 99.8% limits named."""
        drawn = self._drawn((funnel.source_id, funnel.indicator_id))
        own = [row for row in funnel.points if row["code"] in codes]
        name = self.lookup.indicator_name(funnel.indicator_id)
        low, high = (words.number(end, funnel.unit) for end in funnel.limits.baseline)
        baseline = f"between {low} and {high} (bounds)" if funnel.is_bounded else low
        outside = words.listing([f"{row['name']} ({against_the_limits(row)})" for row in funnel.outside]) or "none"
        alternative = (
            f"Funnel plot: {name}, {funnel.period}, {len(funnel.points)} trusts by {funnel.denominator.lower()}. "
            f"England {baseline}{words.unit_after(funnel.unit)}. Outside the 99.8% limits: {outside}."
        )
        return Picture(
            heading=f"{name}, {funnel.period}",
            svg=drawn.drawing.picture({drawn.places[row["code"]] for row in own}, drawn.outside, alternative),
            key="funnel",
            columns=("Trust", funnel.denominator, "Number", f"Value ({funnel.unit})", "Against the limits"),
            rows=[
                (
                    f"{row['name']} ({row['code']})",
                    words.counted(row["denominator"]),
                    words.counted(row["numerator"]),
                    words.number(row["value"], row["unit"]),
                    against_the_limits(row),
                )
                for row in own
            ],
            release_keys=sorted({row["release_key"] for row in own or funnel.points}),
            note=_funnel_note(funnel, baseline),
            indicator_id=funnel.indicator_id,
        )

    def over_time(self, level: str, code: str, value: Value) -> list[Picture]:
        """Return the chart over time of a value: SPC where the edition has one, else the trend of three periods."""
        signal = self.edition.signals.get((level, code, value.indicator_id, value.source_id))
        return [self.spc(value, signal)] if signal else self.trends([value])

    def spc_charts(self, level: str, code: str, values: Sequence[Value]) -> list[Picture]:
        """Return the SPC charts of an organisation, those whose newest point is of concern first."""
        found: list[tuple[bool, Value, Sequence[Record]]] = []
        for value in values:
            signal = self.edition.signals.get((level, code, value.indicator_id, value.source_id))
            if signal:
                found.append((signal[-1].get("point_type") != "special_cause_concern", value, signal))
        found.sort(key=lambda item: item[0])
        return [self.spc(value, signal) for _, value, signal in found[:MOST_CHARTS]]

    def trends(self, values: Sequence[Value]) -> list[Picture]:
        """Return charts over time of those values that have at least three periods."""
        found = []
        for value in values:
            series = self.edition.series.get(value.key, [])
            if sum(row["value"] is not None or row["min"] is not None for row in series) >= FEWEST_POINTS:
                found.append(self.trend(value, series))
        return found

    def trend(self, value: Value, series: Sequence[Record]) -> Picture:
        """Return values over time with intervals, beside what they are compared with."""
        england = {
            row["start"]: row["value"]
            for row in self.edition.series.get((*ENGLAND, value.indicator_id, value.source_id), [])
        }
        compare = [row["comparator"] if row["comparator"] is not None else england.get(row["start"]) for row in series]
        pages = self.lookup.release_page
        points = [of_series(row, value.name, value.unit, pages(row["release_key"])) for row in series]
        name = f"{value.indicator_name}: {self.lookup.publisher(value.source_id, value.indicator_id)}"
        return Picture(
            heading=name,
            svg=charts.trend(points, compare, value.unit, _trend_words(value, points)),
            key="trend",
            columns=("Period", f"Value ({value.unit})", "95% interval", "Number", "Denominator", "Compared with"),
            rows=[_series_row(row, against, value.unit) for row, against in zip(series, compare, strict=True)],
            release_keys=list(dict.fromkeys(row["release_key"] for row in series)),
            indicator_id=value.indicator_id,
        )

    def spc(self, value: Value, signal: Sequence[Record]) -> Picture:
        """Return an XmR chart from `marts.signal`."""
        last = signal[-1]
        points = [of_signal(row, value.name, self.lookup.release_page(row["release_key"])) for row in signal]
        limits = (last.get("lower_process_limit"), last.get("process_mean"), last.get("upper_process_limit"))
        special = [words.period(row) for row in signal if (row.get("point_type") or "").startswith("special")]
        alternative = (
            f"SPC chart: {value.indicator_name}, {value.name}, {words.period(signal[0])} to {words.period(last)}. "
            f"Newest {words.with_unit(last['value'], value.unit)}; mean {words.number(limits[1], value.unit)}. "
            f"Special causes: {words.listing(special) or 'none'}."
        )
        notes = [words.SPC_WORDS.get(last.get("point_type") or "", "")]
        notes += [words.ASSURANCE_WORDS.get(last.get("assurance") or "", "")]
        notes += ["Fewer than 13 points: the limits are provisional." if last.get("is_short_series") else ""]
        return Picture(
            heading=f"{value.indicator_name}: {self.lookup.publisher(value.source_id, value.indicator_id)}",
            svg=charts.spc(points, limits, last.get("target"), value.unit, alternative),
            key="spc",
            columns=("Period", f"Value ({value.unit})", "Special cause"),
            rows=[
                (words.period(row), words.number(row["value"], value.unit), row.get("special_cause_type") or "")
                for row in signal
            ],
            release_keys=list(dict.fromkeys(row["release_key"] for row in signal)),
            note=". ".join(note.rstrip(".") for note in notes if note) + ".",
            indicator_id=value.indicator_id,
        )


def _funnel_note(funnel: Funnel, baseline: str) -> str:
    kind = ", which allow for over-dispersion" if funnel.over_dispersed else ""
    note = f"England: {baseline}{words.unit_after(funnel.unit)}. Limits at 95% and 99.8%{kind}."
    if funnel.is_bounded:
        note += (
            " Some trusts are masked, so that England is known within bounds; the limits belong to their outer ends."
        )
    if funnel.skipped:
        note += f" Left out: {words.plural(funnel.skipped, 'trust')} without a count."
    return note + " Crude rates: not adjusted for the women and babies cared for."


def _trend_words(value: Value, points: Sequence[Point]) -> str:
    known = [point for point in points if point.value is not None]
    text = f"Chart over time: {value.indicator_name}, {value.name}. "
    if known:
        first, last = known[0], known[-1]
        text += (
            f"{words.with_unit(first.value, value.unit)} in {first.label}, "
            f"{words.with_unit(last.value, value.unit)} in {last.label}. "
        )
    if len(known) < len(points):
        text += f"{words.plural(len(points) - len(known), 'period')} without a value. "
    return text + f"Recent trend: {words.TREND_WORDS.get(value.recent_trend or '', 'not given').lower()}."


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
        words.period(row),
        shown,
        span,
        words.counted(row["numerator"]),
        words.counted(row["denominator"]),
        words.number(against, unit),
    )
