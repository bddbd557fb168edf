"""The matrix of SPC icons: the newest variation and assurance of each series, for an organisation and its neighbours.

The vocabulary is that of Making Data Count; the judgement is `marts.signal`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from publish.portal import wording as words
from publish.portal.lookup import ENGLAND, Lookup
from publish.portal.model import Record
from publish.portal.overview import KEY_INDICATORS

MOST_ROWS = 16
NATURE = {
    "special_cause_improvement": ("improve", "special cause, improving"),
    "special_cause_concern": ("concern", "special cause, of concern"),
    "special_cause_neutral_high": ("neutral", "special cause, neither good nor bad"),
    "special_cause_neutral_low": ("neutral", "special cause, neither good nor bad"),
}
ASSURANCE = {
    "consistent_pass": ("pass", "target consistently passed"),
    "consistent_fail": ("fail", "target consistently failed"),
    "inconsistent": ("hit-or-miss", "target hit and missed at random"),
}
ICON_WORDS = (
    ("improve-high", "special cause, improving: H for higher, L for lower values"),
    ("concern-high", "special cause, of concern: H for higher, L for lower values"),
    ("neutral-high", "special cause, neither good nor bad"),
    ("common", "common cause: no significant change"),
    ("pass", "target consistently passed"),
    ("fail", "target consistently failed"),
    ("hit-or-miss", "target hit and missed at random"),
)
ORDER = {"special_cause_concern": 0, "special_cause_improvement": 1, "common_cause": 3}


@dataclass(frozen=True)
class IconCell:
    """Icons of a series' newest point and what they say; `page` is from the root."""

    variation: str
    assurance: str | None
    says: str
    page: str


@dataclass(frozen=True)
class IconRow:
    """An indicator of one source with a cell an organisation, None where it has no SPC chart."""

    name: str
    page: str
    about: Record
    cells: tuple[IconCell | None, ...]


class SpcMatrix:
    """Makes the matrices of one edition."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.newest: dict[tuple[str, str], dict[tuple[str, str], Record]] = defaultdict(dict)
        for (level, code, indicator, source), rows in lookup.edition.signals.items():
            if rows[-1].get("point_type"):
                self.newest[level, code][indicator, source] = rows[-1]

    def of(self, own: tuple[str, str], others: Sequence[tuple[str, str]] = ()) -> list[IconRow]:
        """Return the rows for an organisation, the others beside it, and England; concerns come first."""
        columns = [own, *others, ENGLAND]
        found: dict[tuple[str, str], list[Record | None]] = {}
        for column in columns[:-1]:
            for key in self.newest.get(column, {}):
                found.setdefault(key, [self.newest.get(one, {}).get(key) for one in columns])
        ranked = sorted(found, key=lambda key: self._order(key, found[key]))
        return [self._row(key, found[key]) for key in ranked[:MOST_ROWS]]

    def _order(self, key: tuple[str, str], cells: Sequence[Record | None]) -> tuple[int, int, tuple[str, str]]:
        gravest = min(ORDER.get(cell["point_type"], 2) for cell in cells[:-1] if cell)
        return gravest, list(KEY_INDICATORS).index(key[0]) if key[0] in KEY_INDICATORS else len(KEY_INDICATORS), key

    def _row(self, key: tuple[str, str], cells: Sequence[Record | None]) -> IconRow:
        first = next(cell for cell in cells if cell)
        return IconRow(
            name=first["indicator_name"],
            page=self.lookup.indicator_page(key[0]),
            about=first,
            cells=tuple(self._cell(cell) if cell else None for cell in cells),
        )

    def _cell(self, row: Record) -> IconCell:
        kind, nature = NATURE.get(row["point_type"], ("common", "common cause, no significant change"))
        if kind != "common":
            text = row["special_cause_type"] or ""
            side = "low" if "Below" in text or "Decreasing" in text else "high"
            kind, nature = f"{kind}-{side}", f"{nature}, {'lower' if side == 'low' else 'higher'} values"
        icon, assured = ASSURANCE.get(row.get("assurance") or "", (None, "no target"))
        figure = words.with_unit(row["value"], row["unit"])
        says = (
            f"{row['organisation_name']}, {row['indicator_name']}: {figure}, {words.short_period(row)}; "
            f"{nature}; {assured}"
        )
        level, code = row["level"], words.slug(row["organisation_code"])
        page = self.lookup.indicator_page(row["indicator_id"]) if level == "england" else f"{level}/{code}.html"
        return IconCell(kind, icon, says, page)
