"""CSV text in any usual encoding as UTF-8 CSV with LF line ends, from its header on, cell texts as they stand.

Nothing is repaired: what cannot be read without guessing is `Unusable`, with the line. Memory stays at a few MB for
files of any size.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from ingest.land.known_header import LOOKED_AT, SEPARATOR, Finder, HeaderRow, first_text, one_table
from ingest.land.sniff import HEAD, Kind, codec_of
from perinatal.dropped_files import Unusable

if TYPE_CHECKING:
    from _csv import Reader

LINE_LIMIT: Final = 16 << 20  # characters of one line
DELIMITERS: Final = ",;\t|"
TOP_LINES: Final = 3 * LOOKED_AT  # lines in which the header's row is looked for; a cell may hold line breaks


@dataclass(frozen=True)
class OpenEnd:
    """The last line of a text without a line end: its number, and the position of its last cell, which may be cut."""

    line: int
    place: int


@dataclass(frozen=True)
class CsvInfo:
    """What was found on the way to CSV.

    `columns` is the header, `rows` counts the rows with any text below it; `short_rows` and `long_rows` of
    them have fewer or more cells. `odd_bytes` were not UTF-8 and are read as Windows-1252. `sha256` is that
    of the CSV written. `separator` stood between cells (empty in a workbook). `sheet` and `member` say where in a
    workbook or zip the table stood, `header_line` in which line of the text or row of the sheet its header, `above`
    what was written above it, `notes` what people should know. `open_end` is there where the text may be cut off.
    """

    kind: Kind
    encoding: str
    rows: int
    columns: tuple[str, ...]
    short_rows: int
    long_rows: int
    odd_bytes: int
    sha256: str
    separator: str = ""
    sheet: str | None = None
    member: str | None = None
    header_line: int = 1
    above: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    open_end: OpenEnd | None = None


@dataclass
class Shape:
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


def write_rows(rows: Iterable[list[str]], out: Path) -> Shape:
    """Write rows as UTF-8 CSV with LF line ends."""
    shape = Shape()
    with out.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(shape.watch(rows))
    return shape


def info_of(kind: Kind, shape: Shape, out: Path, *, encoding: str, odd_bytes: int = 0) -> CsvInfo:
    """Return what was found, with the hash of the CSV written."""
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
    """The lines of a text, watched: none too long, no NUL; `last` is the one read last, `number` its number."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.text, self.name = text, name
        self.number, self.last = 0, ""

    @property
    def complete(self) -> bool:
        """Tell whether the last line has a line end."""
        return not self.last or self.last.endswith("\n")

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(LINE_LIMIT):
            self.number += 1
            self.last = line
            if not self.complete and len(line) == LINE_LIMIT:
                raise self.refusal("huge_line", f"is longer than {LINE_LIMIT:,} characters; not a table")
            if "\0" in line:
                raise self.refusal("binary", "holds a NUL; binary data, or damaged")
            yield line

    def refusal(self, reason: str, what: str) -> Unusable:
        """Return the error for the current line."""
        return Unusable(reason, f"{self.name}: line {self.number}: {what}")


def copy_csv(path: Path, out: Path, find: Finder = first_text) -> CsvInfo:
    """Write CSV text in any usual encoding as UTF-8 CSV from its header on, line by line; `find` tells the header."""
    with path.open("rb") as handle:
        codec = codec_of(handle.read(HEAD))
        handle.seek(0)
        odd = _OddBytes()
        # universal newlines: a cell's own line breaks become LF too, whatever the publisher's machine writes
        text = io.TextIOWrapper(handle, codec, errors=odd.name if codec == "utf-8-sig" else "strict")
        lines = _Lines(text, path.name)
        try:
            stream = iter(lines)
            top = _top_of(list(itertools.islice(stream, TOP_LINES)), find)
            rows = csv.reader(itertools.chain(top.lines, stream), delimiter=top.delimiter, strict=True)
            shape = _written(rows, out, lines, top.header_line, find)
        except UnicodeDecodeError:
            raise lines.refusal("damaged_text", f"is not {codec}, as the file's start says") from None
    if not shape.columns:
        raise Unusable("empty", f"{path.name}: is empty; fetch it again")
    if not lines.complete and shape.rows and shape.last_width < shape.narrowest_before_last:
        raise lines.refusal("truncated", "the file breaks off in this line; fetch it again")
    encoding = codec.removesuffix("-sig") if not odd.count else "utf-8 with windows-1252 bytes"
    info = info_of(Kind.CSV, shape, out, encoding=encoding, odd_bytes=odd.count)
    # a cell that its quotes have closed is whole
    is_open = not lines.complete and not lines.last.endswith('"')
    return replace(
        info,
        separator=top.delimiter,
        header_line=top.header_line,
        above=top.above,
        open_end=OpenEnd(lines.number, shape.last_width - 1) if is_open else None,
    )


def _written(rows: Reader, out: Path, lines: _Lines, header_line: int, find: Finder) -> Shape:
    """Write the rows of one table; what the CSV reader finds wrong is refused with its line."""
    numbered = ((header_line + rows.line_num - 1, row) for row in rows)
    try:
        return write_rows(one_table(numbered, find, f"{lines.name}: line"), out)
    except csv.Error as error:
        lines.number = header_line + rows.line_num - 1
        raise _bad_csv(lines, str(error)) from None


@dataclass(frozen=True)
class _Top:
    """The first lines of a text: its delimiter, the line of the header, what stands above it, the lines from it on."""

    delimiter: str
    header_line: int
    above: tuple[str, ...]
    lines: list[str]


def _top_of(lines: list[str], find: Finder) -> _Top:
    """Tell delimiter and header of a text from its first lines.

    The delimiter is the one that a `sep=` line names, else the one by which most names of the header are known, else
    the most frequent one in the first line that has any.
    """
    said = next((found[1] for line in lines[:1] if (found := SEPARATOR.match(line)) and found[1].strip(" ")), None)
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines if not SEPARATOR.match(line)]
    first = next((line for line in bare if any(map(line.count, DELIMITERS))), "")
    tops = [_parsed(lines, delimiter, find) for delimiter in (said or DELIMITERS)]
    return max(tops, key=lambda one: (one[0].known, first.count(one[1].delimiter)))[1]


def _parsed(lines: list[str], delimiter: str, find: Finder) -> tuple[HeaderRow, _Top]:
    """Read the first rows by one delimiter, leniently: what is wrong in them is found when they are read for good."""
    rows: list[list[str]] = []
    ends = [0]
    reader = csv.reader(lines, delimiter=delimiter)
    with suppress(csv.Error):
        for row in itertools.islice(reader, LOOKED_AT):
            rows.append(row)
            ends.append(reader.line_num)
    found = find(rows)
    start = ends[found.index]
    above = tuple(text for row in rows[: found.index] if (text := " ".join(filter(None, row)).strip()))
    return found, _Top(delimiter, start + 1, above, lines[start:])


def _bad_csv(lines: _Lines, error: str) -> Unusable:
    """Say in words what the CSV reader found."""
    if "unexpected end" in error:
        return lines.refusal("truncated", "the file ends inside quotes; it is cut off, or a quote is never closed")
    if "field larger" in error:
        what = f"a cell is longer than {csv.field_size_limit():,} characters, or a quote is never closed"
        return lines.refusal("huge_cell", what)
    return lines.refusal("bad_quotes", f"quotes are not well formed ({error})")
