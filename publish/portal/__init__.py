"""The portal: static pages made with each edition from its shipped schemas alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perinatal.made_files import NOTHING, MadeFiles, Since, Standing, read
from perinatal.opening import open_database
from publish.portal.model import Facts, Record


@dataclass(frozen=True)
class Written:
    """How many pages there are; how many of all files were taken over from the edition before."""

    pages: int
    taken_over: int


def write(edition_db: Path, out: Path, facts: Facts, standing: Standing = NOTHING) -> Written:
    """Write the pages of an edition into the new folder `out`. Reads the edition file only, and read-only.

    What would come out as it is in the pages that are `standing` is taken over from there.
    """
    from publish.portal import csv_tables, funnels, query_answers, reader
    from publish.portal.site import Site

    made = MadeFiles(out, Since(facts.edition_id, facts.published_at), standing)
    with open_database(edition_db, read_only=True) as connection:
        edition = reader.read(connection, facts)
        site = Site(edition, funnels.funnels(connection), made)
        site.write()
        found = query_answers.answers(connection, made)
        site.page("queries.html", "queries.html", "downloads.html", queries=found, shown=query_answers.SHOWN)
        csv_tables.write_figures(connection, made, is_synthetic=facts.is_synthetic)
        csv_tables.write_whole(connection, made)
        site.origins.write_tables(connection, made)
        site.write_changes(read(out.parent / "downloads"))
    made.close()
    return Written(site.pages, made.taken_over)


def alert_pages(edition: Path) -> dict[str, str]:
    """Return the page of each alert that a published edition has one for, from the root of the portal, by its id."""
    return {path.stem: f"alert/{path.name}" for path in (edition / "portal" / "alert").glob("*.html")}


def board_report(edition_db: Path, facts: Facts, trust_code: str, dashboard: Sequence[Record], root: str) -> str:
    """Return a trust's board report on a dashboard that is handed in; `root` leads from it to the portal's folder."""
    from publish.portal import reader
    from publish.portal.site import Site

    with open_database(edition_db, read_only=True) as connection:
        made = MadeFiles(Path(), Since(facts.edition_id, facts.published_at))
        site = Site(reader.read(connection, facts), {}, made)
    trust = site.edition.trusts[trust_code]
    return site.text("board.html", root, trust_code, made.now, "trust/index.html", **site.boards.page(trust, dashboard))
