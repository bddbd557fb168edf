"""What the comparison page reads: organisations with their peers, and the newest values of each indicator, as JSON.

The script only chooses and lays out: every number stands here in the words of the other pages, so it computes nothing
and a masked number is in no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from perinatal.made_files import MadeFiles, Since
from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.members import MORTALITY, Members
from publish.portal.model import Record, Value
from publish.portal.rows import Rows, is_empty

FOLDER = "compare"
FIRST_INDICATOR = "stillbirth_rate"  # what an address without an indicator shows
LEVELS = ("trust", "lms")


class Comparison:
    """The comparison of one edition."""

    def __init__(self, lookup: Lookup, members: Members, rows: Rows) -> None:
        self.lookup = lookup
        self.members = members
        self.values: dict[str, list[Value]] = {}
        for value in lookup.edition.values:
            if value.level in LEVELS and rows.is_compared(value) and not is_empty(value):
                self.values.setdefault(value.indicator_id, []).append(value)

    def indicators(self) -> list[Record]:
        """Return the indicators that can be compared, those of an ambition first, each with the name of its file."""
        ranked = sorted(self.values, key=lambda name: self.lookup.importance(self.values[name][0]))
        return [{"id": name, "name": self.lookup.indicator_name(name), "file": words.slug(name)} for name in ranked]

    def organisations(self) -> list[Record]:
        """Return trusts and LMSs with what makes others their peers: comparator group, births a year, region."""
        edition = self.lookup.edition
        regions = {row["lms_code"]: row["region_name"] for row in edition.lms}
        trusts = [trust for trust in edition.trusts.values() if self.members.is_open(trust)]
        found = [
            self._organisation("trust", trust["code"], trust["name"] or trust["code"], regions.get(trust["lms_code"]))
            for trust in trusts
        ]
        return found + [
            self._organisation("lms", row["lms_code"], row["lms_name"], row["region_name"]) for row in edition.lms
        ]

    def _organisation(self, level: str, code: str, name: str, region: str | None) -> Record:
        births = self.lookup.edition.births.get((level, code))
        mortality = self.lookup.one.get((level, code, *MORTALITY))
        return {
            "code": code,
            "name": name,
            "level": level,
            "page": f"{level}/{words.slug(code)}.html",
            "group": mortality.comparator_name if mortality and level == "trust" else None,
            "births": births["value"] if births else None,
            "region": region,
        }

    def write(self, made: MadeFiles) -> None:
        """Write the JSON files into the folder `compare` of the portal."""
        says = {"is_synthetic": self.lookup.edition.facts.is_synthetic}
        start = says | {
            "first": FIRST_INDICATOR,
            "organisations": self.organisations(),
            "indicators": self.indicators(),
        }
        made.text(f"{FOLDER}/organisations.json", partial(_text, start))
        for indicator_id, values in self.values.items():
            about = says | {
                "name": self.lookup.indicator_name(indicator_id),
                "unit": values[0].unit,
                "page": self.lookup.indicator_page(indicator_id),
                "values": [_filled(self._row(value)) for value in values],
            }
            made.text(f"{FOLDER}/values-{words.slug(indicator_id)}.json", partial(_text, about))

    def _row(self, value: Value) -> Iterator[tuple[str, Any]]:
        """Yield what the page shows of a value, in words, and the positions that the chart needs."""
        yield "code", value.code
        yield "source", self.lookup.letters[value.source_id]
        yield "release", self.lookup.release_page(value.release_key)
        yield "period", words.period(value)
        yield "shown", words.shown(value)
        yield "interval", words.interval(value)
        if value.adjusted_value is not None:
            yield "adjusted", words.number(value.adjusted_value, value.unit)
            yield "adjusted_interval", words.adjusted_interval(value)
        yield "against", words.comparator(value)
        yield "verdict", words.label(value.conclusion)
        yield "look", words.tag_look(value.conclusion) if value.conclusion else None
        yield "whose", words.whose_verdict(value) if value.verdict else None
        yield "trend", words.TREND_WORDS.get(value.recent_trend or "")
        yield "why", words.why_no_value(value)
        for name in ("value", "lower_95", "upper_95", "value_min", "value_max", "comparator_value"):
            yield name, getattr(value, name)


def _filled(pairs: Iterator[tuple[str, Any]]) -> Record:
    return {name: cell for name, cell in pairs if cell not in (None, "")}


def _text(content: Record, _: Since) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
