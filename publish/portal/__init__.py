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
    from publish.portal import answers, api, funnels, reader
    from publish.portal.csv_tables import write_tables
    from publish.portal.site import Site

    with duckdb.connect(str(edition_db), read_only=True) as connection:
        edition = reader.read(connection, facts)
        site = Site(edition, funnels.funnels(connection), out)
        site.write()
        found = answers.answers(connection, out / "queries")
        site.page("queries.html", "queries.html", "downloads.html", answers=found, shown=answers.SHOWN)
        write_tables(connection, out)
        api.write(connection, out / "api", facts)
    return Written(site.pages)
