"""What stands out about an organisation: signals, comparisons, trends, trusts that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from publish.portal import wording as words
from publish.portal.gaps import Gap
from publish.portal.lookup import Lookup
from publish.portal.model import Value

MOST_STANDING_OUT = 14


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


class StandingOut:
    """Finds what stands out among values of one edition."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.edition = lookup.edition

    def among(self, values: Iterable[Value], missing: Sequence[Gap]) -> dict[str, Any]:
        """Return signals, values worse or better than their comparator, worsening trends, missing trusts."""
        found = [notable for value in values for notable in self._notables(value)]
        found += [_missing(gap) for gap in missing]
        found.sort(key=lambda notable: notable.order)
        return {"shown": found[:MOST_STANDING_OUT], "more": max(0, len(found) - MOST_STANDING_OUT), "asked": True}

    def _notables(self, value: Value) -> Iterable[Notable]:
        yield from self._signals(value)
        if not self.lookup.may_stand_out(value):
            return
        if value.verdict in ("worse", "better"):
            yield self._notable(
                value,
                words.label(value.verdict),
                value.verdict,
                f"{_judged(value)} in {value.period_label}, beside {_against(value)}: {words.whose_verdict(value)}",
                {"worse": 2, "better": 6}[value.verdict] - (1 if value.verdict_level == "99.8" else 0),
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


def _judged(value: Value) -> str:
    """Return the value that the verdict is about: the publisher's adjusted one where it rests on that."""
    if value.verdict_basis != "own" and value.adjusted_value is not None:
        return f"{words.with_unit(value.adjusted_value, value.unit)} (adjusted)"
    if value.value is None:
        return f"{words.shown(value).lower()} {value.unit}"
    return f"{words.with_unit(value.value, value.unit)} ({words.interval(value)})"


def _against(value: Value) -> str:
    return f"{words.comparator_name(value)} ({words.number(value.comparator_value, value.unit)})"


def _missing(gap: Gap) -> Notable:
    names = [str(trust["name"] or trust["code"]) for trust in gap.trusts]
    page = f"trust/{words.slug(gap.trusts[0]['code'])}.html" if len(names) == 1 and gap.trusts[0]["name"] else None
    trusts = names[0] if len(names) == 1 else words.listing([words.without_nhs(name) for name in names])
    sentence = f"missing from the {gap.figures}{gap.since}"
    return Notable("Missing", "tag-grey", trusts, page, "", sentence, (45, gap.figures, trusts))
