"""The lists of LMSs and trusts, and the pages of the regions."""

from __future__ import annotations

from typing import Any

from publish.portal import wording as words
from publish.portal.gaps import Gaps
from publish.portal.lookup import Lookup
from publish.portal.model import Record
from publish.portal.organisations import OrganisationViews, trust_order
from publish.portal.rows import is_empty
from publish.portal.topics import OUTCOME, topic_of

MOST_FIGURES = 14


class Regions:
    """Builds what the templates `lms_list.html`, `trust_list.html` and `region.html` show."""

    def __init__(self, lookup: Lookup, views: OrganisationViews, gaps: Gaps) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.views = views
        self.gaps = gaps
        self.names = {row["region_code"]: row["region_name"] for row in self.edition.lms if row["region_code"]}

    def page_of(self, region_code: str) -> str:
        """Return the page of a region, from the root."""
        return f"region/{words.slug(region_code)}.html"

    def listed(self) -> list[dict[str, Any]]:
        """Return the regions by name, each with its LMSs: their trusts today, births, how much stands out."""
        ordered = sorted(self.names.items(), key=lambda item: item[1] or "")
        return [
            {"code": code, "name": name, "page": self.page_of(code), "rows": [self._lms(row) for row in self.of(code)]}
            for code, name in ordered
        ]

    def of(self, region_code: str) -> list[Record]:
        """Return the LMSs of a region."""
        return [row for row in self.edition.lms if row["region_code"] == region_code]

    def _lms(self, lms: Record) -> dict[str, Any]:
        code = lms["lms_code"]
        return {
            "lms": lms,
            "trusts": self.views.members.of(code),
            "births": self.edition.births.get(("lms", code)),
            "notable": self.views.attention.count("lms", code),
            "missing": sum(len(gap.trusts) for gap in self.gaps.of("lms_code", code)),
        }

    def region(self, code: str) -> dict[str, Any]:
        """Return the context of a region's page."""
        lms = self.of(code)
        trusts = [trust for row in lms for trust in self.views.members.of(row["lms_code"])]
        values = [value for value in self.lookup.by_organisation["region", code] if not is_empty(value)]
        figures = [value for value in values if topic_of(value.indicator_id).kind == OUTCOME and value.is_current]
        return {
            "region": {"code": code, "name": self.names[code]},
            "entries": [(row, self.views.attention.of("lms", row["lms_code"])) for row in lms],
            "lms_grid": self.views.overview.lms(lms),
            "trust_grid": self.views.overview.trusts(trusts),
            "figures": figures[:MOST_FIGURES],
        }

    def trusts(self) -> dict[str, list[Record]]:
        """Return the trusts of today and the closed ones that have figures, each in order of its name."""
        everybody = sorted(self.edition.trusts.values(), key=trust_order)
        is_open = self.views.members.is_open
        names = {row["lms_code"]: row for row in self.edition.lms}
        described = [trust | {"lms": names.get(trust["lms_code"])} for trust in everybody]
        return {
            "standing": [
                trust | {"setting": self.views.members.setting("trust", trust["code"])}
                for trust in described
                if is_open(trust)
            ],
            "closed": [trust for trust in described if not is_open(trust)],
        }
