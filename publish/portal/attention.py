"""What stands out about an organisation, from `marts.attention`: at most seven entries, the gravest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.model import Record, Value
from publish.portal.topics import OUTCOME, topic_of

MOST_ENTRIES = 7
# heading of each tier, and what to do first about an entry of it
TIERS = {
    "death": ("Deaths", "Read the trust’s perinatal mortality reviews of that period, and what they found in common."),
    "harm": ("Harm", "Check the coding with the trust, then review the cases of the last quarter together."),
    "outcome": ("Other outcomes", "Check the data with the trust, then compare with a service like it that does well."),
    "process": ("Care", "Ask first whether the care differs or only how it is recorded."),
}


@dataclass(frozen=True)
class Figure:
    """An organisation's figure in words; `page` is from the root, None where there is no page."""

    name: str
    page: str | None
    says: str


@dataclass(frozen=True)
class Entry:
    """One thing that stands out: the indicator, the figures in words, whose verdict it is, for how long, from where."""

    row: Record
    figure: str
    whose: str
    trusts: tuple[Figure, ...]
    extra: str
    notes: tuple[str, ...]


class Attention:
    """Turns the rows of `marts.attention` into entries."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.rows: dict[tuple[str, str], list[Record]] = defaultdict(list)
        self.of_trusts: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for row in lookup.edition.attention:
            self.rows[row["level"], row["organisation_code"]].append(row)
            if row["level"] == "trust":
                self.of_trusts[row["lms_code"], row["concept_id"]].append(row)

    def of(self, level: str, code: str, trusts: Sequence[str] = ()) -> dict[str, Any]:
        """Return the entries of an organisation by tier: heading, next step, entries; and the names of those left out.

        Signals of the organisation, and of these trusts of it, stand before them and count among the seven.
        """
        signals = [
            found for key in [(level, code), *(("trust", trust) for trust in trusts)] for found in self._signals(key)
        ]
        rows, room = self.rows[level, code], max(0, MOST_ENTRIES - len(signals))
        tiers: dict[str, list[Entry]] = {}
        for row in rows[:room]:
            tiers.setdefault(row["tier"], []).append(self._entry(row))
        return {
            "signals": signals[:MOST_ENTRIES],
            "tiers": [(*TIERS[tier], entries) for tier, entries in tiers.items()],
            "more": [row["indicator_name"] for row in rows[room:]],
        }

    def _signals(self, organisation: tuple[str, str]) -> Iterable[Record]:
        """Yield the newest points that signal a doubling of events (CUSUM, amber or red)."""
        for value in self.lookup.by_organisation[organisation]:
            points = self.lookup.edition.signals.get(value.key)
            if points and points[-1].get("cusum_signal") and topic_of(value.indicator_id).kind == OUTCOME:
                page = f"trust/{words.slug(value.code)}.html" if value.level == "trust" else None
                yield points[-1] | {"name": value.name, "page": page, "indicator_name": value.indicator_name}

    def count(self, level: str, code: str) -> int:
        """Return how many things stand out."""
        return len(self.rows[level, code])

    def _entry(self, row: Record) -> Entry:
        return Entry(
            row=row,
            figure=self._figure(row),
            whose=words.whose_verdict(row),
            trusts=tuple(self._trusts(row)) if row["level"] == "lms" else (),
            extra=_extra(row, self._is_below(row)),
            notes=tuple(self._notes(row)),
        )

    def _trusts(self, row: Record) -> Iterable[Figure]:
        """Yield the trusts of an LMS's entry, each with its own figure where it is of the same release."""
        for own in self.of_trusts[row["lms_code"], row["concept_id"]]:
            page = f"trust/{words.slug(own['organisation_code'])}.html"
            yield Figure(own["organisation_name"], page, self._figure(own))

    def _figure(self, row: Record) -> str:
        """Say a row's figure beside what it is compared with: 2.81 per 1,000 (adjusted) against 2.60."""
        value = self.lookup.one.get((row["level"], row["organisation_code"], row["indicator_id"], row["source_id"]))
        same = value if value and value.release_key == row["release_key"] else None
        against = words.number(row["comparator_value"], row["unit"]) + ("%" if row["unit"] == "%" else "")
        adjusted = same.adjusted_value if same else None
        if same and adjusted is not None and words.rests_on_adjusted(row | {"adjusted_value": adjusted}):
            shown = f"{words.with_unit(adjusted, row['unit'])} after adjustment"
            peers = "for similar trusts" if row["source_id"] == "mbrrace" else words.comparator_name(same)
            return f"{shown}, against {against} {peers}"
        if row["value"] is not None:
            return f"{words.with_unit(row['value'], row['unit'])}, against {against} in England"
        return ""

    def _is_below(self, row: Record) -> bool:
        """Whether an entry is worse because its figure lies below what it is compared with.

        The figures say it, those of the trusts where the LMS has none; where all are masked, the catalogue.
        """
        own = [row, *(self.of_trusts[row["lms_code"], row["concept_id"]] if row["level"] == "lms" else ())]
        known = [one for one in own if one["value"] is not None and one["comparator_value"] is not None]
        if known:
            return bool(known[0]["value"] < known[0]["comparator_value"])
        return self.lookup.edition.indicators.get(row["indicator_id"], {}).get("polarity") == "high"

    def _data_warnings(self, row: Record) -> Iterable[str]:
        """Say which data warnings an entry's figures have, those of the trusts that it rests on too.

        A verdict may be older than the newest figures of its concept: where these have a warning, it is said apart.
        """
        own = [row, *(self.of_trusts[row["lms_code"], row["concept_id"]] if row["level"] == "lms" else ())]
        faults: set[str] = set()
        newer: dict[str, set[str]] = defaultdict(set)
        for one in own:
            for value in self.lookup.by_organisation[one["level"], one["organisation_code"]]:
                found = set(value.usage_warnings) & self.lookup.edition.faults
                is_own = (value.indicator_id, value.source_id) == (one["indicator_id"], one["source_id"])
                if is_own and value.period_end == one["period_end"]:
                    faults |= found
                elif found and value.period_end > one["period_end"] and self._concept(value) == one["concept_id"]:
                    newer[words.period(value)] |= found
        yield f"Data warning: {_listed(faults)}" if faults else "No data warning"
        for period, found in sorted(newer.items()):
            yield f"The newer figures of {period} have a data warning: {_listed(found)}"

    def _concept(self, value: Value) -> str | None:
        return self.lookup.edition.indicators.get(value.indicator_id, {}).get("concept_id")

    def _notes(self, row: Record) -> Iterable[str]:
        if row["is_new"]:
            yield "New in this edition"
        if row["held_since"] and row["held_since"] < row["period_start"]:
            yield f"Worse since {words.month(row['held_since'])}"
        release = self.lookup.edition.releases.get(row["release_key"], {})
        if release.get("status") == "provisional":
            yield "Provisional figures"
        yield from self._data_warnings(row)


def _listed(faults: Iterable[str]) -> str:
    return ", ".join(words.label(word).lower() for word in sorted(faults))


def _extra(row: Record, is_below: bool) -> str:
    """Say how many events a year the difference comes to; nothing where the counts are withheld."""
    if row["excess"] is None:
        return ""
    count = f"About {row['excess']:,.0f}" if row["excess"] >= 1 else "Less than one"
    rate = "the rate of similar trusts" if row["source_id"] == "mbrrace" else "England’s rate"
    return f"{count} {'fewer' if is_below else 'more'} a year than at {rate}"
