"""What an LMS downloads: a workbook to read, CSV and Parquet of its tables, dictionary, `datapackage.json`, changes.

A pack holds rows of shipped tables and nothing else, so nothing masked can be in it. The workbook has at most eight
sheets (`sheets`), of figures that are read once for all LMSs (`figures`). Tables that know the LMS are cut to it; the
region's and England's figures stand beside them for comparison (values for everybody; the whole tables are in the
edition's downloads). Text is never a formula: a workbook's cells are written as strings, a CSV's are neutralised.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from perinatal.made_files import MadeFiles
from perinatal.opening import open_database
from publish.packs import areas
from publish.packs.packer import Packer


def write(edition_db: Path, lms_code: str, out: Path) -> Path:
    """Copy the pack of one LMS from the published edition of this file into the folder `out`; returns it.

    Raises PerinatalError for an LMS that the edition does not know.
    """
    with open_database(edition_db, read_only=True) as connection:
        lms = areas.find(connection, lms_code)
    pack = edition_db.parent / "downloads" / folder_of(lms)
    shutil.copytree(pack, out, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return out


def folder_of(lms: areas.Lms) -> str:
    """Return the folder of an LMS's pack in an edition's downloads."""
    return f"lms/{lms.code}/"


def write_all(edition_db: Path, made: MadeFiles, *, is_synthetic: bool) -> int:
    """Write the pack of every LMS among the downloads of an edition; returns how many.

    One query cuts a table for all LMSs, and a few queries read what all workbooks show.
    """
    with open_database(edition_db, read_only=True) as connection:
        packer = Packer(connection, made, is_synthetic=is_synthetic)
        folders = {folder_of(lms): lms for lms in areas.everyone(connection)}
        for item in packer.tables:
            packer.cut(item.table, folders)
        for folder, lms in folders.items():
            packer.complete(lms, folder)
    return len(folders)
