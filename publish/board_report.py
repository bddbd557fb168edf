"""Board reports outside the portal: a trust's page as PDF, and the page with its restricted board return.

The PDF is made from the very page that the portal holds, by WeasyPrint: one layout, and nothing is fetched but the
edition's own files. A restricted report is written beside the restricted files only, for their owner alone.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from perinatal.durable import OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, write_atomically
from perinatal.errors import PerinatalError
from perinatal.opening import open_database
from publish import edition, portal, restricted
from publish.packs import areas
from publish.portal import wording as words
from publish.portal.model import Facts

SHEETS = 1


def page_of(current: Path, trust: str) -> Path:
    """Return the page of a trust's board report in an edition's folder. Raises PerinatalError where there is none."""
    folder = current / "portal" / "board"
    page = folder / f"{words.slug(trust.strip().upper())}.html"
    if not page.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.html"))) or "none"
        raise PerinatalError(f"no board report of {trust!r} in this edition: give a trust's code. Codes: {known}")
    return page


def write_pdf(page: Path, out: Path) -> None:
    """Write a board report as PDF, one A4 sheet. Raises PerinatalError where it cannot be drawn or written."""
    document = _drawn(page)
    if len(document.pages) > SHEETS:
        raise PerinatalError(
            f"{page.name} takes {len(document.pages)} sheets: print the page and choose what to leave out"
        )
    try:
        write_atomically(out.absolute(), document.write_pdf())
    except OSError as error:
        raise PerinatalError(f"{out}: cannot be written ({error.strerror})") from error


def write_of_lms(current: Path, lms: str, folder: Path) -> list[Path]:
    """Write the board reports of an LMS's trusts into `folder` as PDFs; `lms` is its code or name."""
    with open_database(current / edition.DATABASE, read_only=True) as connection:
        code = areas.find(connection, lms).code
        trusts = connection.execute(
            "select distinct code from core.dim_organisation where level = 'trust' and lms_code = $code order by code",
            {"code": code},
        ).fetchall()
    pages = [current / "portal" / "board" / f"{words.slug(trust)}.html" for (trust,) in trusts]
    found = [(page, folder / f"{page.stem}.pdf") for page in pages if page.is_file()]
    for page, pdf in found:
        write_pdf(page, pdf)
    return [pdf for _, pdf in found]


def write_restricted(current: Path, trust: str) -> tuple[Path, Path]:
    """Write a trust's board report with its board return into the edition's `restricted/board/`; returns page and PDF.

    Nobody but the owner can read them, as all that is restricted. Raises PerinatalError where the edition holds no
    board return of the trust.
    """
    code = page_of(current, trust).stem
    rows = restricted.dashboard(current / "restricted", code)
    if not rows:
        raise PerinatalError(
            f"no board return of {code} in this edition: drop the trust's return into the inbox, folder board_return, "
            "and run `perinatal refresh` (docs/templates.md)"
        )
    about = edition.info(current)
    facts = Facts(about["edition_id"], about["published_at"], about["is_synthetic"])
    folder = current / "restricted" / "board"
    folder.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
    page, pdf = folder / f"{code}.html", folder / f"{code}.pdf"
    write_atomically(page, portal.board_report(current / edition.DATABASE, facts, code, rows, "../../portal/"))
    page.chmod(OWNER_ONLY_FILE)
    write_pdf(page, pdf)
    pdf.chmod(OWNER_ONLY_FILE)
    return page, pdf


def _drawn(page: Path) -> Any:
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:  # its C libraries are the system's own
        raise PerinatalError(
            f"a PDF needs Pango, which this machine lacks ({error}): install it (Debian: apt-get install "
            f"libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core), or print {page} from a browser"
        ) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of rules for the screen
    return HTML(filename=str(page), url_fetcher=URLFetcher(allowed_protocols={"file"})).render()
