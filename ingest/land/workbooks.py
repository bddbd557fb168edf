"""Workbooks (xlsx, xlsb, xls, ods): whether one may be opened, and one sheet of it as CSV.

Sheets are read in a process of their own, under limits: a hostile one (a cell at the far corner makes the reader ask
for half a TB, and abort) cannot take the run with it.
"""

from __future__ import annotations

import datetime as dt
import json
import mmap
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from ingest.land.csv_text import CsvInfo, Shape, info_of, write_rows
from ingest.land.sniff import Kind
from ingest.land.zips import DEFAULT_LIMITS, Limits, check_archive, chosen, damaged, holds
from perinatal.dropped_files import Unusable
from perinatal.printable import printable

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


def read_sheet(path: Path, kind: Kind, out: Path, sheet: str | None, limits: Limits) -> CsvInfo:
    """Let a child process write one sheet as CSV, within memory and time."""
    task = {"path": str(path), "out": str(out), "sheet": sheet, **asdict(limits)}
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
    answer = json.loads(child.stdout)
    if "reason" in answer:
        raise Unusable(answer["reason"], answer["message"])
    shape = Shape(**answer["shape"] | {"columns": tuple(answer["shape"]["columns"])})
    if not shape.columns:
        raise Unusable("empty", f"{path.name}: the sheet {answer['sheet']!r} is empty")
    return replace(info_of(kind, shape, out, encoding="utf-8"), sheet=answer["sheet"])


def _sheet_as_csv(task: dict[str, Any]) -> dict[str, Any]:
    """Do the child's work; returns the sheet's name and shape. Raises Unusable."""
    import python_calamine as calamine

    path = Path(task["path"])
    try:
        book = calamine.load_workbook(path)
        programs = (calamine.SheetTypeEnum.MacroSheet, calamine.SheetTypeEnum.Vba)
        if any(sheet.typ in programs for sheet in book.sheets_metadata):
            raise Unusable("macros", f"{path.name}: holds macros; save it as a plain workbook or CSV")
        visible = [s.name for s in book.sheets_metadata if s.visible is calamine.SheetVisibleEnum.Visible]
        named = [n for n in visible if task["sheet"] is None or re.fullmatch(task["sheet"], n, re.IGNORECASE)]
        if len(named) > 1:
            named = [name for name in named if book.get_sheet_by_name(name).end is not None]
        name = named[0] if len(named) == 1 else chosen(path, "sheet", named or visible, task["sheet"])
        rows = ([_cell(value) for value in row] for row in book.get_sheet_by_name(name).iter_rows())
        return {"sheet": name, "shape": vars(write_rows(rows, Path(task["out"])))}
    except calamine.PasswordError:
        raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password") from None
    except calamine.CalamineError as error:
        raise damaged(path, error) from None


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
