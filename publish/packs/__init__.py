"""What an LMS downloads: one workbook, CSV and Parquet of its tables, dictionary, `datapackage.json`, changes.

A pack holds rows of shipped tables and nothing else, so nothing masked can be in it. Tables that know the LMS are cut
to it; the region's and England's figures stand beside them for comparison (values for everybody; the whole tables are
in the edition's downloads). Text is never a formula: a workbook's cells are written as strings, a CSV's are
neutralised.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from perinatal import worker_processes
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


def write_all(edition_db: Path, folder: Path, facts: dict[str, Any], workers: int = 2) -> int:
    """Write the pack of every LMS into `folder`/<lms_code>/; returns how many.

    One query cuts a table for all LMSs; the workbooks, which take longest, are shared among processes.
    """
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts)
        everyone = [areas.find(connection, code) for code in areas.codes(connection)]
        for lms in everyone:
            (folder / lms.code).mkdir(parents=True)
        for item in packer.tables:
            packer.cut(item.table, everyone, folder)
    codes = [lms.code for lms in everyone]
    if workers < 2 or multiprocessing.current_process().daemon:  # a daemon may have no children
        _complete_some(edition_db, codes, folder, facts)
    else:
        with worker_processes.pool(workers) as pool:
            shares = [codes[start::workers] for start in range(workers)]
            list(pool.map(_complete_some, *zip(*((edition_db, share, folder, facts) for share in shares), strict=True)))
    return len(everyone)


def _complete_some(edition_db: Path, codes: Sequence[str], folder: Path, facts: dict[str, Any]) -> None:
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts)
        for code in codes:
            packer.complete(areas.find(connection, code), folder / code)
