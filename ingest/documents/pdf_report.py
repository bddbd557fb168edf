"""A report that is a PDF: its passages with page and headings.

It is read in a process of its own, under limits: a hostile one cannot take the run with it.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ingest.documents.findings import ADDRESSEE, BULLET, MARKED, STATUS
from ingest.documents.passages import Passage, Report
from ingest.documents.pdf_columns import boxes_in_reading_order
from ingest.land.unreadable import Unreadable
from perinatal.printable import one_line

PDF_PAGES: Final = 1500
PDF_MEMORY: Final = 2 << 30  # bytes
PDF_SECONDS: Final = 180
FULL_STOP: Final = (".", "!", "?", ":", ";")


@dataclass(frozen=True)
class PrintedLine:
    """One printed line: its page, type size and vertical position, in points."""

    text: str
    page: int
    size: float
    top: float
    bottom: float


def read_pdf_report(path: Path) -> Report:
    """Read a PDF's passages in a child process, within memory and time. Raises Unreadable."""
    damaged = Unreadable("damaged", f"{path.name}: the PDF cannot be read; fetch it again")
    command = [sys.executable, "-m", "ingest.documents.pdf_report", str(path)]
    try:
        child = subprocess.run(command, capture_output=True, timeout=2 * PDF_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise damaged from None
    try:
        answer = json.loads(child.stdout) if child.returncode == 0 else None
    except ValueError:
        answer = None
    if answer is None:
        raise damaged
    lines = [PrintedLine(**line) for line in answer["lines"]]
    if not lines:
        raise Unreadable("no_text", f"{path.name}: the PDF has no text (a scan?); enter it by the findings template")
    passages = tuple(pdf_passages(lines))
    title = answer["title"] or next((p.headings[0] for p in passages if p.headings), None) or path.stem
    return Report(title, None, None, passages)


def pdf_passages(lines: list[PrintedLine]) -> Iterator[Passage]:
    """Join printed lines to passages: headings are set larger than the body; gaps and bullets part passages."""
    body = statistics.mode(round(line.size, 1) for line in lines for _ in line.text)
    headings: dict[float, str] = {}
    held: list[PrintedLine] = []
    for line in lines:
        if line.size > body * 1.12 and len(line.text) < 150:
            yield from _passage(held, headings)
            held = []
            headings = {size: text for size, text in headings.items() if size > line.size + 0.5}
            headings[line.size] = line.text
        else:
            if held and _starts_anew(held[-1], line):
                yield from _passage(held, headings)
                held = []
            held.append(line)
    yield from _passage(held, headings)


def _starts_anew(before: PrintedLine, line: PrintedLine) -> bool:
    if any(mark.match(line.text) for mark in (BULLET, MARKED, STATUS, ADDRESSEE)):
        return True
    if line.page != before.page or line.top < before.top:  # the next page, or the next column
        return before.text.endswith(FULL_STOP)
    return line.top - before.bottom > 0.8 * before.size


def _passage(lines: list[PrintedLine], headings: dict[float, str]) -> Iterator[Passage]:
    text = " ".join(line.text for line in lines)
    text = one_line(BULLET.sub("", re.sub(r"(?<=[a-z])- (?=[a-z])", "", text)))
    if text:
        yield Passage(text, tuple(headings.values()), lines[0].page)


def _printed_lines(pages: Iterable[Any]) -> Iterator[PrintedLine]:
    for number, page in enumerate(pages, start=1):
        for box in boxes_in_reading_order(page):
            for found in page.crop(box).extract_text_lines(return_chars=True):
                text = one_line(found["text"])
                if text and not re.fullmatch(r"(page )?\d{1,4}( of \d+)?", text, re.IGNORECASE):
                    size = statistics.median(char["size"] for char in found["chars"])
                    yield PrintedLine(text, number, float(size), float(found["top"]), float(found["bottom"]))
        page.close()


def _child(path: str) -> None:
    """Read a PDF under limits that hold for this process; prints one JSON document."""
    import resource

    import pdfplumber

    resource.setrlimit(resource.RLIMIT_AS, (PDF_MEMORY, PDF_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PDF_SECONDS, PDF_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with pdfplumber.open(path) as pdf:
        if len(pdf.pages) > PDF_PAGES:
            raise ValueError(f"more than {PDF_PAGES} pages")
        title = one_line(str((pdf.metadata or {}).get("Title") or ""))
        lines = [asdict(line) for line in _printed_lines(pdf.pages)]
    sys.stdout.write(json.dumps({"title": title, "lines": lines}))


if __name__ == "__main__":
    _child(sys.argv[1])
