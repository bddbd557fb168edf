"""Incoming files, trusted in nothing: what they are by their bytes, whether they may come in, and as CSV.

`normalise_to_utf8_csv` turns what publishers send (CSV in any usual encoding, xlsx, xls, ods, or a zip with
one of them) into UTF-8 CSV with LF line ends, cell texts as they stand. It repairs nothing: what cannot be
read without guessing is `Unusable`, with a reason code and one line for people. Memory stays at a few MB
for CSV of any size. Spreadsheets are read in a process of their own, under limits: a hostile one (a cell at
the far corner makes the reader ask for half a TB, and abort) cannot take the run with it.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
import io
import itertools
import json
import mmap
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Final, TextIO

from perinatal.dropped_files import Unusable, checked_name
from perinatal.printable import printable

HEAD: Final = 1 << 16  # bytes looked at to tell what a file is
LINE_LIMIT: Final = 16 << 20  # characters of one line
EXPANSION_FLOOR: Final = 16 << 20  # bytes; archives below it may expand by any factor
DELIMITERS: Final = ",;\t|"


class Kind(StrEnum):
    """What a file is, by its bytes."""

    CSV = "csv"
    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    ZIP = "zip"
    HTML = "html"
    PDF = "pdf"
    XML = "xml"
    JSON = "json"
    GZIP = "gzip"
    ARCHIVE = "archive"
    IMAGE = "image"
    PROGRAM = "program"
    ENCRYPTED = "encrypted"
    BINARY = "binary"
    EMPTY = "empty"


SPREADSHEETS: Final = frozenset({Kind.XLSX, Kind.XLSB, Kind.XLS, Kind.ODS})
# what `normalise_to_utf8_csv` deals with, refusals included; anything else is for a source's own `to_csv`
TABLES: Final = SPREADSHEETS | {Kind.CSV, Kind.ZIP, Kind.EMPTY, Kind.ENCRYPTED}


@dataclass(frozen=True)
class Limits:
    """Bounds. Sizes in bytes, times in seconds; `ratio` is expanded over packed size."""

    expanded: int = 4 << 30
    ratio: int = 200
    members: int = 2000
    sheet_memory: int = 2 << 30
    sheet_seconds: int = 300


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class CsvInfo:
    """What was found on the way to CSV.

    `columns` is the first row with any text, `rows` counts those below it; `short_rows` and `long_rows` of
    them have fewer or more cells. `odd_bytes` were not UTF-8 and are read as Windows-1252. `sha256` is that
    of the CSV written. `sheet` and `member` say where in a workbook or zip the table stood.
    """

    kind: Kind
    encoding: str
    rows: int
    columns: tuple[str, ...]
    short_rows: int
    long_rows: int
    odd_bytes: int
    sha256: str
    sheet: str | None = None
    member: str | None = None


# --- what is it? ------------------------------------------------------------------------------------------

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAGIC: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"%PDF-", Kind.PDF),
    (b"\x1f\x8b", Kind.GZIP),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"BZh91AY", Kind.ARCHIVE),
    (b"\xfd7zXZ\x00", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),
    (b"\x89PNG", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF8", Kind.IMAGE),
    (b"\x7fELF", Kind.PROGRAM),
    (b"MZ\x90\x00", Kind.PROGRAM),
)
BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MARKUP: Final = re.compile(
    r"(?>(?:<!--.*?-->|<\?xml[^>]*>)\s*)*+<(!doctype\s+html|html|head|body|meta|script)\b",
    re.IGNORECASE | re.DOTALL,
)
TITLE: Final = re.compile(r"<title[^>]{0,200}>(.{0,200}?)</title>", re.IGNORECASE | re.DOTALL)
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
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


def sniff(path: Path) -> Kind:
    """Tell what a file is by its bytes; its name counts for nothing."""
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path)
    if head.startswith(OLE):
        return _ole_kind(path)
    found = next((kind for magic, kind in MAGIC if head.startswith(magic)), None)
    return found or _text_kind(head)


def _zip_kind(path: Path) -> Kind:
    """Tell a workbook from a zip; a damaged one is a zip still, and refused on reading."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return Kind.XLSX
            if "xl/workbook.bin" in names:
                return Kind.XLSB
            if "mimetype" in names and "content.xml" in names:
                return Kind.ODS
    except ZIP_TROUBLE:
        pass
    return Kind.ZIP


def _ole_kind(path: Path) -> Kind:
    """Tell an xls from an encrypted workbook and from other old Office files, by the names of its streams."""
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find("EncryptedPackage".encode("utf-16-le")) >= 0:
            return Kind.ENCRYPTED
        books = ("Workbook", "Book")
        return Kind.XLS if any(content.find(b.encode("utf-16-le")) >= 0 for b in books) else Kind.BINARY


def _text_kind(head: bytes) -> Kind:
    """Tell a table from other text, and text from binary data."""
    text = head.decode(_codec(head), "replace").lstrip("\ufeff \t\r\n")
    if not text:
        return Kind.EMPTY
    if len(CONTROLS.findall(text)) > 2 + len(text) // 100:
        return Kind.BINARY
    if MARKUP.match(text):
        return Kind.HTML
    if text.startswith("<"):
        return Kind.XML
    return Kind.JSON if re.match(r'\{\s*"|\[\s*[\[{]', text) else Kind.CSV


def _codec(head: bytes) -> str:
    """Return the codec of a text by its byte order mark, or by its zeros where UTF-16 comes without one."""
    for bom, codec in BOMS:
        if head.startswith(bom):
            return codec
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) > 0.4 * half > 5 * head[::2].count(0):
        return "utf-16-le"
    if head[::2].count(0) > 0.4 * half > 5 * head[1::2].count(0):
        return "utf-16-be"
    return "utf-8-sig"


# --- archives and workbooks -------------------------------------------------------------------------------

ZIP_TROUBLE: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
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
JUNK: Final = re.compile(r"(^|.*/)(__MACOSX/.*|\.[^/]*|Thumbs\.db|desktop\.ini)$")


def check_archive(path: Path, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Return the names of a zip's files (workbooks are zips too) if it is safe to open; else Unusable.

    Refused: names that lead out, links, encryption, too many members, and more expanded bytes than the limits
    allow. The sizes that a zip declares are held to when its members are read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except ZIP_TROUBLE as error:
        raise _damaged(path, error) from None
    for member in members:
        checked_name(member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise Unusable("link", f"{path.name}: holds a link ({printable(member.filename)})")
        if member.flag_bits & 1:
            raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password")
    names = [member.filename for member in members if not member.is_dir()]
    if len(set(names)) < len(names):
        raise Unusable("damaged", f"{path.name}: holds two files of the same name")
    if len(members) > limits.members:
        raise Unusable("zip_bomb", f"{path.name}: holds {len(members):,} files, more than {limits.members:,}")
    expanded, packed = sum(member.file_size for member in members), path.stat().st_size
    if expanded > limits.expanded or expanded > max(limits.ratio * packed, EXPANSION_FLOOR):
        what = f"expands from {packed:,} to {expanded:,} bytes, more than the limits allow"
        raise Unusable("zip_bomb", f"{path.name}: {what}")
    return names


def members(path: Path, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Return the names of a safe zip's files without the litter that machines leave in it; else Unusable."""
    return [name for name in check_archive(path, limits) if not JUNK.fullmatch(name)]


def _damaged(path: Path, error: Exception) -> Unusable:
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return Unusable("damaged", f"{path.name}: is damaged and cannot be opened ({detail}); fetch it again")


def check_workbook(path: Path, kind: Kind, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a workbook with macros, links to other files, encryption or damage."""
    if kind is Kind.XLS:
        with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
            macros, external = content.find(XLS_MACROS) >= 0, XLS_EXTERNAL.search(content) is not None
    else:
        names = [name.lower() for name in check_archive(path, limits)]
        macros = any(MACROS.fullmatch(name) for name in names)
        external = any(EXTERNAL.fullmatch(name) for name in names) or _holds(path, "content.xml", ODS_EXTERNAL)
        if _holds(path, "META-INF/manifest.xml", ODS_ENCRYPTED):
            raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password")
    if macros:
        raise Unusable("macros", f"{path.name}: holds macros; save it as a plain workbook or CSV")
    if external:
        raise Unusable("external_links", f"{path.name}: links to other files; save its values as CSV")


def _holds(path: Path, member: str, pattern: re.Pattern[bytes]) -> bool:
    """Tell whether a member of a zip, where there is one, matches anywhere; read in pieces."""
    try:
        with zipfile.ZipFile(path) as archive:
            if member not in archive.namelist():
                return False
            with archive.open(member) as stream:
                tail = b""
                while piece := stream.read(HEAD):
                    if pattern.search(tail + piece):
                        return True
                    tail = piece[-64:]
    except ZIP_TROUBLE as error:
        raise _damaged(path, error) from None
    return False


def extract(path: Path, name: str, target: Path) -> None:
    """Copy one member out; zipfile gives no more than the declared size and checks the sum."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
    except ZIP_TROUBLE as error:
        raise _damaged(path, error) from None


def _chosen(path: Path, what: str, names: list[str], pattern: str | None) -> str:
    """Return the one name that the pattern fits (None fits all); else Unusable, with what there is."""
    fitting = [name for name in names if pattern is None or re.fullmatch(pattern, name, re.IGNORECASE)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(printable(name) for name in names[:12]) or "none"
    asked = f"{len(fitting)} fit {pattern!r}" if pattern else f"it is not said which of {len(names)}"
    raise Unusable(f"which_{what}", f"{path.name}: one {what} is needed, {asked}; there are: {there}")


# --- as CSV -----------------------------------------------------------------------------------------------


def normalise_to_utf8_csv(
    path: Path,
    out: Path,
    *,
    sheet: str | None = None,
    member: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> CsvInfo:
    """Write the table in `path` to `out` as UTF-8 CSV; with Unusable raised, there is no `out`.

    `sheet` and `member` are regular expressions for the one sheet or zip member wanted (case does not count);
    they are needed only where there are several with content. Works on a copy that nobody writes to.
    """
    try:
        kind = sniff(path)
        if kind is Kind.ZIP:
            return _normalise_member(path, out, member, sheet, limits)
        return _normalise(path, kind, out, sheet, limits)
    except Unusable:
        out.unlink(missing_ok=True)
        raise


def _normalise_member(path: Path, out: Path, member: str | None, sheet: str | None, limits: Limits) -> CsvInfo:
    """Unpack the one wanted file of a zip beside `out` and write it as CSV."""
    names = members(path, limits)
    name = _chosen(path, "member", names, member)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".member-") as folder:
        copy = Path(folder) / PurePosixPath(name).name
        extract(path, name, copy)
        inner = sniff(copy)
        if inner in {Kind.ZIP, Kind.GZIP, Kind.ARCHIVE}:
            raise Unusable("nested_archive", f"{path.name}: holds another archive ({printable(name)})")
        return replace(_normalise(copy, inner, out, sheet, limits), member=name)


def _normalise(path: Path, kind: Kind, out: Path, sheet: str | None, limits: Limits) -> CsvInfo:
    """Write one file that is no zip as CSV."""
    if kind is Kind.CSV:
        return _copy_csv(path, out)
    if kind in SPREADSHEETS:
        check_workbook(path, kind, limits)
        return _read_sheet_apart(path, kind, out, sheet, limits)
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


@dataclass
class _Shape:
    """What rows look like as they pass: widths in cells."""

    columns: tuple[str, ...] = ()
    rows: int = 0
    short_rows: int = 0
    long_rows: int = 0
    last_width: int = 0
    narrowest_before_last: int = sys.maxsize

    def watch(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        """Hand rows through and count. Rows without any text are handed through, not counted."""
        for row in rows:
            if any(row):
                self._see(row)
            yield row

    def _see(self, row: list[str]) -> None:
        width = len(row)
        if self.columns:
            self.rows += 1
            self.narrowest_before_last = min(self.narrowest_before_last, self.last_width)
            self.short_rows += width < len(self.columns)
            self.long_rows += width > len(self.columns)
        else:
            self.columns = tuple(row)
        self.last_width = width


def _write(rows: Iterable[list[str]], out: Path) -> _Shape:
    """Write rows as UTF-8 CSV with LF line ends."""
    shape = _Shape()
    with out.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(shape.watch(rows))
    return shape


def _info(kind: Kind, shape: _Shape, out: Path, *, encoding: str, odd_bytes: int = 0) -> CsvInfo:
    with out.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return CsvInfo(kind, encoding, shape.rows, shape.columns, shape.short_rows, shape.long_rows, odd_bytes, digest)


class _OddBytes:
    """Decodes bytes that are not UTF-8 as Windows-1252 and counts them; five that it lacks as Latin-1.

    A codec error handler, registered under a name of this thread.
    """

    def __init__(self) -> None:
        self.count = 0
        self.name = f"perinatal-odd-bytes-{threading.get_ident()}"
        codecs.register_error(self.name, self)

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        odd = error.object[error.start : error.end]
        self.count += len(odd)
        return "".join(_odd_character(byte) for byte in odd), error.end


def _odd_character(byte: int) -> str:
    return chr(byte) if byte in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else bytes([byte]).decode("cp1252")


class _Lines:
    """The lines of a text, watched: none too long, no NUL; `complete` says whether the last one was ended."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.text, self.name = text, name
        self.number, self.complete = 0, True

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(LINE_LIMIT):
            self.number += 1
            self.complete = line.endswith("\n")
            if not self.complete and len(line) == LINE_LIMIT:
                raise self.refusal("huge_line", f"is longer than {LINE_LIMIT:,} characters; not a table")
            if "\0" in line:
                raise self.refusal("binary", "holds a NUL; binary data, or damaged")
            yield line

    def refusal(self, reason: str, what: str) -> Unusable:
        """Return the error for the current line."""
        return Unusable(reason, f"{self.name}: line {self.number}: {what}")


def _copy_csv(path: Path, out: Path) -> CsvInfo:
    """Write CSV text in any usual encoding as UTF-8 CSV, line by line."""
    with path.open("rb") as handle:
        codec = _codec(handle.read(HEAD))
        handle.seek(0)
        odd = _OddBytes()
        # universal newlines: a cell's own line breaks become LF too, whatever the publisher's machine writes
        text = io.TextIOWrapper(handle, codec, errors=odd.name if codec == "utf-8-sig" else "strict")
        lines = _Lines(text, path.name)
        try:
            shape = _write(_rows(lines), out)
        except csv.Error as error:
            raise _bad_csv(lines, str(error)) from None
        except UnicodeDecodeError:
            raise lines.refusal("damaged_text", f"is not {codec}, as the file's start says") from None
    if not shape.columns:
        raise Unusable("empty", f"{path.name}: is empty; fetch it again")
    if not lines.complete and shape.rows and shape.last_width < shape.narrowest_before_last:
        raise lines.refusal("truncated", "the file breaks off in this line; fetch it again")
    encoding = codec.removesuffix("-sig") if not odd.count else "utf-8 with windows-1252 bytes"
    return _info(Kind.CSV, shape, out, encoding=encoding, odd_bytes=odd.count)


def _rows(lines: _Lines) -> Iterator[list[str]]:
    """Split lines into cells; the first line with text tells the delimiter. Quotes must be well formed."""
    stream, before = iter(lines), []
    for line in stream:
        before.append(line)
        if line.strip():
            break
    bare = re.sub(r'"[^"]*"', "", before[-1]) if before else ""
    delimiter = max(DELIMITERS, key=bare.count)
    yield from csv.reader(itertools.chain(before, stream), delimiter=delimiter, strict=True)


def _bad_csv(lines: _Lines, error: str) -> Unusable:
    """Say in words what the CSV reader found."""
    if "unexpected end" in error:
        return lines.refusal("truncated", "the file ends inside quotes; it is cut off, or a quote is never closed")
    if "field larger" in error:
        what = f"a cell is longer than {csv.field_size_limit():,} characters, or a quote is never closed"
        return lines.refusal("huge_cell", what)
    return lines.refusal("bad_quotes", f"quotes are not well formed ({error})")


# --- spreadsheets, in a process of their own --------------------------------------------------------------


def _read_sheet_apart(path: Path, kind: Kind, out: Path, sheet: str | None, limits: Limits) -> CsvInfo:
    """Let a child process write one sheet as CSV, within memory and time."""
    task = {"path": str(path), "out": str(out), "sheet": sheet, **asdict(limits)}
    bounds = f"{limits.sheet_memory:,} bytes of memory or {limits.sheet_seconds} seconds"
    too_much = Unusable("too_large", f"{path.name}: takes more than {bounds} to open; save it as CSV")
    command = [sys.executable, "-m", "ingest.land.files", json.dumps(task)]
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
    shape = _Shape(**answer["shape"] | {"columns": tuple(answer["shape"]["columns"])})
    if not shape.columns:
        raise Unusable("empty", f"{path.name}: the sheet {answer['sheet']!r} is empty")
    return replace(_info(kind, shape, out, encoding="utf-8"), sheet=answer["sheet"])


def _read_sheet(task: dict[str, Any]) -> dict[str, Any]:
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
        name = named[0] if len(named) == 1 else _chosen(path, "sheet", named or visible, task["sheet"])
        rows = ([_cell(value) for value in row] for row in book.get_sheet_by_name(name).iter_rows())
        return {"sheet": name, "shape": vars(_write(rows, Path(task["out"])))}
    except calamine.PasswordError:
        raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password") from None
    except calamine.CalamineError as error:
        raise _damaged(path, error) from None


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
        answer = _read_sheet(task)
    except Unusable as error:
        answer = {"reason": error.reason, "message": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _child()
