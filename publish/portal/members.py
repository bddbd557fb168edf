"""Who an organisation is: its trusts today and those that closed, births, neonatal care, deprivation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from publish.portal.lookup import Lookup
from publish.portal.model import Record

MORTALITY = ("extended_perinatal_mortality_rate", "mbrrace")
# MBRRACE-UK's groups in words: level 3 is neonatal intensive care (NICU); the other groups go by births a year
NEONATAL_CARE = {
    "Level 3 NICU & neonatal surgery": "NICU with surgery",
    "Level 3 NICU": "NICU",
    "4,000 or more births": "no NICU",
    "2,000-3,999 births": "no NICU",
    "Under 2,000 births": "no NICU",
}


@dataclass(frozen=True)
class Setting:
    """What a figure is read beside; None where no source of the edition holds it.

    `births` a year, `deprived` the percentage of women booked who live in the most deprived fifth of areas, each the
    record of its query with `value`, `period_label` and `release_key`; `neonatal_care` in words.
    """

    births: Record | None
    deprived: Record | None
    neonatal_care: str | None


class Members:
    """The trusts of each LMS and what is known about each organisation."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.edition = lookup.edition
        self.today = date.fromisoformat(self.edition.facts.published_at[:10])

    @cached_property
    def _of_lms(self) -> dict[tuple[str, bool], list[Record]]:
        found: dict[tuple[str, bool], list[Record]] = defaultdict(list)
        for trust in self.edition.trusts.values():
            if trust["lms_code"]:
                found[trust["lms_code"], self.is_open(trust)].append(trust)
        return found

    @cached_property
    def _with_figures(self) -> set[str]:
        """Return the codes of trusts that the newest figures of a source name."""
        return {value.code for value in self.edition.values if value.level == "trust" and value.is_current}

    def is_open(self, trust: Record) -> bool:
        """Whether a trust stands on the day of the edition."""
        return not trust["closed_on"] or trust["closed_on"] > self.today

    def of(self, lms_code: str) -> list[Record]:
        """Return the trusts of an LMS that provide maternity care today: those with figures, or all if none has."""
        standing = self._of_lms.get((lms_code, True), [])
        with_figures = [trust for trust in standing if trust["code"] in self._with_figures]
        return with_figures or standing

    def others_of(self, lms_code: str) -> list[Record]:
        """Return the trusts of an LMS that stand, but that no newest figures name."""
        mine = self.of(lms_code)
        return [trust for trust in self._of_lms.get((lms_code, True), []) if trust not in mine]

    def closed_of(self, lms_code: str) -> list[Record]:
        """Return the closed trusts of an LMS that have figures of their own."""
        return [trust for trust in self._of_lms.get((lms_code, False), []) if trust["has_values"]]

    def setting(self, level: str, code: str) -> Setting:
        """Return what is known about an LMS or a trust."""
        return Setting(
            births=self.edition.births.get((level, code)),
            deprived=self.edition.deprived.get((level, code)),
            neonatal_care=self._neonatal_care(code) if level == "trust" else None,
        )

    def settings(self, trusts: Sequence[Record]) -> list[tuple[Record, Setting]]:
        """Return each trust with what is known about it."""
        return [(trust, self.setting("trust", trust["code"])) for trust in trusts]

    def _neonatal_care(self, code: str) -> str | None:
        value = self.lookup.one.get(("trust", code, *MORTALITY))
        return NEONATAL_CARE.get(value.comparator_name or "") if value else None
