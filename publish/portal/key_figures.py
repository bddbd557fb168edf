"""An organisation in two pictures: its key indicators beside all others, and what it has a course of over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from perinatal import charts
from perinatal.charts import Point, SpineRow
from publish.portal import wording as words
from publish.portal.lookup import ENGLAND, Lookup
from publish.portal.model import Record, Value
from publish.portal.overview import Column
from publish.portal.pictures import FEWEST_POINTS, Picture, Pictures
from publish.portal.points import UP, label_of, of_series, of_value, said, verdict

FEWEST_BESIDE = 4  # organisations with a value: quartiles of fewer say nothing
MOST_PERIODS = 24
MOST_MULTIPLES = 12
FEWEST_MULTIPLES = 3
KINDS = {"lms": "local maternity systems", "trust": "trusts"}
SIDES = {"low": ("worse", "better"), "high": ("worse", "better")}


@dataclass(frozen=True)
class Multiple:
    """One of the small pictures over time: its indicator and publisher, the newest value in words, the picture."""

    head: str
    source: str
    page: str
    newest: str
    svg: Markup


class KeyFigures:
    """Makes the pictures of the key indicators."""

    def __init__(self, lookup: Lookup, pictures: Pictures, columns: Sequence[Column]) -> None:
        self.lookup = lookup
        self.pictures = pictures
        self.edition = lookup.edition
        self.columns = columns
        self.end = cache(self._end)
        self.england = cache(self._england)
        self.england_over_time = cache(self._england_over_time)

    def spine(self, level: str, code: str) -> Picture | None:
        """Return where an organisation lies among all of its kind; nothing where none of its values can be placed."""
        placed = list(self._placed(level, code))
        if not placed:
            return None
        blocks: dict[tuple[str, str], list[SpineRow]] = {}
        for column, value, spread in placed:
            polarity = self.edition.indicators.get(column.indicator_id, {}).get("polarity")
            sides = SIDES.get(polarity or "", ("lower", "higher"))
            blocks.setdefault(sides, []).append(self._row(column, value, spread, polarity == "low"))
        name = placed[0][1].name
        judged = [f"{column.plain_head}: {verdict(value)}" for column, value, _ in placed if value.conclusion]
        return Picture(
            heading=f"Key indicators beside all {KINDS[level]}",
            svg=charts.spine(
                [(*sides, rows) for sides, rows in blocks.items()],
                f"Spine chart of {name}: {len(placed)} key indicators, each with England in the middle. "
                f"{'; '.join(judged) or 'None has a verdict'}.",
            ),
            key="spine",
            columns=("Indicator", "Here", "England", "Lowest", "Lower quartile", "Upper quartile", "Highest", "Period"),
            rows=[self._cells(column, value, spread) for column, value, spread in placed],
            release_keys=list(dict.fromkeys(value.release_key for _, value, _ in placed)),
            note=f"Each row has its own scale. The bar goes from the lowest to the highest of all {KINDS[level]} with "
            "a value of the same period; its dark part is the middle half of them. Values with a data warning are left "
            "out; England’s line is what the verdict compares with, made without values that are not believable.",
        )

    def _placed(self, level: str, code: str) -> Iterable[tuple[Column, Value, Record]]:
        for column in self.columns:
            value = self.lookup.one.get((level, code, column.indicator_id, column.source_id))
            spread = self.edition.spreads.get((level, column.indicator_id, column.source_id))
            if value is None or spread is None or spread["organisations"] < FEWEST_BESIDE or not value.is_current:
                continue
            if self.edition.is_doubted(value):
                continue
            bounded = value.value_min is not None and value.value_max is not None
            if (value.value is not None or bounded) and self._compared(column, value) is not None:
                yield column, value, spread

    def _england(self, column: Column) -> tuple[float, Point] | None:
        """Return England's value (or the middle of its bounds), and it as a point whose label are its words."""
        value = self.lookup.one.get((*ENGLAND, column.indicator_id, column.source_id))
        if value is None:
            return None
        ends = (value.value_min, value.value_max)
        if value.value is not None:
            middle, figure = value.value, words.number(value.value, column.unit)
        elif ends[0] is not None and ends[1] is not None:
            middle, figure = (ends[0] + ends[1]) / 2, words.span(*ends, column.unit)
        else:
            return None
        return middle, self._of_england(column, value, "England", middle, figure, words.interval(value))

    def _of_england(
        self, column: Column, value: Value, who: str, middle: float, figure: str, interval: str = ""
    ) -> Point:
        """Return a figure of England for the period of a value, leading to the indicator's page."""
        with_unit = figure + words.unit_after(column.unit)
        says = said(f"{who}, {column.plain_head}", with_unit, interval, words.period(value), "")
        page = UP + self.lookup.indicator_page(column.indicator_id)
        return Point(figure + ("%" if column.unit == "%" else ""), middle, says=says, href=page)

    def _compared(self, column: Column, value: Value) -> tuple[float, Point] | None:
        """Return England as a value's verdict compares with it: without the trusts whose values are not believable."""
        england, middle = self.england(column), value.comparator_value
        if middle is None or value.comparator_name or (england and england[0] == middle):
            return england
        who = "England without values that are not believable"
        return middle, self._of_england(column, value, who, middle, words.number(middle, column.unit))

    def _end(self, level: str, indicator_id: str, source_id: str, which: str) -> Point:
        """Return the organisation with the lowest or the highest value, leading to its page; made once."""
        spread = self.edition.spreads[level, indicator_id, source_id]
        code, name, value = spread[f"{which}_code"], spread[f"{which}_name"], spread[which]
        other = self.lookup.one[level, code, indicator_id, source_id]
        figure = words.with_unit(value, spread["unit"])
        judged = f"{which} of {spread['organisations']}; {verdict(other)}"
        says = said(
            f"{words.without_nhs(name)}, {other.indicator_name}",
            figure,
            words.interval(other),
            words.period(other),
            judged,
        )
        return Point(name, value, says=says, href=f"{UP}{level}/{words.slug(code)}.html")

    def _row(self, column: Column, value: Value, spread: Record, is_turned: bool) -> SpineRow:
        middle, england = self._compared(column, value) or (0.0, Point("", None))
        own = of_value(value)
        figure = words.shown(value).removeprefix("Between ").replace(" and ", " to ")
        with_unit = figure + words.unit_after(value.unit)
        says = said(column.name, with_unit, words.interval(value), words.period(value), verdict(value))
        page = UP + self.lookup.indicator_page(column.indicator_id)
        unit = "" if column.unit == "%" else f", {column.unit}"
        mark = "%" if column.unit == "%" else ""
        return SpineRow(
            name=f"{column.plain_head}{unit}",
            figure=f"{figure}{mark}",
            own=Point(own.label, own.value, own.interval, own.bounds, own.kind, says, page),
            england=england,
            middle=middle,
            lowest=self.end(value.level, column.indicator_id, column.source_id, "lowest"),
            highest=self.end(value.level, column.indicator_id, column.source_id, "highest"),
            quartiles=(spread["lower_quartile"], spread["upper_quartile"]),
            is_turned=is_turned,
        )

    def _cells(self, column: Column, value: Value, spread: Record) -> Sequence[str]:
        unit = column.unit
        ends = [
            f"{words.number(spread[which], unit)} ({label_of(spread[f'{which}_name'])})"
            for which in ("lowest", "highest")
        ]
        return (
            f"{column.name} ({unit})",
            words.shown(value),
            (self._compared(column, value) or (0.0, Point("", None)))[1].label,
            ends[0],
            words.number(spread["lower_quartile"], unit),
            words.number(spread["upper_quartile"], unit),
            ends[1],
            words.short_period(value),
        )

    def over_time(self, values: Sequence[Value]) -> dict[str, Any]:
        """Return small pictures of the first values that have three periods; of a few, charts of full size."""
        found: list[tuple[Value, Sequence[Record]]] = []
        for value in values:
            series = self.edition.series.get(value.key, [])[-MOST_PERIODS:]
            if sum(row["value"] is not None for row in series) >= FEWEST_POINTS:
                found.append((value, series))
            if len(found) == MOST_MULTIPLES:
                break
        if len(found) < FEWEST_MULTIPLES:
            return {
                "multiples": [],
                "trends": self.pictures.trends([value for value, _ in found if value.key not in self.edition.signals]),
            }
        return {"multiples": [self._multiple(value, series) for value, series in found], "trends": []}

    def _multiple(self, value: Value, series: Sequence[Record]) -> Multiple:
        name = f"{words.without_nhs(value.name)}, {words.uncapitalised(value.indicator_name)}"
        pages = self.lookup.release_page
        points = [of_series(row, name, value.unit, pages(row["release_key"])) for row in series]
        england = self.england_over_time(value.indicator_id, value.source_id)
        compare = [england.get(row["start"]) for row in series]
        trend = words.TREND_WORDS.get(value.recent_trend or "", "not given").lower()
        newest = words.with_unit(series[-1]["value"], value.unit) if series[-1]["value"] is not None else ""
        says = f"{name}, {points[0].label} to {points[-1].label}. Recent trend: {trend}."
        return Multiple(
            head=value.indicator_name,
            source=self.lookup.publisher(value.source_id),
            page=self.lookup.indicator_page(value.indicator_id),
            newest=newest,
            svg=charts.multiple(points, compare, says),
        )

    def _england_over_time(self, indicator_id: str, source_id: str) -> dict[object, float | None]:
        rows = self.edition.series.get((*ENGLAND, indicator_id, source_id), [])
        return {row["start"]: row["value"] for row in rows}
