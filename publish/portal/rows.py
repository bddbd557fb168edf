"""The rows of an organisation's tables by kind and topic, each with its small pictures and what filters ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from perinatal import charts
from publish.portal import wording as words
from publish.portal.lookup import Lookup, span_of
from publish.portal.model import Value
from publish.portal.points import of_value
from publish.portal.topics import ORDER, OUTCOME, PROCESS, RECORDING, SETTING, Topic, topic_of

NOT_COMPARED = ("count", "mean")


@dataclass(frozen=True)
class Row:
    """A value with its pictures; one that is not compared is a count or a mean, without comparator or interval."""

    value: Value
    topic: Topic
    is_compared: bool
    whisker: Markup
    spark: Markup

    @property
    def verdict(self) -> str:
        """Return the word that the filter by verdict knows."""
        return self.value.conclusion or "none"


class Rows:
    """Makes the rows of one edition."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.spans = {
            key: _capped_span(values) for key, values in lookup.by_indicator.items() if key[0] in ("lms", "trust")
        }

    def of(self, values: Iterable[Value]) -> dict[str, Any]:
        """Return values by kind and topic: outcomes, care, the women and babies; those without a number by release."""
        shown: dict[str, dict[str, list[Row]]] = {OUTCOME: {}, PROCESS: {}, SETTING: {}}
        empty = []
        ranked = sorted(values, key=lambda value: ORDER[topic_of(value.indicator_id)])
        for value in ranked:
            topic = topic_of(value.indicator_id)
            if topic.kind == RECORDING:
                continue
            if is_empty(value):
                empty.append(value)
            else:
                shown[topic.kind].setdefault(topic.name, []).append(self._row(value, topic))
        return {**shown, "empty": by_gap(empty)}

    def drawn(self, values: Sequence[Value]) -> list[Value]:
        """Return the values whose course is worth a chart: outcomes first, then care; never counts."""
        found = [value for value in values if self.is_compared(value) and topic_of(value.indicator_id).kind != SETTING]
        return sorted(
            (value for value in found if topic_of(value.indicator_id).kind != RECORDING),
            key=lambda value: topic_of(value.indicator_id).kind,
        )

    def is_compared(self, value: Value) -> bool:
        """Whether a value may stand beside England's: a rate, a proportion or a ratio, never a count."""
        return self.edition.indicators.get(value.indicator_id, {}).get("statistic") not in NOT_COMPARED

    def _row(self, value: Value, topic: Topic) -> Row:
        compared = self.is_compared(value)
        span = self.spans.get((value.level, value.indicator_id, value.source_id), (0.0, 1.0))
        series = self.edition.series.get(value.key, [])
        return Row(
            value=value,
            topic=topic,
            is_compared=compared,
            whisker=charts.whisker(of_value(value), value.comparator_value, span) if compared else Markup(),
            spark=charts.spark([row["value"] for row in series]),
        )


def verdict_counts(rows: Sequence[Row]) -> dict[str, int]:
    """Count the rows that are worse and better."""
    found = [row.value.verdict for row in rows]
    return {word: found.count(word) for word in ("worse", "better")}


def is_empty(value: Value) -> bool:
    """Whether a row holds no number at all: such values are named in one line."""
    numbers = (value.value, value.value_min, value.value_max, value.adjusted_value)
    return not value.is_suppressed and all(number is None for number in numbers)


def by_gap(values: Iterable[Value]) -> list[dict[str, Any]]:
    """Return values by release, period and why they are incomplete: one line says it for all of them."""
    found: dict[tuple[str, str, str], list[Value]] = {}
    for value in values:
        found.setdefault((value.release_key, words.period(value), words.why_no_value(value)), []).append(value)
    return [{"any": group[0], "why": why, "values": group} for (_, _, why), group in found.items()]


def _capped_span(values: list[Value]) -> tuple[float, float]:
    """Return a scale that a few tiny trusts with huge intervals do not squeeze: at most three times the comparator."""
    low, high = span_of(values)
    compare = [value.comparator_value for value in values if value.comparator_value]
    middle = [value.value for value in values if value.value]
    ceilings = [3 * max(compare)] if compare else []
    return (low, max(min([high, *ceilings]), max(middle, default=0.0)) or 1.0)
