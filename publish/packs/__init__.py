"""What an LMS downloads: a workbook to read, CSV and Parquet of its tables, dictionary, `datapackage.json`, changes.

A pack holds rows of shipped tables and nothing else, so nothing masked can be in it. The workbook has at most eight
sheets (`sheets`), of figures that are read once for all LMSs (`figures`). Tables that know the LMS are cut to it; the
region's and England's figures stand beside them for comparison (values for everybody; the whole tables are in the
edition's downloads). Text is never a formula: a workbook's cells are written as strings, a CSV's are neutralised.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from publish import edition
from publish.packs import areas
from publish.packs.packer import Packer


def write(edition_db: Path, lms_code: str, out: Path, facts: dict[str, Any] | None = None) -> Path:
    """Write the pack of one LMS into the folder `out`, which is made; returns it.

    `facts` is `edition.json`; if not handed in it is read from beside the file. Raises PerinatalError for an LMS that
    the edition does not know.
    """
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts or edition.info(edition_db.parent))
        lms = areas.find(connection, lms_code)
        out.mkdir(parents=True, exist_ok=True)
        packer.tables_of(lms, out)
        packer.complete(lms, out)
    return out


def write_all(edition_db: Path, folder: Path, facts: dict[str, Any]) -> int:
    """Write the pack of every LMS into `folder`/<lms_code>/; returns how many.

    One query cuts a table for all LMSs, and a few queries read what all workbooks show.
    """
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts)
        everyone = [areas.find(connection, code) for code in areas.codes(connection)]
        for lms in everyone:
            (folder / lms.code).mkdir(parents=True)
        for item in packer.tables:
            packer.cut(item.table, everyone, folder)
        for lms in everyone:
            packer.complete(lms, folder / lms.code)
    return len(everyone)
