"""Trusts that are missing from the newest figures of a source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.model import Record


@dataclass(frozen=True)
class Gap:
    """Trusts that are missing from the newest figures of a source."""

    figures: str
    trusts: Sequence[Record]
    last_seen: date | None

    @property
    def since(self) -> str:
        """Say when the last of them was seen."""
        return f"; last seen in the period to {words.day(self.last_seen)}" if self.last_seen else ""


class Gaps:
    """The gaps of one edition; `missing` are the trusts, each once a publisher however many of its datasets it is."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.trusts = lookup.edition.trusts
        missing = [row for row in lookup.edition.completeness if row.get("is_missing_now")]
        self.missing = list({(row["source_id"], row["trust_code"]): row for row in missing}.values())

    def of(self, column: str, code: str) -> list[Gap]:
        """Return which trusts of an LMS, or which trust, are missing: one gap a source and cadence."""
        return self._gaps(row for row in self.missing if row.get(column) == code)

    def all(self) -> list[Gap]:
        """Return which trusts are missing from the newest figures of a source."""
        return self._gaps(self.missing)

    def _gaps(self, missing: Iterable[Record]) -> list[Gap]:
        found: dict[tuple[str, int], list[Record]] = {}
        for row in missing:
            found.setdefault((row["source_id"], row.get("period_months") or 0), []).append(row)
        return [self._gap(source, months, rows) for (source, months), rows in sorted(found.items())]

    def _gap(self, source: str, months: int, rows: Sequence[Record]) -> Gap:
        seen = [row["newest_reported"] for row in rows if row["newest_reported"]]
        cadence = words.cadence(months)
        return Gap(
            figures=f"newest {cadence} figures of {self.lookup.publisher(source)}".replace("  ", " "),
            trusts=[self.trusts.get(r["trust_code"], {"code": r["trust_code"], "name": None}) for r in rows],
            last_seen=max(seen, default=None),
        )
