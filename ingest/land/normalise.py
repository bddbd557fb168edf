"""Whatever table a publisher sends (CSV, a workbook, or a zip with one of them) as UTF-8 CSV.

What cannot be read without guessing is `Unusable`, with a reason code and one line for people.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from ingest.land.csv_text import CsvInfo, copy_csv
from ingest.land.known_header import Finder, first_text
from ingest.land.sniff import HEAD, SPREADSHEETS, Kind, sniff
from ingest.land.workbooks import check_workbook, read_sheet
from ingest.land.zips import DEFAULT_LIMITS, Limits, chosen, extract, members
from perinatal.dropped_files import Unusable
from perinatal.printable import printable

TITLE: Final = re.compile(r"<title[^>]{0,200}>(.{0,200}?)</title>", re.IGNORECASE | re.DOTALL)
NOT_A_TABLE: Final = {
    Kind.PDF: "a PDF document",
    Kind.XML: "an XML document",
    Kind.JSON: "a JSON document",
    Kind.GZIP: "a gzip archive",
    Kind.ARCHIVE: "an archive of another kind than zip",
    Kind.IMAGE: "an image",
    Kind.PROGRAM: "a program",
    Kind.BINARY: "binary data of no known kind",
}


def normalise_to_utf8_csv(
    path: Path,
    out: Path,
    *,
    sheet: str | None = None,
    member: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    find: Finder = first_text,
) -> CsvInfo:
    """Write the table in `path` to `out` as UTF-8 CSV from its header on; with Unusable raised, there is no `out`.

    `sheet` names the sheet wanted, `member` is a regular expression for the zip member (case does not count); they are
    needed only where there are several that could be meant. `find` tells the header. Works on a copy that nobody
    writes to.
    """
    try:
        kind = sniff(path)
        if kind is Kind.ZIP:
            return _normalise_member(path, out, member, sheet, limits, find)
        return _normalise(path, kind, out, sheet, limits, find)
    except Unusable:
        out.unlink(missing_ok=True)
        raise


def _normalise_member(
    path: Path, out: Path, member: str | None, sheet: str | None, limits: Limits, find: Finder
) -> CsvInfo:
    """Unpack the one wanted file of a zip beside `out` and write it as CSV."""
    names = members(path, limits)
    name = chosen(path, "member", names, member)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".member-") as folder:
        copy = Path(folder) / PurePosixPath(name).name
        extract(path, name, copy)
        inner = sniff(copy)
        if inner in {Kind.ZIP, Kind.GZIP, Kind.ARCHIVE}:
            raise Unusable("nested_archive", f"{path.name}: holds another archive ({printable(name)})")
        return replace(_normalise(copy, inner, out, sheet, limits, find), member=name)


def _normalise(path: Path, kind: Kind, out: Path, sheet: str | None, limits: Limits, find: Finder) -> CsvInfo:
    """Write one file that is no zip as CSV."""
    if kind is Kind.CSV:
        return copy_csv(path, out, find)
    if kind in SPREADSHEETS:
        check_workbook(path, kind, limits)
        return read_sheet(path, kind, out, sheet, limits, find)
    if kind is Kind.EMPTY:
        raise Unusable("empty", f"{path.name}: is empty; fetch it again")
    if kind is Kind.ENCRYPTED:
        raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password")
    if kind is Kind.HTML:
        with path.open("rb") as handle:
            title = TITLE.search(handle.read(HEAD).decode("utf-8", "replace"))
        named = f" titled {printable(' '.join(title[1].split()))!r}" if title else ""
        raise Unusable("html", f"{path.name}: is a web page{named}, not a table; download the file itself")
    raise Unusable("not_a_table", f"{path.name}: is {NOT_A_TABLE[kind]}, not a table")
