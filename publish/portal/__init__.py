"""The portal: static pages made with each edition from its shipped schemas alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from publish.portal.model import Facts


@dataclass(frozen=True)
class Written:
    """How many pages were written."""

    pages: int


def write(edition_db: Path, out: Path, facts: Facts) -> Written:
    """Write the pages of an edition into the new folder `out`. Reads the edition file only, and read-only."""
    from publish.portal import funnels, reader
    from publish.portal.csv_tables import write_tables
    from publish.portal.site import Site

    with duckdb.connect(str(edition_db), read_only=True) as connection:
        edition = reader.read(connection, facts)
        site = Site(edition, funnels.funnels(connection), out)
        site.write()
        write_tables(connection, out)
        site.origins.write_tables(connection, out)
    return Written(site.pages)


def alert_pages(edition: Path) -> dict[str, str]:
    """Return the page of each alert that a published edition has one for, from the root of the portal, by its id."""
    return {path.stem: f"alert/{path.name}" for path in (edition / "portal" / "alert").glob("*.html")}
