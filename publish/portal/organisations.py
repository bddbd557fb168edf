"""The pages of an LMS and of a trust: who it is, what stands out, ambitions, what is late, figures, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from publish.portal import wording as words
from publish.portal.attention import Attention
from publish.portal.gaps import Gaps
from publish.portal.key_figures import KeyFigures
from publish.portal.lookup import Lookup
from publish.portal.members import Members
from publish.portal.model import Record, Value
from publish.portal.overview import Overview
from publish.portal.pictures import Pictures
from publish.portal.quality import newest_releases
from publish.portal.recording import Recording, is_data_check
from publish.portal.rows import Rows, by_gap
from publish.portal.spc_matrix import SpcMatrix

MOST_GROUPS = 60
MOST_DOUBTED = 40


class OrganisationViews:
    """Builds what the templates `lms.html`, `trust.html` and `recording.html` show."""

    def __init__(self, lookup: Lookup, pictures: Pictures, gaps: Gaps) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.pictures = pictures
        self.gaps = gaps
        self.members = Members(lookup)
        self.attention = Attention(lookup)
        self.overview = Overview(lookup, self.members)
        self.recording = Recording(lookup)
        self.rows = Rows(lookup)
        self.key_figures = KeyFigures(lookup, pictures, self.overview.columns)
        self.matrix = SpcMatrix(lookup)
        self.england = {
            row["ambition_id"]: row
            for row in sorted(self.edition.actuals, key=lambda row: (row["year"], row["period"]))
            if row["is_headline"]
        }
        late = [row for row in newest_releases(self.edition) if row["late"][0] == "Late"]
        self.late = sorted(late, key=lambda row: row["health"].get("latest_period_end") or date.min, reverse=True)

    def lms(self, lms: Record) -> dict[str, Any]:
        """Return the context of an LMS page."""
        code = lms["lms_code"]
        trusts = self.members.of(code)
        values = self.lookup.by_organisation["lms", code]
        own = [*values, *(v for trust in trusts for v in self.lookup.by_organisation["trust", trust["code"]])]
        return {
            "lms": lms,
            "trusts": self.members.settings(trusts),
            "other_trusts": self.members.others_of(code),
            "closed": self.members.closed_of(code),
            "grid": self.overview.trusts(trusts),
            "funnels": self.pictures.funnels_with({trust["code"] for trust in trusts}),
            "incomplete": by_gap(value for value in values if value.is_incomplete and value.value_min is not None),
            "changes": [row for row in self.edition.change_counts if row["lms_code"] == code],
            "has_recording": bool(self.recording.checks(trusts)),
            "notable": self.attention.of("lms", code, [trust["code"] for trust in trusts]),
            "icons": self.matrix.of(("lms", code), [("trust", trust["code"]) for trust in trusts]),
            "icon_heads": ["Whole LMS", *(words.without_nhs(trust["name"]) for trust in trusts), "England"],
            **self._shared("lms", code, values),
            **self._doubted(own),
            "missing": self.gaps.of("lms_code", code),
        }

    def trust(self, trust: Record) -> dict[str, Any]:
        """Return the context of a trust page."""
        code = trust["code"]
        values = self.lookup.by_organisation["trust", code]
        lms = next((row for row in self.edition.lms if row["lms_code"] == trust["lms_code"]), None)
        return {
            "trust": trust,
            "lms": lms,
            "is_open": self.members.is_open(trust),
            "board": [
                row | {"beside": self.lookup.beside(code, row) if row["indicator_id"] else None}
                for row in self.edition.board.get(code, [])
            ],
            "funnels": self.pictures.funnels_with({code}),
            "compliance": [row for row in self.edition.compliance.get(code, []) if not is_data_check(row)],
            "has_recording": lms is not None and bool(self.recording.checks([trust])),
            "notable": self.attention.of("trust", code),
            "icons": self.matrix.of(("trust", code)),
            "icon_heads": ["This trust", "England"],
            **self._shared("trust", code, values),
            **self._doubted(values),
            "missing": self.gaps.of("trust_code", code),
        }

    def recording_of(self, lms: Record) -> dict[str, Any]:
        """Return the context of the page of an LMS's recording measures."""
        trusts = self.members.of(lms["lms_code"])
        return {"lms": lms, "trusts": trusts, "checks": self.recording.checks(trusts)}

    def _shared(self, level: str, code: str, values: Sequence[Value]) -> dict[str, Any]:
        shown, drawn = self.rows.of(values), self.rows.drawn(values)
        return {
            "setting": self.members.setting(level, code),
            "positions": self._positions(level, code),
            "late": self.late,
            "shown": shown,
            "spine": self.key_figures.spine(level, code),
            **self.key_figures.over_time(drawn),
            "charts": self.pictures.spc_charts(level, code, drawn),
            "inequality": self.inequality(level, code),
            "warnings": sorted(_warnings(shown)),
        }

    def _positions(self, level: str, code: str) -> list[dict[str, Any]]:
        """Return the five ambitions, each with the organisation's positions; where it has none, England's newest."""
        found = self.lookup.positions[level, code]
        return [
            {
                "about": about,
                "rows": [row for row in found if row["ambition_id"] == about["ambition_id"]],
                "england": self.england.get(about["ambition_id"]),
            }
            for about in self.edition.ambitions
        ]

    def _doubted(self, values: Iterable[Value]) -> dict[str, Any]:
        """Return the newest values with a warning of a fault: not believable, sent in part, resting on few records."""
        found = [
            (value, sorted(faults))
            for value in values
            if value.is_current and (faults := set(value.usage_warnings) & self.edition.faults)
        ]
        return {"doubted": found[:MOST_DOUBTED], "doubted_left_out": max(0, len(found) - MOST_DOUBTED)}

    def inequality(self, level: str, code: str) -> dict[str, Any]:
        """Return the rates by ethnicity and deprivation, a part an indicator and kind of group."""
        rows = self.edition.inequality.get((level, code), [])
        parts: dict[tuple[str, str], list[Record]] = {}
        for row in rows[:MOST_GROUPS]:
            parts.setdefault((row["indicator_name"], row["breakdown"]), []).append(row)
        return {"parts": parts, "left_out": max(0, len(rows) - MOST_GROUPS)}


def _warnings(shown: dict[str, Any]) -> set[str]:
    topics = [rows for kind in ("outcome", "process", "setting") for rows in shown[kind].values()]
    return {word for rows in topics for row in rows for word in row.value.usage_warnings}


def trust_order(trust: Record) -> str:
    """Return what trusts are listed by: the name without a leading article."""
    return words.without_nhs(trust["name"] or trust["code"]).removeprefix("The ")
