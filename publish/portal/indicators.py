"""The page of an indicator: definition, England over time, LMSs ranked, trusts in a funnel, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from perinatal import charts
from publish.portal import wording as words
from publish.portal.answers import Answers
from publish.portal.lookup import ENGLAND, Lookup
from publish.portal.model import Record, Value
from publish.portal.pictures import Picture, Pictures
from publish.portal.points import of_organisation

MOST_CATEGORIES = 120


class IndicatorViews:
    """Builds what the template `indicator.html` shows, one part a source."""

    def __init__(self, lookup: Lookup, pictures: Pictures, answers: Answers) -> None:
        self.lookup = lookup
        self.answers = answers
        self.edition = lookup.edition
        self.pictures = pictures
        self.sources: dict[str, list[str]] = {}
        for value in self.edition.values:
            listed = self.sources.setdefault(value.indicator_id, [])
            if value.source_id not in listed:
                listed.append(value.source_id)
        for indicator_id, rows in self.edition.categories.items():
            listed = self.sources.setdefault(indicator_id, [])
            listed += sorted({row["source_id"] for row in rows} - set(listed))

    def page(self, indicator: Record) -> dict[str, Any]:
        """Return the context of an indicator's page."""
        indicator_id = indicator["indicator_id"]
        parts = [self._part(indicator_id, source) for source in sorted(self.sources.get(indicator_id, []))]
        return {
            "indicator": indicator,
            "parts": parts,
            "said": self.answers.about(indicator_id),
            "same_concept": self._same_concept(indicator),
            "warnings": sorted({word for part in parts for word in part["warnings"]}),
            "others": self.edition.others.get(indicator_id, []),
            "results": self.edition.results.get(indicator_id, []),
            "inequality": [
                row for row in self.edition.inequality.get(ENGLAND, []) if row["indicator_id"] == indicator_id
            ],
            "ambition": next(
                (row for row in self.edition.ambitions if row["ambition_id"] == indicator.get("ambition_id")), None
            ),
        }

    def _same_concept(self, indicator: Record) -> list[dict[str, Any]]:
        """Return the same concept as others measure it: other indicators, by source, with England's newest value."""
        found = []
        for about in self.edition.indicators.values():
            if about is indicator or not indicator["concept_id"] or about["concept_id"] != indicator["concept_id"]:
                continue
            for source in sorted(self.sources.get(about["indicator_id"], [])):
                england = self.lookup.one.get((*ENGLAND, about["indicator_id"], source))
                found.append({"about": about, "source_id": source, "england": england})
        return found

    def _part(self, indicator_id: str, source: str) -> dict[str, Any]:
        level_values = {
            level: self.lookup.by_indicator.get((level, indicator_id, source), [])
            for level in ("england", "region", "lms", "trust")
        }
        england = level_values["england"][0] if level_values["england"] else None
        funnel = self.pictures.funnels.get((source, indicator_id))
        categories = [row for row in self.edition.categories.get(indicator_id, []) if row["source_id"] == source]
        return {
            "source_id": source,
            "england": england,
            "charts": self.pictures.over_time("england", ENGLAND[1], england) if england else [],
            "lms_picture": self._ranking(level_values["lms"]),
            "trust_picture": self._caterpillar(level_values["trust"]),
            "funnel": self.pictures.funnel(funnel, set()) if funnel else None,
            "lms": level_values["lms"],
            "trust": level_values["trust"],
            "region": level_values["region"],
            "categories": categories[:MOST_CATEGORIES],
            "categories_left_out": max(0, len(categories) - MOST_CATEGORIES),
            "warnings": sorted({word for values in level_values.values() for v in values for word in v.usage_warnings}),
        }

    def _ranking(self, values: Sequence[Value]) -> Picture | None:
        """Return the LMSs in order of value; incomplete ones by the middle of their bounds."""
        current = [value for value in values if value.is_current and _position(value) is not None]
        if not current:
            return None
        current.sort(key=lambda value: (_position(value) or 0.0, value.name), reverse=True)
        compare = _common_comparator(current)
        known = [value for value in current if value.value is not None]
        alternative = (
            f"Chart: {current[0].indicator_name} of {len(current)} local maternity systems, "
            f"{words.period(current[0])}, in order of the value. "
            f"{_extremes(known)} {len(current) - len(known)} have bounds instead of a value."
        )
        return _picture(
            charts.ranked([of_organisation(value, "lms") for value in current], compare, current[0].unit, alternative),
            current,
            f"Local maternity systems in order, {self.lookup.publisher(current[0].source_id)}",
            "ranked",
        )

    def _caterpillar(self, values: Sequence[Value]) -> Picture | None:
        known = [value for value in values if value.is_current and value.value is not None]
        if not known:
            return None
        known.sort(key=lambda value: (value.value or 0.0, value.name))
        compare = _common_comparator(known)
        masked = sum(value.is_suppressed for value in values if value.is_current)
        alternative = (
            f"Chart: {known[0].indicator_name} of {len(known)} trusts, {words.period(known[0])}, in order of the "
            f"value. {_extremes(list(reversed(known)))} {masked} masked and not drawn."
        )
        return _picture(
            charts.caterpillar(
                [of_organisation(value, "trust") for value in known], compare, known[0].unit, alternative
            ),
            known,
            f"Trusts in order, {self.lookup.publisher(known[0].source_id)}",
            "ranked",
        )


def _position(value: Value) -> float | None:
    if value.value is not None:
        return value.value
    if value.value_min is not None and value.value_max is not None:
        return (value.value_min + value.value_max) / 2
    return None


def _common_comparator(values: Sequence[Value]) -> float | None:
    """Return the comparator where it is the same for all: a line may stand only for what holds for every row."""
    found = {value.comparator_value for value in values}
    return found.pop() if len(found) == 1 else None


def _extremes(known: Sequence[Value]) -> str:
    if not known:
        return ""
    first, last = known[0], known[-1]
    return (
        f"Highest: {first.name}, {words.with_unit(first.value, first.unit)}; "
        f"lowest: {last.name}, {words.with_unit(last.value, last.unit)}."
    )


def _picture(svg: Markup, values: Sequence[Value], heading: str, key: str) -> Picture:
    return Picture(
        heading=heading,
        svg=svg,
        key=key,
        columns=(),
        rows=(),
        release_keys=sorted({value.release_key for value in values}),
        indicator_id=values[0].indicator_id,
    )
