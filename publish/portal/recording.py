"""How well trusts record: the publisher's checks on the data, a row a check, a column a trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from publish.portal.lookup import Lookup
from publish.portal.model import Record, Value
from publish.portal.topics import RECORDING, topic_of


@dataclass(frozen=True)
class Check:
    """A check with the trusts' values and results in the order of the columns; None where there is none."""

    indicator_id: str
    name: str
    unit: str
    source: Value | Record
    values: tuple[Value | None, ...]
    results: tuple[str | None, ...]


class Recording:
    """Makes the pages of recording measures."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.edition = lookup.edition

    def checks(self, trusts: Sequence[Record]) -> list[Check]:
        """Return the checks that at least one of the trusts has a value or a result for."""
        values = [self._values(trust["code"]) for trust in trusts]
        results = [self._results(trust["code"]) for trust in trusts]
        names = {key: value.indicator_name for of_trust in values for key, value in of_trust.items()}
        names |= {key: str(row["standard_name"] or key) for of_trust in results for key, row in of_trust.items()}
        return [self._check(key, names[key], values, results) for key in sorted(names, key=lambda key: names[key])]

    def _check(
        self,
        key: str,
        name: str,
        values: Sequence[dict[str, Value]],
        results: Sequence[dict[str, Record]],
    ) -> Check:
        known = [of_trust[key] for of_trust in values if key in of_trust]
        judged = [of_trust[key] for of_trust in results if key in of_trust]
        return Check(
            indicator_id=key,
            name=name.removeprefix("Data quality: ").removeprefix("Data behind: "),
            unit=known[0].unit if known else "",
            source=judged[0] if judged else known[0],
            values=tuple(of_trust.get(key) for of_trust in values),
            results=tuple(of_trust[key]["publisher_status"] if key in of_trust else None for of_trust in results),
        )

    def _values(self, code: str) -> dict[str, Value]:
        return {
            value.indicator_id: value
            for value in self.lookup.by_organisation["trust", code]
            if value.is_current and topic_of(value.indicator_id).kind == RECORDING
        }

    def _results(self, code: str) -> dict[str, Record]:
        """Return the results of the publisher's checks on the data; those of groups of women are in the download."""
        return {
            row["standard"]: row
            for row in self.edition.compliance.get(code, [])
            if is_data_check(row) and ": " not in row["standard"]
        }


def is_data_check(row: Record) -> bool:
    """Whether a result is a check on the data, and not a standard of care."""
    return bool(row["source_id"] == "msds")
