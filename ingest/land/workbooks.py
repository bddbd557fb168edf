"""Workbooks (xlsx, xls, ods): whether one may be opened, and the table on one sheet of it as CSV.

Sheets are read in a process of their own, under limits: a hostile one (a cell at the far corner makes the reader ask
for half a TB, and abort) cannot take the run with it.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import itertools
import json
import mmap
import re
import shlex
import subprocess
import sys
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingest.land import ods_facts, xls_facts, xlsx_facts
from ingest.land.cell_facts import CellFacts
from ingest.land.csv_text import CsvInfo, info_of
from ingest.land.known_header import LOOKED_AT, Finder, HeaderRow
from ingest.land.sheet_table import Sheet, copy_sheet
from ingest.land.sniff import Kind
from ingest.land.zips import DEFAULT_LIMITS, Limits, check_archive, damaged, holds
from perinatal.dropped_files import Unusable
from perinatal.printable import printable

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

FACTS: Final = {Kind.XLSX: xlsx_facts.facts_of, Kind.ODS: ods_facts.facts_of, Kind.XLS: xls_facts.facts_of}
SHOWN_ROWS: Final = 5  # rows below the header by which a sheet is recognised

MACROS: Final = re.compile(r"(.*/)?vbaproject\.bin|xl/macrosheets/.*|basic/.*|scripts/.*")
EXTERNAL: Final = re.compile(r"xl/externallinks/.*|xl/connections\.xml|xl/querytables/.*")
ODS_EXTERNAL: Final = re.compile(rb"<table:(table-source|cell-range-source|dde-link)|['\"]file://|of:=DDE\(")
ODS_ENCRYPTED: Final = re.compile(rb"manifest:encryption-data")
XLS_MACROS: Final = "_VBA_PROJECT".encode("utf-16-le")
# a SUPBOOK record (0x01AE) whose book name starts with the mark of an encoded path, then printable text
XLS_EXTERNAL: Final = re.compile(
    rb"\xae\x01.{6}(?:\x00\x01[\x01-\x08]?[ -~]{4}|\x01\x01\x00(?:[\x01-\x08]\x00)?(?:[ -~]\x00){4})",
    re.DOTALL,
)


def check_workbook(path: Path, kind: Kind, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a workbook with macros, links to other files, encryption or damage."""
    if kind is Kind.XLSB:
        raise Unusable("xlsb", f"{path.name}: is a binary workbook (xlsb), which is not read; save it as .xlsx or CSV")
    if kind is Kind.XLS:
        with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
            macros, external = content.find(XLS_MACROS) >= 0, XLS_EXTERNAL.search(content) is not None
    else:
        names = [name.lower() for name in check_archive(path, limits)]
        macros = any(MACROS.fullmatch(name) for name in names)
        external = any(EXTERNAL.fullmatch(name) for name in names) or holds(path, "content.xml", ODS_EXTERNAL)
        if holds(path, "META-INF/manifest.xml", ODS_ENCRYPTED):
            raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password")
    if macros:
        raise Unusable("macros", f"{path.name}: holds macros; save it as a plain workbook or CSV")
    if external:
        raise Unusable("external_links", f"{path.name}: links to other files; save its values as CSV")


class WhichSheet(Unusable):
    """Several sheets, of which none or more than one has a known header.

    `heads` are the first rows of each sheet that has such a header, hidden ones too.
    """

    def __init__(self, message: str, heads: dict[str, HeaderRow], first_rows: dict[str, list[list[str]]]) -> None:
        super().__init__("which_sheet", message)
        self.heads, self.first_rows = heads, first_rows


def read_sheet(path: Path, kind: Kind, out: Path, sheet: str | None, limits: Limits, find: Finder) -> CsvInfo:
    """Let a child process write one sheet as CSV, within memory and time: the one named, else the one with a header."""
    raw = out.with_name(f"{out.name}.sheet")
    try:
        answer = _ask_child(path, kind, raw, sheet, limits)
        if "heads" in answer:
            answer = _ask_child(path, kind, raw, _with_header(path, answer["heads"], find), limits)
        if answer["is_empty"]:
            raise Unusable("empty", f"{path.name}: the sheet {answer['sheet']!r} is empty")
        table = copy_sheet(raw, Sheet(path.name, answer["sheet"], answer["left"], _facts(answer["facts"])), out, find)
    finally:
        raw.unlink(missing_ok=True)
    return replace(
        info_of(kind, table.shape, out, encoding="utf-8"),
        sheet=answer["sheet"],
        header_line=table.header_line,
        above=table.above,
        notes=table.notes,
    )


def _with_header(path: Path, heads: list[dict[str, Any]], find: Finder) -> str:
    """Return the one visible sheet with a known header; without any, the only one in use. Raises WhichSheet."""
    found = {head["sheet"]: find(head["rows"][:LOOKED_AT]) for head in heads}
    whole = {name: header for name, header in found.items() if header.is_whole}
    visible: list[str] = [head["sheet"] for head in heads if not head["is_hidden"]]
    known = [name for name in visible if name in whole]
    used = [name for name in visible if any(found[name].cells)]
    if len(known) == 1:
        return known[0]
    if not whole and visible and len(used) < 2:
        return (used or visible)[0]
    there = ", ".join(printable(head["sheet"]) + (" (hidden)" if head["is_hidden"] else "") for head in heads)
    how_many = f"{len(known)} have a known header" if known else "none that is visible has a known header"
    what = f"{path.name}: one sheet is needed, {how_many}; there are: {there}"
    raise WhichSheet(what, whole, {head["sheet"]: head["rows"] for head in heads})


def _ask_child(path: Path, kind: Kind, raw: Path, sheet: str | None, limits: Limits) -> dict[str, Any]:
    """Start the child; returns what it says of the sheet that it has written, or the first rows of all sheets."""
    task = {"path": str(path), "kind": kind, "out": str(raw), "sheet": sheet, **asdict(limits)}
    bounds = f"{limits.sheet_memory:,} bytes of memory or {limits.sheet_seconds} seconds"
    too_much = Unusable("too_large", f"{path.name}: takes more than {bounds} to open; save it as CSV")
    command = [sys.executable, "-m", "ingest.land.workbooks", json.dumps(task)]
    try:
        child = subprocess.run(command, capture_output=True, timeout=2 * limits.sheet_seconds, check=False)
    except subprocess.TimeoutExpired:
        raise too_much from None
    if child.returncode < 0 or b"MemoryError" in child.stderr:
        raise too_much
    if child.returncode != 0:
        last = child.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        line = f"{path.name}: the spreadsheet reader gave up ({printable(''.join(last))}); save it as CSV"
        raise Unusable("reader_failed", line)
    answer: dict[str, Any] = json.loads(child.stdout)
    if "reason" in answer:
        raise Unusable(answer["reason"], answer["message"])
    return answer


def _facts(answer: dict[str, Any]) -> CellFacts:
    """Return the facts of a sheet as the child has printed them."""
    odd = {(row, column): (kind, text) for row, column, kind, text in answer["odd"]}
    merged = [((top, left), (bottom, right)) for top, left, bottom, right in answer["merged"]]
    raised = {(row, column) for row, column in answer["raised"]}
    return CellFacts(odd, merged, answer["hidden_rows"], answer["hidden_columns"], raised=raised)


def _printed(facts: CellFacts) -> dict[str, Any]:
    """Return the facts of a sheet as JSON knows them."""
    odd = [[*at, *what] for at, what in facts.odd.items()]
    merged = [[*first, *last] for first, last in facts.merged]
    return {
        "odd": odd,
        "merged": merged,
        "hidden_rows": facts.hidden_rows,
        "hidden_columns": facts.hidden_columns,
        "raised": sorted(facts.raised),
    }


def _sheet_as_csv(task: dict[str, Any]) -> dict[str, Any]:
    """Do the child's work: writes the sheet that is named or alone; else returns the first rows of all."""
    import python_calamine as calamine

    path = Path(task["path"])
    try:
        book = calamine.load_workbook(path)
        programs = (calamine.SheetTypeEnum.MacroSheet, calamine.SheetTypeEnum.Vba)
        if any(sheet.typ in programs for sheet in book.sheets_metadata):
            raise Unusable("macros", f"{path.name}: holds macros; save it as a plain workbook or CSV")
        tables = [sheet for sheet in book.sheets_metadata if sheet.typ is calamine.SheetTypeEnum.WorkSheet]
        hidden = {sheet.name: sheet.visible is not calamine.SheetVisibleEnum.Visible for sheet in tables}
        if task["sheet"] or len(hidden) == 1:
            return _write_sheet(book, path, _named_sheet(path, [*hidden], task["sheet"] or next(iter(hidden))), task)
        return {"heads": [_head(book, name, is_hidden) for name, is_hidden in hidden.items()]}
    except calamine.PasswordError:
        raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password") from None
    except calamine.CalamineError as error:
        raise damaged(path, error) from None


def _named_sheet(path: Path, names: list[str], asked: str) -> str:
    """Return the sheet that a person has named, whatever its case. Raises Unusable with the names that there are."""
    found = [name for name in names if name == asked] or [n for n in names if n.casefold() == asked.strip().casefold()]
    if found:
        return found[0]
    there = ", ".join(map(printable, names))
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0)
    example = f"for example --sheet {shlex.quote(near[0])}"
    what = f"no sheet is called {printable(asked)!r}; there are: {there}; {example}"
    raise Unusable("which_sheet", f"{path.name}: {what}")


def _head(book: CalamineWorkbook, name: str, is_hidden: bool) -> dict[str, Any]:
    rows = itertools.islice(book.get_sheet_by_name(name).iter_rows(), LOOKED_AT + SHOWN_ROWS)
    return {"sheet": name, "is_hidden": is_hidden, "rows": [[_cell(value) for value in row] for row in rows]}


def _write_sheet(book: CalamineWorkbook, path: Path, name: str, task: dict[str, Any]) -> dict[str, Any]:
    """Write one sheet from its first row on; returns where its rows start and what is special about its cells."""
    sheet = book.get_sheet_by_name(name)
    start = sheet.start
    left = start[1] if start else 0
    facts = FACTS[task["kind"]](path, name) if start else CellFacts()
    rows = (
        [
            _percentage(value) if isinstance(value, float) and (row, column) in facts.percent else _cell(value)
            for column, value in enumerate(cells, start=left)
        ]
        for row, cells in enumerate(sheet.iter_rows())
    )
    with Path(task["out"]).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)
    return {"sheet": name, "is_empty": start is None, "left": left, "facts": _printed(facts)}


def _percentage(value: float) -> str:
    """Return a fraction of one as the percentage that its cell shows, with all its digits: 0.0274 as 2.74%."""
    return f"{Decimal(_cell(value)).scaleb(2).normalize():f}%"


def _cell(value: object) -> str:
    """Return a cell as people see it: whole numbers without a point, at most 15 digits, ISO dates."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def _child() -> None:
    """Read one sheet under limits that the parent sets; prints one JSON document."""
    import resource

    task = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (task["sheet_memory"], task["sheet_memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (task["sheet_seconds"], task["sheet_seconds"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = _sheet_as_csv(task)
    except Unusable as error:
        answer = {"reason": error.reason, "message": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _child()
