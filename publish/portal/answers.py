"""What trusts and local maternity systems say to their figures, beside the figure: from `marts.annotation`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from publish.portal.model import Record, Value

EVERY_FIGURE = "all"


class Answers:
    """The answers of one edition, newest first."""

    def __init__(self, rows: Sequence[Record]) -> None:
        self.rows = rows
        self._of: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for row in rows:
            self._of[row["level"], row["organisation_code"]].append(row)

    def of(self, level: str, code: str) -> list[Record]:
        """Return everything that an organisation has answered."""
        return self._of.get((level, code), [])

    def about(self, indicator_id: str) -> list[Record]:
        """Return what all organisations have answered to an indicator."""
        return [row for row in self.rows if row["indicator_id"] == indicator_id]

    def beside(self, value: Value) -> list[Record]:
        """Return what an organisation has answered to this figure: its indicator, and a period that it falls into."""
        return self.to(value.level, value.code, value.indicator_id, value.period_start, value.period_end)

    def to(self, level: str, code: str, indicator_id: str, start: Any, end: Any) -> list[Record]:
        """Return the answers to an indicator whose period shares a day with the one given, or that name none."""
        return [
            row
            for row in self.of(level, code)
            if row["indicator_id"] == indicator_id
            and (row["period_start"] is None or (row["period_start"] <= end and row["period_end"] >= start))
        ]
