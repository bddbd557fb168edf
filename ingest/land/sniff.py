"""What a file is, by its bytes; its name counts for nothing."""

from __future__ import annotations

import codecs
import mmap
import re
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Final

HEAD: Final = 1 << 16  # bytes looked at to tell what a file is
ZIP_TROUBLE: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)


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
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


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
    text = head.decode(codec_of(head), "replace").lstrip("\ufeff \t\r\n")
    if not text:
        return Kind.EMPTY
    if len(CONTROLS.findall(text)) > 2 + len(text) // 100:
        return Kind.BINARY
    if MARKUP.match(text):
        return Kind.HTML
    if text.startswith("<"):
        return Kind.XML
    return Kind.JSON if re.match(r'\{\s*"|\[\s*[\[{]', text) else Kind.CSV


def codec_of(head: bytes) -> str:
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
