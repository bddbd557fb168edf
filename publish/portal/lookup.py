"""Ways into the model that several pages need: values by organisation and indicator, order, links."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from publish.marts import ENGLAND_CODE
from publish.portal import wording as words
from publish.portal.model import Edition, Record, Value

ENGLAND = ("england", ENGLAND_CODE)


class ShortNames(dict[str, str]):
    """Names of publishers by source; figures inside another source's file (HES) go by the letters of their source."""

    def __missing__(self, source_id: str) -> str:
        """Return the letters of a source that has no release of its own."""
        return source_id.upper()


class Lookup:
    """An edition with its indexes."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.by_organisation: dict[tuple[str, str], list[Value]] = defaultdict(list)
        self.by_indicator: dict[tuple[str, str, str], list[Value]] = defaultdict(list)
        self.one: dict[tuple[str, str, str, str], Value] = {}
        for value in edition.values:
            self.by_organisation[value.level, value.code].append(value)
            self.by_indicator[value.level, value.indicator_id, value.source_id].append(value)
            self.one[value.key] = value
        for values in self.by_organisation.values():
            values.sort(key=self.importance)

    def importance(self, value: Value) -> tuple[int, str, str]:
        """Order indicators: those of an ambition, those of a programme, the rest; then by source and name."""
        about = self.edition.indicators.get(value.indicator_id, {})
        rank = 0 if about.get("ambition_id") else 1 if about.get("programme") else 2
        return (rank, value.source_id, value.indicator_name)

    @cached_property
    def positions(self) -> dict[tuple[str, str], list[Record]]:
        """Return the positions against the trajectories by level and code."""
        found: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for row in self.edition.positions:
            found[row["level"], row["organisation_code"]].append(row)
        return found

    @cached_property
    def publishers(self) -> dict[str, str]:
        """Return the short name of each source's publisher."""
        found = {row["source_id"]: words.short_publisher(row["publisher"]) for row in self.edition.releases.values()}
        return ShortNames({source: name for source, name in found.items() if name})

    @cached_property
    def letters(self) -> dict[str, str]:
        """Return the shortest name of each source's publisher, for cells of tables."""
        found = {row["source_id"]: words.publisher_letters(row["publisher"]) for row in self.edition.releases.values()}
        return ShortNames({source: name for source, name in found.items() if name})

    def beside(self, trust_code: str, row: Record) -> Value | None:
        """Return the value of a trust that a row of its dashboard shows, with its adjusted rate and comparator."""
        value = self.one.get(("trust", trust_code, row["indicator_id"], row["source_id"]))
        return value if value and value.period_end == row["period_end"] else None

    def indicator_page(self, indicator_id: str) -> str:
        """Return the page of an indicator, from the root."""
        return f"indicator/{words.slug(indicator_id)}.html"

    def release_page(self, release_key: str) -> str:
        """Return the page of a release, from the root."""
        return f"release/{self.edition.releases[release_key]['page']}.html"

    def release_name(self, release_key: str) -> str:
        """Return a release in words: MBRRACE-UK perinatal mortality 2023."""
        release = self.edition.releases[release_key]
        return f"{self.letters[release['source_id']]} {words.label(release['dataset']).lower()} {release['release']}"

    def has_page(self, trust_code: str) -> bool:
        """Whether there is a page for a trust."""
        return trust_code in self.edition.trusts

    def indicator_name(self, indicator_id: str) -> str:
        """Return an indicator's name."""
        return str(self.edition.indicators.get(indicator_id, {}).get("indicator_name") or words.label(indicator_id))

    def publisher(self, source_id: str, indicator_id: str | None = None) -> str:
        """Return the short name of a source's publisher; of an indicator's own, where the source passes on several."""
        return self._own_publisher(indicator_id) or self.publishers[source_id]

    def letters_of(self, source_id: str, indicator_id: str | None) -> str:
        """Return the shortest name of the publisher of an indicator's figures in a source, for cells of tables."""
        return self._own_publisher(indicator_id) or self.letters[source_id]

    def _own_publisher(self, indicator_id: str | None) -> str | None:
        return self.edition.indicators.get(indicator_id or "", {}).get("publisher")


def span_of(values: list[Value]) -> tuple[float, float]:
    """Return the scale that rows of one indicator share: from the least end to the greatest."""
    ends: list[float] = []
    for value in values:
        found = (value.value, value.lower_95, value.upper_95, value.comparator_value, value.value_min, value.value_max)
        ends += [end for end in found if end is not None]
    return (min(ends, default=0.0), max(ends, default=1.0))
