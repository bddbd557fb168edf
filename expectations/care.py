"""News of care: what stands out about an LMS since the last edition. Apart from alerts, which are about data quality.

Nobody accepts or closes it, and it is in no table of an edition: `edition.json` has it, so no content hash does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CareNotice:
    """One new entry of what stands out: for which LMS, in words, with the page (below the portal) that shows it."""

    edition_id: str
    lms_code: str
    lms_name: str
    subject: str
    text: str
    page: str

    @classmethod
    def read(cls, edition_id: str, record: Mapping[str, Any]) -> CareNotice:
        """Read one from the `care` of an edition's `edition.json`."""
        return cls(edition_id, *(str(record[name]) for name in ("lms_code", "lms_name", "subject", "text", "page")))

    @property
    def key(self) -> str:
        """Return what the log of deliveries knows it by."""
        return f"care/{self.lms_code}/{self.subject}"


def message(notices: Sequence[CareNotice], portal_url: str) -> tuple[str, str]:
    """Return title and text of one message about notices of one LMS."""
    title = f"Perinatal Insights [care]: {len(notices)} new for {notices[0].lms_name}"
    site = f"{portal_url.rstrip('/')}/" if portal_url else ""
    intro = "New since the last edition among what stands out about care. It is a prompt to look, not a finding."
    return title, "\n\n".join([intro, *(f"{notice.text}\n{site}{notice.page}" for notice in notices)])
