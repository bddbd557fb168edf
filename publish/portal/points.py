"""Points of pictures: where they lie, what is said of them (name, value, interval, period, verdict), where they lead.

Pictures with links stand on pages one folder below the root, so that the addresses begin with `../`.
"""

from __future__ import annotations

import re
from typing import Any

from perinatal.charts import Interval, Point
from publish.portal import wording as words
from publish.portal.model import Record, Value

UP = "../"
AGAINST_THE_LIMITS = {
    "High (0.001)": "above the 99.8% limits",
    "High (0.025)": "above the 95% limits",
    "Low (0.025)": "below the 95% limits",
    "Low (0.001)": "below the 99.8% limits",
    "Not significant": "within the limits",
}


def of_value(value: Value) -> Point:
    """Return a value as a point: interval where there is one, bounds where it is incomplete."""
    bounds = _ends(value.value_min, value.value_max) if value.value is None else None
    return Point(
        value.name, value.value, _ends(value.lower_95, value.upper_95), bounds, kind=value.conclusion or "plain"
    )


def of_organisation(value: Value, folder: str, name: str = "") -> Point:
    """Return a value as a point that leads to the page of its organisation, in the folder `lms` or `trust`."""
    plain = of_value(value)
    figure = f"{words.shown(value)}{words.unit_after(value.unit)}"
    says = said(name or value.name, figure, words.interval(value), words.period(value), verdict(value))
    href = f"{UP}{folder}/{words.slug(value.code)}.html"
    return Point(name or value.name, plain.value, plain.interval, plain.bounds, plain.kind, says, href)


def of_series(row: Record, name: str, unit: str, release_page: str) -> Point:
    """Return a point of a series, leading to the release that it is from."""
    bounds = _ends(row["min"], row["max"]) if row["value"] is None else None
    figure = words.with_unit(row["value"], unit) if row["value"] is not None else ""
    if bounds:
        figure = f"between {words.number(bounds[0], unit)} and {words.with_unit(bounds[1], unit)}"
    period = words.short_period(row)
    says = said(name, figure, words.span(row["lower"], row["upper"], unit, row["withheld"]), period, verdict(row))
    ends = _ends(row["lower"], row["upper"])
    return Point(period, row["value"], ends, bounds, "plain", says if figure else "", UP + release_page)


def of_signal(row: Record, name: str, release_page: str) -> Point:
    """Return a point of an SPC chart, leading to the release that it is from; the verdict is its special cause."""
    period, kind = words.short_period(row), row.get("point_type") or ""
    judged = words.SPC_WORDS.get(kind, "not judged").lower()
    limits = words.span(row.get("lower_process_limit"), row.get("upper_process_limit"), row["unit"])
    says = said(name, words.with_unit(row["value"], row["unit"]), limits, period, judged, "process limits")
    return Point(period, row["value"], kind=kind, says=says if row["value"] is not None else "", href=UP + release_page)


def of_funnel(row: Record) -> Point:
    """Return a trust in a funnel, leading to its page."""
    unit, name = row["unit"], words.without_nhs(row["name"])
    withheld = "denominator_withheld" in (row["usage_warnings"] or ())
    interval = words.span(row["lower_95"], row["upper_95"], unit, withheld)
    judged = f"{against_the_limits(row)}; {verdict(row)}"
    says = said(name, words.with_unit(row["value"], unit), interval, words.short_period(row), judged)
    return Point(label_of(row["name"]), row["value"], says=says, href=f"{UP}trust/{words.slug(row['code'])}.html")


def label_of(trust_name: str) -> str:
    """Return a trust's name as it stands beside its point: the place, without the words that most names share."""
    short = re.sub(r"^(The |University Hospitals? (of )?)+", "", words.without_nhs(trust_name))
    return re.sub(r" (Teaching|University|Acute|Integrated Care)( Hospitals?)?$", "", short) or trust_name


def against_the_limits(row: Record) -> str:
    """Say where a point of a funnel lies: the macros' significance in words."""
    return AGAINST_THE_LIMITS.get(row["significance"], "not compared with the limits")


def said(name: str, figure: str, interval: str, period: str, judged: str, of: str = "95% interval") -> str:
    """Put together what is said of a point."""
    middle = f", {of} {interval}" if interval else ""
    return f"{name}: {figure}{middle}, {period}{'; ' if judged else ''}{judged}"


def verdict(row: Value | dict[str, Any]) -> str:
    """Say the verdict and whose it is; where there is none, how the value compares."""
    get = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
    if get("verdict"):
        return f"{get('verdict')} ({words.whose_verdict(row)})"
    return {"higher": "higher", "lower": "lower", "similar": "similar"}.get(get("comparison") or "", "not compared")


def _ends(low: float | None, high: float | None) -> Interval | None:
    return (low, high) if low is not None and high is not None else None
